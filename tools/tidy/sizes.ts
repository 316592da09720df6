// How big files, functions, parameter lists and lines may be, and a measurement of those that are
// bigger. Functions and parameters are counted by oxlint, with `sizes.oxlintrc.json`.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot, sourceFiles } from './source-files.ts';

const sizeLimits = {
  /** Lines of a file. The aim is 200; from 400 on the test says so. */
  fileWarn: 400,
  fileMax: 600,
  columnsMax: 100,
} as const;

/**
 * What exceeds a limit: what it is, and how much.
 *
 *   file packages/a/src/b.ts            lines of the file
 *   columns packages/a/src/b.ts         how many of its comment lines are too long
 *   function packages/a/src/b.ts#name   lines of the function
 *   parameters packages/a/src/b.ts#name how many it takes
 */
export type Excess = Readonly<Record<string, number>>;

export function measureExcess(): Excess {
  const excess: Record<string, number> = {};
  for (const { path, text, isGenerated } of sourceFiles) {
    if (isGenerated) continue;
    const lines = text.split('\n');
    if (lines.length - 1 > sizeLimits.fileMax) excess[`file ${path}`] = lines.length - 1;
    const long = lines.filter(isLongComment).length;
    if (long > 0) excess[`columns ${path}`] = long;
  }
  for (const { message, filename } of lintSizes()) {
    const what = message.includes('too many lines') ? 'function' : 'parameters';
    const name = /[`']([^`']+)[`']/.exec(message)?.[1] ?? 'anonymous';
    const key = `${what} ${filename}#${name}`;
    excess[key] = Math.max(excess[key] ?? 0, Number(/\((\d+)\)/.exec(message)?.[1]));
  }
  return Object.fromEntries(Object.entries(excess).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The formatter breaks code at the limit. What it leaves is text in quotes, which stays whole so
 * that it can be searched for; so only comments are counted.
 */
function isLongComment(line: string): boolean {
  return line.length > sizeLimits.columnsMax && /^\s*(?:\/\/|\/?\*)/.test(line);
}

/** Files that are big, though not too big. */
export function bigFiles(): string[] {
  return sourceFiles
    .filter((file) => !file.isGenerated && !file.isTest)
    .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > sizeLimits.fileWarn && lines <= sizeLimits.fileMax)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
}

interface LintReport {
  readonly diagnostics: readonly { readonly message: string; readonly filename: string }[];
}

function lintSizes(): LintReport['diagnostics'] {
  const program = join(repositoryRoot, 'node_modules/.bin/oxlint');
  const options = ['-c', 'tools/tidy/sizes.oxlintrc.json', '-f', 'json'];
  const folders = ['packages', 'conformance', 'tools'];
  const result = spawnSync(program, [...options, ...folders], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (!result.stdout.startsWith('{')) throw new Error(`oxlint failed: ${result.stderr}`);
  return (JSON.parse(result.stdout) as LintReport).diagnostics;
}
