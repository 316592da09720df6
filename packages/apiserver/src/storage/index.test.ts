import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';

describe('the front door of storage', () => {
  it('loads neither SQLite nor worker threads for a memory store', () => {
    const frontDoor = JSON.stringify(import.meta.resolve('./index.ts'));
    const script = `
      const { createMemoryStorage } = await import(${frontDoor});
      await createMemoryStorage().create('/a/b', { apiVersion: 'v1', kind: 'X', metadata: {} });
      const isHeavy = (name) => /sqlite|NativeModule worker_threads/.test(name);
      process.stdout.write(JSON.stringify(process.moduleLoadList.filter(isHeavy)));
    `;
    const args = ['--input-type=module', '--eval', script];
    assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }), '[]');
  });
});
