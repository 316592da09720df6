// The library as its tests run it.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@keelson/apimachinery';
import { runPolicyTests, type PolicyTestRun, type SourceFiles } from '@keelson/advisor';
import { createCluster } from '@keelson/keelson';

const libraryDirectory = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** The files of the library; `replace` may give another text for one. */
export function libraryFiles(replace: (path: string) => string | undefined = () => undefined) {
  const files: SourceFiles = {
    read: (path) => replace(path) ?? readFileSync(path, 'utf8'),
    list: (path) =>
      statSync(path).isDirectory()
        ? readdirSync(path, { withFileTypes: true }).map((entry) =>
            entry.isDirectory() ? `${entry.name}/` : entry.name,
          )
        : undefined,
  };
  return files;
}

let finished: Promise<PolicyTestRun> | undefined;

/** All suites, run once for all who ask. */
export function runLibrary(): Promise<PolicyTestRun> {
  return (finished ??= runSuites([libraryDirectory]));
}

/** The suites without results. */
export function readLibrary(): Promise<PolicyTestRun> {
  return runSuites([libraryDirectory], { filter: /^$/ });
}

interface RunOptions {
  readonly files?: SourceFiles;
  /** Of the cases; all unless said otherwise. */
  readonly filter?: RegExp;
}

export function runSuites(
  paths: readonly string[],
  { files = libraryFiles(), ...options }: RunOptions = {},
): Promise<PolicyTestRun> {
  return runPolicyTests({
    ...options,
    files,
    createCluster: (options) => createCluster({ ...options, controllers: [] }),
    clock: systemClock,
    paths,
  });
}
