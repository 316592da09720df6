// The bundle starts from a folder of its own, with the storage log's thread beside it, and stops
// when it is asked to.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-bundle-'));
  execFileSync(process.execPath, [join(import.meta.dirname, 'bundle.ts'), join(folder, 'dist')]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

it('starts with embedded storage, serves, and ends with exit code 0', async () => {
  const program = join(folder, 'dist', 'keelson.mjs');
  const options = ['--secure-port=0', `--data-dir=${join(folder, 'state')}`];
  const child = spawn(process.execPath, [program, 'up', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('Keelson is ready')) resolve();
      });
    child.once('exit', () => resolve());
  });
  assert.match(output, /^Keelson is ready/);
  assert.ok(existsSync(join(folder, 'state', 'db', 'keelson.db')));
  child.kill('SIGTERM');
  assert.equal(await exited, 0);
});
