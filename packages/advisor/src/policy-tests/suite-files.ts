// Where suites are: directories that have a file of one of these names, and the files it names.

import { joinPath, type SourceFiles } from '../sources/object-files.ts';
import { SourceError } from '../sources/source.ts';

const suiteFileNames = ['keelson-test.yaml', 'keelson-test.yml'] as const;
export const kyvernoFileNames = ['kyverno-test.yaml', 'kyverno-test.yml'] as const;
export const testFileNames: readonly string[] = [...suiteFileNames, ...kyvernoFileNames];

/** Directories below that are looked into; links are directories too, so there must be an end. */
const depthMax = 16;
const suitesMax = 10_000;

/** The suite files at or below a path, in the order of their paths. */
export function findSuiteFiles(files: SourceFiles, path: string): readonly string[] {
  if (files.list(path) === undefined) return files.read(path) === undefined ? [] : [path];
  const found: string[] = [];
  const visit = (directory: string, depth: number) => {
    for (const name of [...(files.list(directory) ?? [])].toSorted()) {
      if (testFileNames.includes(name)) found.push(joinPath(directory, name));
      else if (name.endsWith('/') && !isHidden(name) && depth < depthMax) {
        visit(joinPath(directory, name.slice(0, -1)), depth + 1);
      }
      if (found.length > suitesMax)
        throw new SourceError({ file: path, line: 1 }, `has more than ${suitesMax} suites`);
    }
  };
  visit(path.replace(/(?<=.)\/+$/, ''), 0);
  return found;
}

function isHidden(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules/';
}
