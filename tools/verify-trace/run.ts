// `npm run verify-trace`: runs the tests with every decision recorded, then verifies all of them.
// Arguments are those of `npm test`.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const directory = mkdtempSync(join(tmpdir(), 'keelson-traces-'));
const run = (script: string, args: readonly string[]) =>
  spawnSync(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...args], {
    stdio: 'inherit',
    env: { ...process.env, KEELSON_TRACE_DIR: directory },
  }).status ?? 1;

const tests = run('../test/run.ts', process.argv.slice(2));
const verified = run('./verify-trace.ts', [directory]);
rmSync(directory, { recursive: true });
process.exit(tests === 0 ? verified : tests);
