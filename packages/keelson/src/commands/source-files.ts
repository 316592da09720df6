// The files of the machine, as commands that read suites and manifests see them.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { SourceFiles } from '@keelson/advisor';
import { isFileError } from './file-error.ts';

export const sourceFiles: SourceFiles = {
  read: (path) => ifThere(() => readFileSync(path, 'utf8')),
  list: (path) =>
    ifThere(() =>
      statSync(path).isDirectory()
        ? readdirSync(path, { withFileTypes: true }).map((entry) =>
            entry.isDirectory() ? `${entry.name}/` : entry.name,
          )
        : undefined,
    ),
};

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isFileError(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
