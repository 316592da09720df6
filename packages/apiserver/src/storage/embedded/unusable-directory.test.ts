// Opening a directory that cannot be used is refused with one sentence, and damages nothing.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { createSeededRandom, systemClock } from '@keelson/apimachinery';
import { isStorageError } from '../storage.ts';
import type { Storage } from '../storage.ts';
import { withCode } from '../testing/storage-suite.ts';
import { temporaryDirectories } from '../testing/temporary-directory.ts';
import { createMany, testConfigMap, testKey } from '../testing/test-objects.ts';
import { openEmbeddedStorage } from './open.ts';

const newDirectory = temporaryDirectories();
const childPath = join(import.meta.dirname, '..', 'testing', 'storage-child.ts');

function open(dir: string): Promise<Storage> {
  return openEmbeddedStorage({ dir, clock: systemClock });
}

describe('a directory that cannot be used', () => {
  const refused = async (dir: string, code: 'failed' | 'corrupt', text: RegExp) =>
    assert.rejects(open(dir), (error) => {
      assert.ok(isStorageError(error, code), String(error));
      assert.match(error.message, text);
      assert.ok(error.message.includes(dir), 'names the directory');
      return true;
    });

  it('is refused while another store in this process has it', async () => {
    const dir = newDirectory();
    const first = await open(dir);
    await refused(dir, 'failed', /another process is using it$/);
    await first.create(testKey('a'), testConfigMap('a', 'x'));
    await first.close();
    const second = await open(dir);
    assert.equal(second.count('/'), 1);
    await second.close();
  });

  it('is refused while another process has it, and free once that is killed', async () => {
    const dir = newDirectory();
    const child = spawn(process.execPath, [childPath, 'hold', dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await refused(dir, 'failed', /another process is using it$/);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    const storage = await open(dir);
    await storage.close();
  });

  it('is refused when it is a file', async () => {
    const dir = newDirectory();
    writeFileSync(dir, 'not a directory');
    await refused(dir, 'failed', /not a directory$/);
  });

  it('is refused, untouched, when its file is no database', async () => {
    const dir = newDirectory();
    mkdirSync(dir);
    const text = 'a precious text\n'.repeat(1000);
    writeFileSync(join(dir, 'keelson.db'), text);
    await refused(dir, 'corrupt', /not a Keelson database$/);
    assert.equal(readFileSync(join(dir, 'keelson.db'), 'utf8'), text);
  });

  const foreign: [string, string, RegExp][] = [
    ['is of another program', 'PRAGMA application_id = 7', /belongs to another program$/],
    ['has no kind', 'PRAGMA application_id = 0', /belongs to another program$/],
    ['is of a later version', 'PRAGMA user_version = 99', /has format 99, this version reads 1$/],
  ];
  for (const [title, sql, text] of foreign) {
    it(`is refused, unchanged, when its database ${title}`, async () => {
      const dir = newDirectory();
      await (await open(dir)).close();
      const database = new DatabaseSync(join(dir, 'keelson.db'));
      database.exec(`${sql}; CREATE TABLE precious (x)`);
      database.close();
      const before = readFileSync(join(dir, 'keelson.db'));
      await refused(dir, 'failed', text);
      assert.deepEqual(readFileSync(join(dir, 'keelson.db')), before);
    });
  }

  it('is refused when rows are missing, swapped or altered', async () => {
    const damages = [
      'DELETE FROM log WHERE revision = 5',
      "UPDATE log SET value = x'7b7d' WHERE revision = 5",
      "UPDATE log SET key = '/registry/other' WHERE revision = 5",
      'UPDATE log SET previous = 3 WHERE revision = 5',
      'UPDATE compaction SET revision = 0',
      'DELETE FROM compaction',
    ];
    for (const damage of damages) {
      const dir = newDirectory();
      const storage = await open(dir);
      await createMany(storage, 'k', 10);
      await storage.close();
      const database = new DatabaseSync(join(dir, 'keelson.db'));
      database.exec(damage);
      database.close();
      await assert.rejects(open(dir), withCode('corrupt'), damage);
    }
  });

  it('is refused when bytes have changed, or serves what was written', async () => {
    const dir = newDirectory();
    const storage = await open(dir);
    await createMany(storage, 'k', 300);
    const expected = (await storage.list('/registry/')).entries.map((e) => e.object);
    await storage.close();
    const random = createSeededRandom(11);
    const bytes = readFileSync(join(dir, 'keelson.db'));
    const outcomes = { refused: 0, same: 0 };
    for (let i = 0; i < 24; i++) {
      const copy = newDirectory();
      mkdirSync(copy);
      const damaged = Buffer.from(bytes);
      const at = Math.floor(random.float() * (bytes.length - 16));
      damaged.set(random.bytes(1 + (i % 16)), at);
      writeFileSync(join(copy, 'keelson.db'), damaged);
      try {
        const opened = await open(copy);
        const entries = (await opened.list('/registry/')).entries.map((e) => e.object);
        await opened.close();
        assert.deepEqual(entries, expected);
        outcomes.same++;
      } catch (error) {
        assert.ok(isStorageError(error), String(error));
        outcomes.refused++;
      }
    }
    assert.ok(outcomes.refused > 5, JSON.stringify(outcomes));
  });

  it('is refused when it may not be written', async (t) => {
    // Root may write anything, so root has the store opened by a process that is nobody.
    const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const look = ['--eval', `require('node:fs').accessSync('${childPath}')`];
    if (spawnSync(process.execPath, look, nobody).status !== 0) {
      t.skip('root runs this in a checkout that others may not read');
      return;
    }
    const dir = newDirectory();
    await (await open(dir)).close();
    chmodSync(dirname(dir), 0o755);
    chmodSync(join(dir, 'keelson.db'), 0o444);
    for (const mode of [0o000, 0o555, 0o755]) {
      chmodSync(dir, mode);
      const args = [childPath, 'open', dir];
      const child = spawnSync(process.execPath, args, { encoding: 'utf8', ...nobody });
      assert.match(child.stdout, /^error failed the storage directory .*: permission denied\n$/);
    }
    chmodSync(dir, 0o700);
  });
});
