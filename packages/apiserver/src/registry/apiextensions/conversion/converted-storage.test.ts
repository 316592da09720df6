import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { createMemoryStorage } from '../../../storage/index.ts';
import { testConfigMap, testKey } from '../../../storage/testing/test-objects.ts';
import { createConvertedStorage, type ServedForm } from './converted-storage.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const renamed = (object: KubeObject, apiVersion: string): KubeObject => ({ ...object, apiVersion });

/** Served as `v1`, stored as `v9`. */
function form(change: Partial<ServedForm> = {}): ServedForm {
  return {
    apiVersion: 'v1',
    settledAfter: 0,
    isOnlyVersion: false,
    settle: () => {},
    toServed: async (objects) => objects.map((object) => renamed(object, 'v1')),
    toStored: async (object) => renamed(object, 'v9'),
    retired: new AbortController().signal,
    ...change,
  };
}

describe('converted storage', () => {
  it('delivers events in order, however long each conversion takes', async () => {
    const base = createMemoryStorage();
    const waits = [5, 0, 3, 0];
    const storage = createConvertedStorage(
      base,
      form({
        async toServed(objects) {
          for (let turns = waits.shift() ?? 0; turns > 0; turns--) await turn();
          return objects.map((object) => renamed(object, 'v1'));
        },
      }),
    );
    const seen: string[] = [];
    const stop = new AbortController();
    storage.watch('/registry/', {
      signal: stop.signal,
      onEvents: (events) => seen.push(...events.map(({ entry }) => entry.key)),
      onEnd: () => {},
    });
    const keys = ['a', 'b', 'c', 'd'].map((name) => testKey(name));
    for (const key of keys) await base.create(key, renamed(testConfigMap('a', 'x'), 'v9'));
    while (seen.length < keys.length) await turn();
    assert.deepEqual(seen, keys);
    stop.abort();
  });

  it('converts an entry once for all who read it, and again after a failure', async () => {
    const base = createMemoryStorage();
    let calls = 0;
    const storage = createConvertedStorage(
      base,
      form({
        async toServed(objects) {
          if (++calls === 1) throw new Error('no');
          return objects.map((object) => renamed(object, 'v1'));
        },
      }),
    );
    await base.create(testKey('a'), renamed(testConfigMap('a', 'x'), 'v9'));
    await assert.rejects(storage.get(testKey('a')), /no/);
    const reads = [
      storage.get(testKey('a')),
      storage.list('/registry/'),
      storage.get(testKey('a')),
    ];
    await Promise.all(reads);
    assert.equal((await storage.get(testKey('a')))?.object.apiVersion, 'v1');
    assert.equal(calls, 2);
  });

  it('ends a watch whose events cannot be converted, and says why', async () => {
    const base = createMemoryStorage();
    const toServed = () => Promise.reject(new Error('the webhook is broken'));
    const storage = createConvertedStorage(base, form({ toServed }));
    const ended = new Promise<string>((resolve) =>
      storage.watch('/registry/', {
        signal: new AbortController().signal,
        onEvents: () => assert.fail('an event was delivered'),
        onEnd: (error) => resolve(`${error.code}: ${error.message}`),
      }),
    );
    await base.create(testKey('a'), renamed(testConfigMap('a', 'x'), 'v9'));
    await base.create(testKey('b'), renamed(testConfigMap('a', 'x'), 'v9'));
    assert.equal(await ended, 'failed: the webhook is broken');
  });

  it('ends watches when it is retired, and leaves the others alone', async () => {
    const base = createMemoryStorage();
    const retired = new AbortController();
    const ends: string[] = [];
    for (const isOnlyVersion of [true, false]) {
      const storage = createConvertedStorage(
        base,
        form({ retired: retired.signal, isOnlyVersion }),
      );
      for (const [name, stop] of [
        ['going on', new AbortController()],
        ['stopped', new AbortController()],
      ] as const) {
        storage.watch('/registry/', {
          signal: stop.signal,
          onEvents: () => ends.push('event'),
          onEnd: ({ code }) => ends.push(`${name}: ${code}`),
        });
        if (name === 'stopped') stop.abort();
      }
    }
    retired.abort();
    await base.create(testKey('a'), testConfigMap('a', 'x'));
    assert.deepEqual(ends, ['going on: closed', 'going on: closed']);
  });

  it('settles what was written before the schema changed, and nothing else', async () => {
    const base = createMemoryStorage();
    const old = await base.create(testKey('a'), testConfigMap('a', 'x'));
    const settled: string[] = [];
    const storage = createConvertedStorage(
      base,
      form({
        settledAfter: old.revision,
        toStored: async (object) => object,
        settle(object) {
          settled.push(object.metadata.resourceVersion ?? '');
          object['added'] = true;
        },
      }),
    );
    await storage.create(testKey('b'), testConfigMap('b', 'x'));
    for (let i = 0; i < 2; i++) {
      const { entries } = await storage.list('/registry/');
      assert.deepEqual(
        entries.map(({ object }) => object['added']),
        [true, undefined],
      );
    }
    assert.deepEqual(settled, [String(old.revision)]);
    assert.equal(old.object['added'], undefined);
  });

  it('writes in the stored version what is written back unchanged', async () => {
    const base = createMemoryStorage();
    await base.create(testKey('a'), renamed(testConfigMap('a', 'x'), 'v2'));
    const storage = createConvertedStorage(base, form());
    await storage.guaranteedUpdate(testKey('a'), (current) => ({
      ...(current?.object as KubeObject),
    }));
    assert.equal((await base.get(testKey('a')))?.object.apiVersion, 'v9');
  });
});
