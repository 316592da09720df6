import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '@keelson/apimachinery';
import { historyDefaults } from '../memory/memory-storage.ts';
import type { Storage } from '../storage.ts';
import { createManualClock } from '../testing/manual-clock.ts';
import { describeStorage, withCode } from '../testing/storage-suite.ts';
import { temporaryDirectories } from '../testing/temporary-directory.ts';
import { testConfigMap, testKey } from '../testing/test-objects.ts';
import { caughtUp, recordWatch } from '../testing/watch-suite.ts';
import type { EmbeddedStorageOptions } from './embedded-storage.ts';
import { openEmbeddedStorage } from './open.ts';

const newDirectory = temporaryDirectories();

function open(dir: string, options: Partial<EmbeddedStorageOptions> = {}): Promise<Storage> {
  return openEmbeddedStorage({ dir, clock: systemClock, freeze: true, ...options });
}

describeStorage('embedded', (options) => open(newDirectory(), options), 20);

/** All that a reader can see: every revision's list with its bytes, and every event. */
async function everything(storage: Storage): Promise<unknown> {
  const oldest = storage.compactedRevision();
  const lists = [];
  for (let revision = oldest; revision <= storage.revision(); revision++) {
    const { entries } = await storage.list('/registry/', { revision });
    lists.push(entries.map((e) => [e.key, e.revision, e.object]));
  }
  const watch = recordWatch(storage, '/registry/', oldest);
  await caughtUp(watch, storage.revision());
  watch.stop();
  const bytes = (await storage.list('/registry/')).entries.map((e) =>
    Buffer.from(e.encoding('json:v1', () => assert.fail('not the stored form'))).toString(),
  );
  const events = watch.events.map((e) => [
    e.type,
    e.revision,
    e.entry.key,
    e.entry.object,
    e.previous?.object,
  ]);
  return { revision: storage.revision(), lists, events, bytes };
}

async function writeSome(storage: Storage): Promise<void> {
  const writes: Promise<unknown>[] = [];
  for (let i = 0; i < 300; i++) {
    const key = testKey(`k${i % 40}`);
    if (i % 7 === 3) writes.push(storage.guaranteedUpdate(key, () => undefined));
    else writes.push(storage.guaranteedUpdate(key, () => testConfigMap(`k${i % 40}`, String(i))));
  }
  await Promise.all(writes);
}

describe('embedded storage after a restart', () => {
  it('reads integers of 64 bits and text of any language exactly', async () => {
    const dir = newDirectory();
    const first = await open(dir);
    const object = { ...testConfigMap('a', 'grüß dich 😀 <&>'), count: -9223372036854775808n };
    const { object: written } = await first.create(testKey('é😀'), object);
    await first.close();
    const second = await open(dir);
    assert.deepEqual((await second.get(testKey('é😀')))?.object, written);
    await second.close();
  });

  it('has state, history, bytes and revision as they were', async () => {
    const dir = newDirectory();
    const first = await open(dir);
    await writeSome(first);
    const before = await everything(first);
    await first.close();
    const second = await open(dir);
    assert.deepEqual(await everything(second), before);
    const entry = await second.create(testKey('new'), testConfigMap('new', 'x'));
    assert.equal(entry.revision, first.revision() + 1);
    await second.close();
  });

  it('has them also after compaction, on disk too', async () => {
    const dir = newDirectory();
    const first = await open(dir);
    await writeSome(first);
    await first.compact(first.revision() - 100);
    const before = await everything(first);
    await first.close();
    const second = await open(dir);
    assert.equal(second.compactedRevision(), first.revision() - 100);
    assert.deepEqual(await everything(second), before);
    assert.throws(() => recordWatch(second, '/registry/', 2), withCode('compacted'));
    await second.close();
  });

  it('keeps counting revisions when the last write was a deletion that is forgotten', async () => {
    const dir = newDirectory();
    const first = await open(dir);
    await first.create(testKey('a'), testConfigMap('a', 'x'));
    const { revision } = await first.delete(testKey('a'));
    await first.compact(revision);
    await first.close();
    const second = await open(dir);
    assert.equal(second.revision(), revision);
    assert.equal(second.count('/'), 0);
    const entry = await second.create(testKey('a'), testConfigMap('a', 'x'));
    assert.equal(entry.revision, revision + 1);
    await second.close();
  });

  it('sees that an update changes nothing, from bytes alone', async () => {
    const dir = newDirectory();
    const first = await open(dir);
    await first.create(testKey('a'), testConfigMap('a', 'x'));
    await first.close();
    const second = await open(dir);
    await second.guaranteedUpdate(testKey('a'), () => testConfigMap('a', 'x'));
    assert.equal(second.revision(), first.revision());
    await second.close();
  });

  it('compacts the log by itself when the history outgrows its bound', async () => {
    const dir = newDirectory();
    const first = await open(dir, { historyEventsMax: 50 });
    for (let round = 0; round < 60; round++) {
      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          first.guaranteedUpdate(testKey(`k${i}`), () => testConfigMap('a', `${round}`)),
        ),
      );
    }
    await first.close();
    const second = await open(dir);
    const behind = second.revision() - second.compactedRevision();
    assert.ok(behind < 2100, `${behind} revisions are on disk`);
    assert.equal(second.count('/'), 50);
    await second.close();
  });
});

describe('embedded storage', () => {
  it('forgets history that is older than one interval, twice an interval at most', async () => {
    const clock = createManualClock();
    const storage = await open(newDirectory(), { clock });
    const seen: number[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      await storage.create(testKey(name), testConfigMap(name, 'x'));
      clock.advance(historyDefaults.compactionIntervalMs);
      await storage.compact(1);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(storage.compactedRevision());
    }
    assert.deepEqual(seen, [1, 2, 3, 4]);
    await storage.close();
  });

  it('keeps its files to their owner', async () => {
    const dir = newDirectory();
    const storage = await open(dir);
    await storage.create(testKey('a'), testConfigMap('a', 'x'));
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    for (const file of ['keelson.db', 'keelson.db-wal']) {
      assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600);
    }
    await storage.close();
  });

  it('answers nothing from a write that is not durable yet', async () => {
    const storage = await open(newDirectory());
    const order: string[] = [];
    const created = storage
      .create(testKey('a'), testConfigMap('a', 'x'))
      .then(() => order.push('created'));
    const refused = storage
      .create(testKey('a'), testConfigMap('a', 'y'))
      .catch(() => order.push('refused'));
    const same = storage
      .guaranteedUpdate(testKey('a'), (current) => current?.object)
      .then(() => order.push('unchanged'));
    assert.equal(await storage.get(testKey('a')), undefined);
    assert.equal(storage.count('/'), 0);
    await Promise.all([created, refused, same]);
    assert.equal(order[0], 'created');
    await storage.close();
  });
});
