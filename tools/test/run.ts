// `npm test`: every test file of the repository in one run of node's test runner, two files at a
// time. Arguments are passed on, so `npm test -- packages/cel` runs a part.

import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

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
const result = spawnSync(
  process.execPath,
  [
    '--import',
    './tools/test/seed.ts',
    ...recording,
    '--test',
    '--test-concurrency=2',
    ...options,
    ...files,
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exit(result.status ?? 1);
