// Where suites are: directories that have a file of one of these names, and the files it names.

import { posix } from 'node:path';
import { isJsonObject, type JsonValue } from '@keelson/apimachinery';
import { readMembers } from './suite-reader.ts';
import { SuiteError, type Source, type SuiteObject } from './suite.ts';

/**
 * What suites are read from. Paths have slashes; `list` gives names, directories with one behind.
 */
export interface SuiteFiles {
  /** Undefined when there is no such file. */
  read(path: string): string | undefined;
  /** Undefined when it is no directory. */
  list(path: string): readonly string[] | undefined;
}

export const suiteFileNames = ['keelson-test.yaml', 'keelson-test.yml'] as const;
export const kyvernoFileNames = ['kyverno-test.yaml', 'kyverno-test.yml'] as const;
const names: readonly string[] = [...suiteFileNames, ...kyvernoFileNames];

/** Directories below that are looked into; links are directories too, so there must be an end. */
const depthMax = 16;
const suitesMax = 10_000;

/** The suite files at or below a path, in the order of their paths. */
export function findSuiteFiles(files: SuiteFiles, path: string): readonly string[] {
  if (files.list(path) === undefined) return files.read(path) === undefined ? [] : [path];
  const found: string[] = [];
  const visit = (directory: string, depth: number) => {
    for (const name of [...(files.list(directory) ?? [])].toSorted()) {
      if (names.includes(name)) found.push(joinPath(directory, name));
      else if (name.endsWith('/') && !isHidden(name) && depth < depthMax) {
        visit(joinPath(directory, name.slice(0, -1)), depth + 1);
      }
      if (found.length > suitesMax)
        throw new SuiteError({ file: path, line: 1 }, `has more than ${suitesMax} suites`);
    }
  };
  visit(path.replace(/(?<=.)\/+$/, ''), 0);
  return found;
}

function isHidden(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules/';
}

/** The objects of a file, or of all YAML and JSON files of a directory. Lists are their items. */
export function readObjects(files: SuiteFiles, path: string, named: Source): SuiteObject[] {
  const entries = files.list(path);
  if (entries !== undefined) {
    return entries
      .filter((name) => isObjectFile(name) && !names.includes(name))
      .toSorted()
      .flatMap((name) => readObjects(files, joinPath(path, name), named));
  }
  const text = files.read(path);
  if (text === undefined) throw new SuiteError(named, `there is no ${path}`);
  return readMembers(path, text).flatMap((member) => objectsOf(member.value, member.source));
}

function objectsOf(value: JsonValue | undefined, source: Source): SuiteObject[] {
  if (!isJsonObject(value) || typeof value['kind'] !== 'string')
    throw new SuiteError(source, 'a resource must be an object with apiVersion and kind');
  if (typeof value['apiVersion'] !== 'string')
    throw new SuiteError(source, `the ${value['kind']} has no apiVersion`);
  const { items } = value;
  if (value['kind'] !== 'List' || !Array.isArray(items)) return [{ object: value, source }];
  return items.flatMap((item) => objectsOf(item, source));
}

export function isObjectFile(name: string): boolean {
  return /\.(?:ya?ml|json)$/.test(name);
}

export function joinPath(directory: string, name: string): string {
  return posix.isAbsolute(name) ? name : posix.join(directory, name);
}
