import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

it('the example of the README prints what the README says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, program] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const [, output] = /```text\n([\s\S]*?)```/.exec(readme) ?? [];
  assert.ok(program !== undefined && output !== undefined);
  const frontDoor = new URL('./index.ts', import.meta.url).href;
  const folder = mkdtempSync(join(tmpdir(), 'readme-'));
  try {
    const file = join(folder, 'example.ts');
    writeFileSync(file, program.replace("'@keelson/pod-security'", `'${frontDoor}'`));
    assert.equal(execFileSync(process.execPath, [file], { encoding: 'utf8' }), output);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
