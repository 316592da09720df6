// The files that the repository's own tests look at, read once. Generated files are marked, because
// no rule about style holds for them.

import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));

export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly isGenerated: boolean;
  /** A test, or a part that only tests use. */
  readonly isTest: boolean;
}

export function readText(path: string): string {
  return readFileSync(repositoryRoot + path, 'utf8');
}

/** Paths that match, without installed packages and build output. */
export function findFiles(patterns: readonly string[]): string[] {
  return globSync([...patterns], {
    cwd: repositoryRoot,
    exclude: (path) => /(^|\/)(node_modules|dist|coverage)$/.test(path),
  }).toSorted();
}

export function isGenerated(path: string): boolean {
  return path.includes('/generated/') || /\.(?:generated|golden)\.\w+$/.test(path);
}

function isTest(path: string): boolean {
  return /\.test\.ts$|\/testing\/|\/testing\.ts$|\/testdata\//.test(path);
}

export const sourceFiles: readonly SourceFile[] = findFiles([
  'packages/**/*.ts',
  'conformance/**/*.ts',
  'tools/**/*.ts',
  'examples/**/*.ts',
]).map((path) => ({
  path,
  text: readText(path),
  isGenerated: isGenerated(path),
  isTest: isTest(path),
}));
