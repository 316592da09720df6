import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeStorage } from '../testing/storage-suite.ts';
import { testConfigMap, testKey } from '../testing/test-objects.ts';
import { recordWatch } from '../testing/watch-suite.ts';
import { createMemoryStorage } from './memory-storage.ts';

describeStorage('memory', async (options) => createMemoryStorage({ ...options, freeze: true }));

describe('memory storage', () => {
  it('forks: each side goes its own way from the same state and history', async () => {
    const storage = createMemoryStorage({ freeze: true });
    for (let i = 0; i < 300; i++) await storage.create(testKey(`k${i}`), testConfigMap('a', 'x'));
    const watch = recordWatch(storage, '/registry/');
    const fork = storage.fork();
    const forkWatch = recordWatch(fork, '/registry/', 200);
    await fork.delete(testKey('k1'));
    await storage.create(testKey('only here'), testConfigMap('a', 'x'));
    assert.deepEqual([storage.count('/registry/'), fork.count('/registry/')], [301, 299]);
    assert.equal(storage.revision(), fork.revision());
    assert.deepEqual(
      watch.events.map((e) => e.type),
      ['ADDED'],
    );
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(forkWatch.events.length, fork.revision() - 200);
    assert.equal(forkWatch.events.at(-1)?.type, 'DELETED');
    assert.equal((await fork.list('/registry/', { revision: 150 })).entries.length, 149);
    await storage.close();
    await fork.create(testKey('later'), testConfigMap('a', 'x'));
  });

  it('freezes stored objects deeply when asked to', async () => {
    const storage = createMemoryStorage({ freeze: true });
    const { object } = await storage.create(testKey('a'), testConfigMap('a', 'x'));
    assert.throws(() => {
      object.metadata.name = 'b';
    }, TypeError);
    assert.throws(() => {
      (object.data as { value: string }).value = 'y';
    }, TypeError);
  });

  it('bounds its history by the bytes it holds', async () => {
    const storage = createMemoryStorage({ historyBytesMax: 1_000_000 });
    const large = 'x'.repeat(10_000);
    for (let i = 0; i < 1000; i++) {
      await storage.guaranteedUpdate(testKey('a'), () => testConfigMap('a', `${i}${large}`));
    }
    const kept = storage.revision() - storage.compactedRevision();
    assert.ok(kept >= 50 && kept <= 256, `${kept} writes are kept`);
  });
});
