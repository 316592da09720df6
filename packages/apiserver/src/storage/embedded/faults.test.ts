// What happens when the disk fails: a full one is survived, anything else stops the store, and in
// no case is an acknowledged write missing afterwards.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { createSeededRandom, systemClock } from '@keelson/apimachinery';
import { isStorageError } from '../storage.ts';
import type { Storage } from '../storage.ts';
import { withCode } from '../testing/storage-suite.ts';
import { temporaryDirectories } from '../testing/temporary-directory.ts';
import { createMany, testConfigMap, testKey } from '../testing/test-objects.ts';
import { recordWatch } from '../testing/watch-suite.ts';
import { createEmbeddedStorage } from './embedded-storage.ts';
import type { EmbeddedStorageOptions } from './embedded-storage.ts';
import type { DurableLog } from './log-records.ts';
import { openEmbeddedStorage } from './open.ts';
import { openSqliteLog } from './sqlite-log.ts';
import type { LogDatabase } from './sqlite-log.ts';

const newDirectory = temporaryDirectories();
const childPath = join(import.meta.dirname, '..', 'testing', 'storage-child.ts');

function open(dir: string, options: Partial<EmbeddedStorageOptions> = {}): Promise<Storage> {
  return openEmbeddedStorage({ dir, clock: systemClock, ...options });
}

/** An error as `node:sqlite` throws it. */
function sqliteError(errcode: number, message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode, errstr: message });
}

/** A store whose database throws what `fault` returns for a statement that is about to run. */
async function openFaulty(
  dir: string,
  fault: (sql: string) => Error | undefined,
): Promise<Storage> {
  const log = openSqliteLog({
    dir,
    openDatabase(path): LogDatabase {
      const database = new DatabaseSync(path);
      return {
        prepare: (sql) => database.prepare(sql),
        close: () => database.close(),
        exec(sql) {
          const error = fault(sql);
          if (error !== undefined) throw error;
          database.exec(sql);
        },
      };
    },
  });
  const durable: DurableLog = {
    append: async (records) => log.append(records),
    compact: async (revision) => log.compact(revision),
    close: async () => log.close(),
  };
  const contents = { compacted: log.compacted, records: [...log.read()] };
  return createEmbeddedStorage(durable, contents, { clock: systemClock });
}

async function names(storage: Storage): Promise<string[]> {
  const { entries } = await storage.list('/registry/');
  return entries.map((entry) => entry.object.metadata.name ?? '');
}

describe('a failed flush', () => {
  const faults: [string, number][] = [
    ['fsync fails', 1034],
    ['a write fails', 778],
    ['the disk is read-only now', 8],
    ['the file is damaged', 11],
  ];
  for (const [title, errcode] of faults) {
    it(`stops the store when ${title}; what was acknowledged is there afterwards`, async () => {
      const dir = newDirectory();
      let isBroken = false;
      const storage = await openFaulty(dir, (sql) =>
        isBroken && sql === 'COMMIT' ? sqliteError(errcode, 'disk I/O error') : undefined,
      );
      const watch = recordWatch(storage, '/registry/');
      await storage.create(testKey('a'), testConfigMap('a', 'x'));
      isBroken = true;
      const writes = ['b', 'c', 'd'].map((name) =>
        storage.create(testKey(name), testConfigMap(name, 'x')),
      );
      const outcomes = await Promise.allSettled(writes);
      assert.deepEqual(
        outcomes.map((o) => o.status),
        ['rejected', 'rejected', 'rejected'],
      );
      isBroken = false;
      const calls: (() => Promise<unknown>)[] = [
        () => storage.get(testKey('a')),
        () => storage.list('/registry/'),
        () => storage.create(testKey('e'), testConfigMap('e', 'x')),
        () => storage.guaranteedUpdate(testKey('a'), () => undefined),
        () => storage.delete(testKey('a')),
        () => storage.compact(1),
      ];
      for (const call of calls) await assert.rejects(call, withCode('failed'));
      assert.throws(() => storage.count('/registry/'), withCode('failed'));
      assert.deepEqual(
        watch.ends.map((e) => e.code),
        ['failed'],
      );
      assert.equal(watch.events.length, 1);
      await storage.close();
      const again = await open(dir);
      assert.deepEqual(await names(again), ['a']);
      await again.close();
    });
  }

  it('stops the store when the thread of the log is gone', async () => {
    const dir = newDirectory();
    const log: DurableLog = {
      append: () => Promise.reject(new Error('exit code 1')),
      compact: () => Promise.resolve(),
      close: () => Promise.reject(new Error('exit code 1')),
    };
    const storage = await createEmbeddedStorage(
      log,
      { compacted: 1, records: [] },
      { clock: systemClock },
    );
    await assert.rejects(storage.create(testKey('a'), testConfigMap('a', 'x')), withCode('failed'));
    await assert.rejects(storage.get(testKey('a')), withCode('failed'));
    await storage.close();
    assert.equal(existsSync(dir), false);
  });
});

