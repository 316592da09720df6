// The contract of `Storage.watch`: in order, no gap, nothing twice, nothing of another prefix.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Revision, Storage, StorageError, StorageEvent } from '../storage.ts';
import { withCode } from './storage-suite.ts';
import type { CreateStorage } from './storage-suite.ts';
import { createMany, testConfigMap, testKey } from './test-objects.ts';

export interface WatchRecord {
  readonly events: StorageEvent[];
  readonly ends: StorageError[];
  /** The revision reported with the last batch. */
  revision: Revision;
  stop(): void;
}

/** Watches and records; asserts that batches come in order and not within one another. */
export function recordWatch(storage: Storage, prefix: string, revision?: Revision): WatchRecord {
  const controller = new AbortController();
  let isCalled = false;
  const record: WatchRecord = {
    events: [],
    ends: [],
    revision: revision ?? storage.revision(),
    stop: () => controller.abort(),
  };
  storage.watch(prefix, {
    revision,
    signal: controller.signal,
    onEvents(events, upTo) {
      assert.equal(isCalled, false, 'onEvents is never called concurrently');
      isCalled = true;
      for (const event of events) {
        assert.ok(event.revision > (record.events.at(-1)?.revision ?? revision ?? 0));
        assert.ok(event.revision <= upTo);
        record.events.push(event);
      }
      assert.ok(upTo >= record.revision);
      record.revision = upTo;
      isCalled = false;
    },
    onEnd: (error) => record.ends.push(error),
  });
  return record;
}

