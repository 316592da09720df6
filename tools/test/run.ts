// `npm test`: every test file of the repository in one run of node's test runner, two files at a
// time. Arguments are passed on, so `npm test -- packages/cel` runs a part. A file that does not
// come to its end is stopped and has failed: the rest of the run goes on.

import { globSync } from 'node:fs';
import process from 'node:process';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

// The longest file takes about a minute on two cores; a busy machine is several times slower.
const fileTimeoutMs = 10 * 60_000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const only = process.argv.slice(2).filter((a) => !a.startsWith('-'));
const options = process.argv.slice(2).filter((a) => a.startsWith('-'));
const folders = only.length > 0 ? only : ['packages', 'conformance', 'tools', 'examples'];
const files = folders
  .flatMap((folder) =>
    folder.endsWith('.ts') ? [folder] : globSync(`${folder}/**/*.test.ts`, { cwd: root }),
  )
  .filter((f) => !f.includes('node_modules'))
  .toSorted();
if (files.length === 0) {
  console.error('no test files found');
  process.exit(1);
}
// Every decision of every server is recorded, for tools/verify-trace.
const recording =
  process.env['KEELSON_TRACE_DIR'] === undefined
    ? []
    : ['--import', './tools/verify-trace/record.ts'];
// Every file is a process of its own, which loads what many others have loaded: without the cache
// stripping types and compiling are a third of a short file's time.
process.env['NODE_COMPILE_CACHE'] ??= `${root}node_modules/.cache/compiled`;
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
run({
  cwd: root,
  files,
  concurrency: 2,
  timeout: fileTimeoutMs,
  signal: stop.signal,
  execArgv: ['--import', './tools/test/seed.ts', ...recording, ...options],
})
  .on('test:fail', ({ todo }) => {
    if (todo === undefined || todo === false) process.exitCode = 1;
  })
  .compose(spec)
  .pipe(process.stdout);
