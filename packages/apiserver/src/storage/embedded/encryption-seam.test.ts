import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '@keelson/apimachinery';
import type { Storage } from '../storage.ts';
import { describeStorage, withCode } from '../testing/storage-suite.ts';
import type { StorageSuiteOptions } from '../testing/storage-suite.ts';
import { temporaryDirectories } from '../testing/temporary-directory.ts';
import { testConfigMap, testKey } from '../testing/test-objects.ts';
import { openEmbeddedStorage } from './open.ts';
import type { ValueTransformer } from './value-transformer.ts';

const newDirectory = temporaryDirectories();

/** A cipher for tests only: a version byte, the key's length, and every byte shifted. */
function createShiftTransformer(
  shift: number,
  readable: readonly number[] = [shift],
): ValueTransformer {
  return {
    ready: () => undefined,
    toStored(value, key) {
      return Uint8Array.of(shift, key.length & 0xff, ...value.map((byte) => byte + shift));
    },
    fromStored(stored, key) {
      const [version = 0, length = 0, ...rest] = stored;
      if (!readable.includes(version)) throw new Error(`no key ${version}`);
      if (length !== (key.length & 0xff)) throw new Error('the value is of another key');
      const value = Uint8Array.from(rest, (byte) => byte - version);
      return Promise.resolve({ value, isStale: version !== shift });
    },
  };
}

function open(
  dir: string,
  transformer: ValueTransformer,
  options: StorageSuiteOptions = {},
): Promise<Storage> {
  return openEmbeddedStorage({ dir, clock: systemClock, transformer, ...options });
}

describeStorage(
  'embedded, encrypted',
  (options) => open(newDirectory(), createShiftTransformer(7), options),
  5,
);

describe('value transformer', () => {
  it('stands between the bytes and the disk', async () => {
    const dir = newDirectory();
    const first = await open(dir, createShiftTransformer(3));
    await first.create(testKey('a'), testConfigMap('a', 'a-very-secret-value'));
    await first.close();
    assert.equal(readFileSync(join(dir, 'keelson.db')).includes('a-very-secret-value'), false);
    const second = await open(dir, createShiftTransformer(3));
    const entry = await second.get(testKey('a'));
    assert.deepEqual(entry?.object.data, { value: 'a-very-secret-value' });
    await second.close();
  });

  it('rewrites a stale value with an update that changes nothing, once', async () => {
    const dir = newDirectory();
    const first = await open(dir, createShiftTransformer(3));
    await first.create(testKey('a'), testConfigMap('a', 'x'));
    await first.close();
    const second = await open(dir, createShiftTransformer(4, [3, 4]));
    for (let i = 0; i < 3; i++) {
      await second.guaranteedUpdate(testKey('a'), () => testConfigMap('a', 'x'));
    }
    assert.equal(second.revision(), first.revision() + 1);
    await second.compact(second.revision());
    await second.close();
    const third = await open(dir, createShiftTransformer(4));
    assert.deepEqual((await third.get(testKey('a')))?.object.data, { value: 'x' });
    await third.close();
  });

  it('makes only the object unreadable that it cannot open', async () => {
    const dir = newDirectory();
    const first = await open(dir, createShiftTransformer(3));
    await first.create(testKey('old'), testConfigMap('old', 'x'));
    await first.close();
    const second = await open(dir, createShiftTransformer(4));
    await second.create(testKey('new'), testConfigMap('new', 'x'));
    const { entries } = await second.list('/registry/');
    assert.equal(entries[0]?.object.metadata.name, 'new');
    assert.throws(() => entries[1]?.object, withCode('corrupt'));
    await assert.rejects(second.delete(testKey('old')), withCode('corrupt'));
    await second.close();
  });

  const refusals: [string, Partial<ValueTransformer>][] = [
    ['it is not ready', { ready: () => Promise.reject(new Error('key service is away')) }],
    [
      'it throws',
      {
        toStored: () => {
          throw new Error('key service is away');
        },
      },
    ],
  ];
  for (const [title, broken] of refusals) {
    it(`refuses a write when ${title}, and only that`, async () => {
      const transformer = createShiftTransformer(3);
      const isSecret = (key: string) => key.endsWith('secret');
      const storage = await open(newDirectory(), {
        ...transformer,
        ready: (key) => (isSecret(key) && broken.ready?.(key)) || undefined,
        toStored: (value, key) =>
          ((isSecret(key) && broken.toStored) || transformer.toStored)(value, key),
      });
      const before = storage.revision();
      const refused = storage.create(testKey('secret'), testConfigMap('secret', 'x'));
      const other = storage.create(testKey('other'), testConfigMap('other', 'x'));
      await assert.rejects(refused, /key service is away/);
      assert.equal((await other).revision, before + 1);
      assert.equal(storage.revision(), before + 1);
      await storage.close();
    });
  }
});