/** Waits until everything written up to now was delivered. */
export async function caughtUp(record: WatchRecord, revision: Revision): Promise<void> {
  while (record.revision < revision && record.ends.length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function describeWatches(create: CreateStorage): void {
  const test = (title: string, body: (storage: Storage) => Promise<void>) =>
    it(title, async () => {
      const storage = await create();
      await body(storage);
      await storage.close();
    });
  describe('watch', () => {
    eventTests(test);
    resumeTests(test);
    expiryTests(test, create);
    isolationTests(test);
    crowdTests(test);
  });
}

type Test = (title: string, body: (storage: Storage) => Promise<void>) => void;

function eventTests(test: Test): void {
  test('delivers each write with what it replaced', async (s) => {
    const watch = recordWatch(s, '/registry/');
    const created = await s.create(testKey('a'), testConfigMap('a', 'one'));
    const updated = await s.guaranteedUpdate(testKey('a'), () => testConfigMap('a', 'two'));
    const deleted = await s.delete(testKey('a'));
    assert.deepEqual(
      watch.events.map((e) => [e.type, e.revision, e.entry, e.previous]),
      [
        ['ADDED', created.revision, created, undefined],
        ['MODIFIED', updated?.revision, updated, created],
        ['DELETED', deleted.revision, deleted, updated],
      ],
    );
    assert.deepEqual(watch.events[2]?.entry.object.data, { value: 'two' });
    assert.equal(watch.events[2]?.entry.object.metadata.resourceVersion, String(s.revision()));
  });
  test('has delivered a write when its promise resolves', async (s) => {
    const watch = recordWatch(s, '/registry/');
    for (let i = 0; i < 50; i++) {
      await s.create(testKey(`k${i}`), testConfigMap('a', 'x'));
      assert.equal(watch.events.length, i + 1);
      assert.equal(watch.revision, s.revision());
    }
  });
  test('shows a write to get and list no later than to watchers', async (s) => {
    let checks: Promise<void>[] = [];
    s.watch('/registry/', {
      signal: new AbortController().signal,
      onEvents(events, revision) {
        assert.ok(s.revision() >= revision);
        checks = checks.concat(
          events.map(async (e) =>
            assert.ok(((await s.get(e.entry.key))?.revision ?? 0) >= e.revision),
          ),
        );
      },
      onEnd: () => {},
    });
    await createMany(s, 'k', 40);
    await Promise.all(checks);
    assert.equal(checks.length, 40);
  });
}

function resumeTests(test: Test): void {
  test('resumes after any revision, across pages of history', async (s) => {
    const start = s.revision();
    await createMany(s, 'k', 1300);
    for (const from of [start, start + 1, start + 127, start + 128, start + 700, s.revision()]) {
      const watch = recordWatch(s, '/registry/', from);
      await caughtUp(watch, s.revision());
      assert.equal(watch.events.length, s.revision() - from);
      watch.stop();
    }
  });
  test('joins the live writes without gap or repetition', async (s) => {
    const start = s.revision();
    await createMany(s, 'old', 1200);
    const watch = recordWatch(s, '/registry/', start);
    for (let i = 0; i < 12; i++) {
      await createMany(s, `new${i}.`, 50);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await caughtUp(watch, s.revision());
    assert.deepEqual(
      watch.events.map((e) => e.revision),
      Array.from({ length: 1800 }, (_, i) => start + 1 + i),
    );
  });
  test('a watcher that starts within a delivery misses and repeats nothing', async (s) => {
    let inner: ReturnType<typeof recordWatch> | undefined;
    s.watch('/registry/', {
      signal: new AbortController().signal,
      onEvents(events) {
        inner ??= recordWatch(s, '/registry/', events[0]?.revision);
      },
      onEnd: () => {},
    });
    const first = await s.create(testKey('a'), testConfigMap('a', 'x'));
    await createMany(s, 'k', 20);
    assert.ok(inner);
    await caughtUp(inner, s.revision());
    assert.deepEqual(
      inner.events.map((e) => e.revision),
      Array.from({ length: 20 }, (_, i) => first.revision + 1 + i),
    );
  });
}

function expiryTests(test: Test, create: CreateStorage): void {
  test('refuses revisions of the future and of the forgotten past', async (s) => {
    for (const name of ['a', 'b', 'c']) await s.create(testKey(name), testConfigMap(name, 'x'));
    const now = s.revision();
    assert.throws(() => recordWatch(s, '/registry/', now + 1), withCode('future-revision'));
    await s.compact(now - 1);
    assert.throws(() => recordWatch(s, '/registry/', now - 2), withCode('compacted'));
    const watch = recordWatch(s, '/registry/', now - 1);
    await caughtUp(watch, now);
    assert.deepEqual(
      watch.events.map((e) => e.entry.key),
      [testKey('c')],
    );
  });
  it('ends with compacted when history is forgotten while catching up', async () => {
    const s = await create({ historyEventsMax: 2000 });
    const start = s.revision();
    await createMany(s, 'k', 1500);
    const live = recordWatch(s, '/registry/');
    const watch = recordWatch(s, '/registry/', start);
    await Promise.resolve();
    await s.compact(s.revision());
    await caughtUp(watch, s.revision());
    assert.deepEqual(
      watch.ends.map((e) => e.code),
      ['compacted'],
    );
    await s.create(testKey('last'), testConfigMap('a', 'x'));
    assert.equal(live.events.length, 1, 'a live watcher does not mind');
    await s.close();
  });
}

function isolationTests(test: Test): void {
  test('touches only watchers of the prefix', async (s) => {
    const rows: [string, number][] = [
      ['/registry/', 4],
      ['/registry/pods/', 2],
      ['/registry/pods', 2],
      ['/registry/pods/a/', 1],
      ['/registry/podsets/', 1],
      ['/registry/secrets/', 0],
    ];
    const watches = rows.map(([prefix]) => recordWatch(s, prefix));
    for (const path of ['pods/a/x', 'pods/ab/x', 'podsets/a/x', 'pods-x/a/x']) {
      await s.create(`/registry/${path}`, testConfigMap('a', 'x'));
    }
    assert.deepEqual(
      watches.map((w) => w.events.length),
      rows.map(([, count]) => count),
    );
  });
  test('an aborted watch gets nothing more, not even the end', async (s) => {
    const watch = recordWatch(s, '/registry/');
    const sleeping = recordWatch(s, '/registry/', s.revision());
    await s.create(testKey('a'), testConfigMap('a', 'x'));
    watch.stop();
    sleeping.stop();
    recordWatch(s, '/registry/', 1).stop();
    await s.create(testKey('b'), testConfigMap('b', 'x'));
    await s.close();
    assert.deepEqual([watch.events.length, watch.ends.length], [1, 0]);
    assert.deepEqual(sleeping.ends, []);
  });
  test('a watch with an aborted signal never starts', async (s) => {
    let calls = 0;
    const onEvents = () => void calls++;
    s.watch('/registry/', { signal: AbortSignal.abort(), onEvents, onEnd: () => void calls++ });
    await s.create(testKey('a'), testConfigMap('a', 'x'));
    assert.equal(calls, 0);
  });
  test('a watcher that throws ends alone', async (s) => {
    const ends: string[] = [];
    s.watch('/registry/', {
      signal: new AbortController().signal,
      onEvents: () => assert.fail('broken watcher'),
      onEnd: (error) => ends.push(error.code),
    });
    const watch = recordWatch(s, '/registry/');
    await s.create(testKey('a'), testConfigMap('a', 'x'));
    await s.create(testKey('b'), testConfigMap('b', 'x'));
    assert.deepEqual(ends, ['failed']);
    assert.equal(watch.events.length, 2);
  });
}

function crowdTests(test: Test): void {
  test('100 watchers see 500 concurrent writes in order, no gap, no repetition', async (s) => {
    const start = s.revision();
    const watches = Array.from({ length: 100 }, () => recordWatch(s, '/registry/'));
    const writer = async (w: number) => {
      for (let i = 0; i < 50; i++) {
        await s.guaranteedUpdate(testKey(`k${w}`), () => testConfigMap('a', `${w}.${i}`));
        if (i % 10 === 0) watches.push(recordWatch(s, '/registry/', start));
      }
    };
    await Promise.all(Array.from({ length: 10 }, (_, w) => writer(w)));
    const expected = Array.from({ length: 500 }, (_, i) => start + 1 + i);
    for (const watch of watches) {
      await caughtUp(watch, s.revision());
      assert.deepEqual(
        watch.events.map((e) => e.revision),
        expected,
      );
    }
  });
}