describe('a full disk', () => {
  it('refuses writes with no-space, loses none of the others, and goes on', async () => {
    const dir = newDirectory();
    const storage = await open(dir, { diskBytesMax: 1_000_000 });
    const watch = recordWatch(storage, '/registry/');
    const accepted: string[] = [];
    const refused: string[] = [];
    const create = async (name: string) => {
      try {
        await storage.create(testKey(name), testConfigMap(name, 'x'.repeat(20_000)));
        accepted.push(name);
      } catch (error) {
        assert.ok(isStorageError(error, 'no-space'), String(error));
        assert.match(error.message, /^the write cannot be made durable: no space is left$/);
        refused.push(name);
      }
    };
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 8 }, (_, i) => create(`k${round}.${i}`)));
    }
    assert.ok(accepted.length > 20 && refused.length > 20);
    assert.deepEqual(await names(storage), accepted.toSorted());
    assert.deepEqual(
      watch.events.map((e) => e.entry.object.metadata.name),
      accepted,
    );
    assert.equal(storage.revision(), 1 + accepted.length);
    await storage.close();

    const roomier = await open(dir, { diskBytesMax: 2_000_000 });
    assert.deepEqual(await names(roomier), accepted.toSorted());
    await roomier.create(testKey('later'), testConfigMap('later', 'x'));
    await roomier.close();
  });

  it('takes back what was staged on top of a refused write', async () => {
    let isFull = false;
    const storage = await openFaulty(newDirectory(), (sql) =>
      isFull && sql === 'COMMIT' ? sqliteError(13, 'database or disk is full') : undefined,
    );
    await storage.create(testKey('a'), testConfigMap('a', 'one'));
    isFull = true;
    const update = storage.guaranteedUpdate(testKey('a'), () => testConfigMap('a', 'two'));
    const onTop = storage.guaranteedUpdate(testKey('a'), (current) => {
      assert.deepEqual(current?.object.data, { value: 'two' });
      return undefined;
    });
    const unchanged = storage.guaranteedUpdate(testKey('a'), (current) => current?.object);
    const exists = storage.create(testKey('a'), testConfigMap('a', 'x'));
    for (const write of [update, onTop, unchanged])
      await assert.rejects(write, withCode('no-space'));
    await assert.rejects(exists, isStorageError);
    isFull = false;
    assert.deepEqual((await storage.get(testKey('a')))?.object.data, { value: 'one' });
    const entry = await storage.guaranteedUpdate(testKey('a'), () => testConfigMap('a', 'three'));
    assert.equal(entry?.revision, 3);
    await storage.close();
  });
});

describe('a short write', () => {
  it(
    'is a failure in which nothing that was acknowledged is lost',
    { skip: !existsSync('/bin/sh') },
    async () => {
      const dir = newDirectory();
      // A limit on the size of files makes the kernel cut the write that crosses it.
      const script = `trap '' XFSZ; ulimit -f 700; exec "$0" "$1" write "$2" 1`;
      const child = spawnSync('/bin/sh', ['-c', script, process.execPath, childPath, dir], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      const lines = child.stdout.split('\n');
      assert.match(lines.at(-2) ?? '', /^error (failed|no-space) /);
      const last = new Map<string, string>();
      const begun = new Map<string, string>();
      for (const line of lines) {
        const [what, key = '', token = ''] = line.split(' ');
        if (what === 'begin') begun.set(key, token);
        if (what === 'done') last.set(key, token);
      }
      const storage = await open(dir);
      for (const [key, token] of last) {
        const found = (await storage.get(key))?.object.metadata.uid ?? '-';
        assert.ok(found === token || found === begun.get(key), `${key}: ${found}`);
      }
      await storage.close();
    },
  );

  it('at the end of the write-ahead log leaves a prefix of the writes', async () => {
    const dir = newDirectory();
    const storage = await open(dir);
    for (let i = 0; i < 10; i++) await createMany(storage, `k${i}.`, 4);
    const random = createSeededRandom(7);
    const size = statSync(join(dir, 'keelson.db-wal')).size;
    for (let i = 0; i < 12; i++) {
      const copy = newDirectory();
      cpSync(dir, copy, { recursive: true });
      const cut = i === 0 ? 1 : Math.floor(random.float() * size);
      truncateSync(join(copy, 'keelson.db-wal'), size - cut);
      appendFileSync(join(copy, 'keelson.db-wal'), random.bytes(i * 100));
      const torn = await open(copy);
      const whole = await storage.list('/registry/', { revision: torn.revision() });
      const { entries } = await torn.list('/registry/');
      assert.deepEqual(
        entries.map((e) => e.object),
        whole.entries.map((e) => e.object),
      );
      await torn.close();
    }
    const copy = newDirectory();
    cpSync(dir, copy, { recursive: true });
    appendFileSync(join(copy, 'keelson.db-wal'), random.bytes(5000));
    const padded = await open(copy);
    assert.equal(padded.revision(), storage.revision());
    await padded.close();
    await storage.close();
  });
});
