// The contract of `Storage` as tests. A backend is finished when it passes
// `describeStorage(name, create)`; every promise of `storage.ts` has a row here or in the two files
// this one runs: `watch-suite.ts` and `model-suite.ts`.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isStorageError } from '../storage.ts';
import type { Storage, StorageErrorCode, StoredEntry } from '../storage.ts';
import { describeAgainstModel } from './model-suite.ts';
import { testConfigMap, testKey } from './test-objects.ts';
import { describeWatches } from './watch-suite.ts';

export interface StorageSuiteOptions {
  /** Bound on the history, when a test needs a short one. */
  readonly historyEventsMax?: number;
}
/** Makes a new, empty store; the suite closes it. */
export type CreateStorage = (options?: StorageSuiteOptions) => Promise<Storage>;

/** Rejects or throws with a StorageError of this code. */
export function withCode(code: StorageErrorCode): (error: unknown) => boolean {
  return (error) => isStorageError(error, code);
}

/** `modelRuns`: how many random histories are compared with the model; each opens a store. */
export function describeStorage(name: string, create: CreateStorage, modelRuns = 60): void {
  const test = (title: string, body: (storage: Storage) => Promise<void>) =>
    it(title, async () => {
      const storage = await create();
      try {
        await body(storage);
      } finally {
        await storage.close();
      }
    });
  describe(`storage contract: ${name}`, () => {
    describe('create and get', () => createTests(test));
    describe('encodings', () => encodingTests(test));
    describe('guaranteedUpdate', () => updateTests(test));
    describe('guaranteedUpdate under contention', () => contentionTests(test));
    describe('delete', () => deleteTests(test));
    describe('list and count', () => listTests(test));
    describe('history', () => historyTests(test, create));
    describe('close', () => closeTests(create));
    describeWatches(create);
    describeAgainstModel(create, modelRuns);
  });
}

type Test = (title: string, body: (storage: Storage) => Promise<void>) => void;

function createTests(test: Test): void {
  test('starts at a revision of at least 1, with nothing in it', async (s) => {
    assert.ok(s.revision() >= 1);
    assert.equal(s.count('/registry/'), 0);
    assert.equal(await s.get(testKey('a')), undefined);
  });
  test('create stores under the next revision and sets resourceVersion on a copy', async (s) => {
    const before = s.revision();
    const given = testConfigMap('a', 'one');
    const entry = await s.create(testKey('a'), given);
    assert.equal(entry.revision, before + 1);
    assert.equal(s.revision(), before + 1);
    assert.equal(entry.object.metadata.resourceVersion, String(before + 1));
    assert.equal(given.metadata.resourceVersion, undefined);
    assert.deepEqual((await s.get(testKey('a')))?.object, entry.object);
  });
  test('create replaces a resourceVersion that the object brings', async (s) => {
    const object = testConfigMap('a', 'one');
    object.metadata.resourceVersion = '999';
    const entry = await s.create(testKey('a'), object);
    assert.equal(entry.object.metadata.resourceVersion, String(entry.revision));
  });
  test('create rejects with key-exists and uses up no revision', async (s) => {
    const entry = await s.create(testKey('a'), testConfigMap('a', 'one'));
    const again = s.create(testKey('a'), testConfigMap('a', 'two'));
    await assert.rejects(again, withCode('key-exists'));
    assert.equal(s.revision(), entry.revision);
    assert.deepEqual((await s.get(testKey('a')))?.object.data, { value: 'one' });
  });
  test('of many concurrent creates of one key exactly one wins', async (s) => {
    const creates = Array.from({ length: 20 }, (_, i) =>
      s.create(testKey('a'), testConfigMap('a', String(i))),
    );
    const outcomes = await Promise.allSettled(creates);
    assert.equal(outcomes.filter((o) => o.status === 'fulfilled').length, 1);
    for (const o of outcomes) {
      if (o.status === 'rejected') assert.ok(isStorageError(o.reason, 'key-exists'));
    }
  });
  test('an object that JSON cannot hold is refused and nothing is written', async (s) => {
    const before = s.revision();
    const object = testConfigMap('a', 'one');
    object['self'] = object;
    await assert.rejects(s.create(testKey('a'), object), TypeError);
    assert.equal(s.revision(), before);
    assert.equal(await s.get(testKey('a')), undefined);
    await s.create(testKey('a'), testConfigMap('a', 'one'));
  });
}

function encodingTests(test: Test): void {
  test('keeps integers of 64 bits exact', async (s) => {
    const object = testConfigMap('a', 'one');
    object['count'] = 9007199254740993n;
    const entry = await s.create(testKey('a'), object);
    const stored = entry.encoding('json:v1', () => assert.fail('made the stored form'));
    assert.match(Buffer.from(stored).toString(), /"count":9007199254740993[,}]/);
    assert.equal((await s.get(testKey('a')))?.object['count'], 9007199254740993n);
    await s.guaranteedUpdate(testKey('a'), () => ({ ...object }));
    assert.equal(s.revision(), entry.revision);
  });
  test('encoding: the stored form is the wire JSON; others are made once', async (s) => {
    const entry = await s.create(testKey('a'), testConfigMap('a', 'one'));
    const stored = entry.encoding('json:v1', () => assert.fail('made the stored form'));
    assert.deepEqual(JSON.parse(new TextDecoder().decode(stored)), entry.object);
    let made = 0;
    const make = () => new Uint8Array([++made]);
    assert.deepEqual(entry.encoding('json:v2', make), new Uint8Array([1]));
    assert.deepEqual(entry.encoding('json:v2', make), new Uint8Array([1]));
    const same = await s.get(testKey('a'));
    assert.deepEqual(same?.encoding('json:v2', make), new Uint8Array([1]));
    assert.deepEqual(entry.encoding('protobuf:v1', make), new Uint8Array([2]));
  });
}

function updateTests(test: Test): void {
  test('creates when the key is absent and the update returns an object', async (s) => {
    const entry = await s.guaranteedUpdate(testKey('a'), (current) => {
      assert.equal(current, undefined);
      return testConfigMap('a', 'one');
    });
    assert.equal(entry?.revision, s.revision());
    assert.deepEqual((await s.get(testKey('a')))?.object.data, { value: 'one' });
  });
  test('replaces what is there at a new revision', async (s) => {
    const first = await s.create(testKey('a'), testConfigMap('a', 'one'));
    const entry = await s.guaranteedUpdate(testKey('a'), async (current) => {
      assert.equal(current?.revision, first.revision);
      return testConfigMap('a', 'two');
    });
    assert.equal(entry?.revision, first.revision + 1);
    assert.equal(entry?.object.metadata.resourceVersion, String(first.revision + 1));
    assert.equal(first.object.metadata.resourceVersion, String(first.revision));
    assert.deepEqual(first.object.data, { value: 'one' });
  });
  test('writes nothing for the same object, an equal one, or absent to absent', async (s) => {
    const first = await s.create(testKey('a'), testConfigMap('a', 'one'));
    const events: unknown[] = [];
    watchInto(s, events);
    const same = await s.guaranteedUpdate(testKey('a'), (current) => current?.object);
    assert.equal(same?.revision, first.revision);
    const equal = await s.guaranteedUpdate(testKey('a'), () => testConfigMap('a', 'one'));
    assert.equal(equal?.revision, first.revision);
    const absent = await s.guaranteedUpdate(testKey('b'), () => undefined);
    assert.equal(absent, undefined);
    assert.equal(s.revision(), first.revision);
    assert.deepEqual(events, []);
  });
  test('deletes when the update returns undefined, and resolves with undefined', async (s) => {
    const first = await s.create(testKey('a'), testConfigMap('a', 'one'));
    assert.equal(await s.guaranteedUpdate(testKey('a'), () => undefined), undefined);
    assert.equal(s.revision(), first.revision + 1);
    assert.equal(await s.get(testKey('a')), undefined);
  });
}

function contentionTests(test: Test): void {
  test('passes on what the update throws, and writes nothing', async (s) => {
    await s.create(testKey('a'), testConfigMap('a', 'one'));
    const before = s.revision();
    const refusal = new Error('refused');
    const throwing = s.guaranteedUpdate(testKey('a'), () => {
      throw refusal;
    });
    await assert.rejects(throwing, refusal);
    await assert.rejects(
      s.guaranteedUpdate(testKey('a'), () => Promise.reject(refusal)),
      refusal,
    );
    assert.equal(s.revision(), before);
  });
  test('calls the update again when another write came between', async (s) => {
    await s.create(testKey('a'), testConfigMap('a', 'one'));
    const seen: unknown[] = [];
    const entry = await s.guaranteedUpdate(testKey('a'), async (current) => {
      seen.push(current?.object.data);
      if (seen.length === 1) {
        await s.guaranteedUpdate(testKey('a'), () => testConfigMap('a', 'two'));
      }
      return testConfigMap('a', 'three');
    });
    assert.deepEqual(seen, [{ value: 'one' }, { value: 'two' }]);
    assert.deepEqual(entry?.object.data, { value: 'three' });
  });
  test('sees a delete that came between', async (s) => {
    await s.create(testKey('a'), testConfigMap('a', 'one'));
    const seen: (StoredEntry | undefined)[] = [];
    await s.guaranteedUpdate(testKey('a'), async (current) => {
      seen.push(current);
      if (seen.length === 1) await s.delete(testKey('a'));
      return current === undefined ? undefined : testConfigMap('a', 'two');
    });
    assert.equal(seen.length, 2);
    assert.equal(seen[1], undefined);
    assert.equal(await s.get(testKey('a')), undefined);
  });
  test('loses no increment of many concurrent writers', async (s) => {
    const increment = async (current: StoredEntry | undefined) => {
      const count = Number((current?.object.data as { value?: string })?.value ?? 0);
      await Promise.resolve();
      return testConfigMap('a', String(count + 1));
    };
    await Promise.all(
      Array.from({ length: 60 }, () => s.guaranteedUpdate(testKey('a'), increment)),
    );
    assert.deepEqual((await s.get(testKey('a')))?.object.data, { value: '60' });
  });
}

function deleteTests(test: Test): void {
  test('resolves with the last state at the revision of the deletion', async (s) => {
    const first = await s.create(testKey('a'), testConfigMap('a', 'one'));
    const last = await s.delete(testKey('a'));
    assert.equal(last.revision, first.revision + 1);
    assert.equal(last.object.metadata.resourceVersion, String(last.revision));
    assert.deepEqual(last.object.data, { value: 'one' });
    assert.equal(first.object.metadata.resourceVersion, String(first.revision));
    assert.equal(await s.get(testKey('a')), undefined);
  });
  test('rejects with key-not-found', async (s) => {
    await assert.rejects(s.delete(testKey('a')), withCode('key-not-found'));
    const preconditions = { uid: 'x', revision: 7 };
    await assert.rejects(s.delete(testKey('a'), preconditions), withCode('key-not-found'));
  });
  test('holds to its preconditions', async (s) => {
    const entry = await s.create(testKey('a'), testConfigMap('a', 'one'));
    const uid = entry.object.metadata.uid;
    const { revision } = entry;
    const stale = s.delete(testKey('a'), { uid, revision: revision - 1 });
    await assert.rejects(stale, withCode('revision-conflict'));
    await assert.rejects(s.delete(testKey('a'), { uid: 'other' }), withCode('uid-conflict'));
    assert.equal(s.revision(), revision);
    await s.delete(testKey('a'), { uid, revision });
    assert.equal(s.count('/registry/'), 0);
  });
  test('of many concurrent deletes exactly one wins', async (s) => {
    await s.create(testKey('a'), testConfigMap('a', 'one'));
    const deletes = Array.from({ length: 10 }, () => s.delete(testKey('a')));
    const outcomes = await Promise.allSettled(deletes);
    assert.equal(outcomes.filter((o) => o.status === 'fulfilled').length, 1);
  });
}

const names = (entries: readonly StoredEntry[]) => entries.map((e) => e.object.metadata.name);

function listTests(test: Test): void {
  const fill = async (s: Storage, all: readonly string[]) => {
    for (const name of all) await s.create(testKey(name), testConfigMap(name, 'x'));
  };
  test('orders by the bytes of the key, not by UTF-16 or locale', async (s) => {
    await fill(s, ['b', 'a', 'é', 'Z', '😀', '\uffee', 'a.b', 'a-b', 'aa', '10', '9']);
    const { entries, remaining } = await s.list('/registry/configmaps/');
    const expected = names(entries).toSorted((a, b) =>
      Buffer.compare(Buffer.from(a ?? ''), Buffer.from(b ?? '')),
    );
    assert.equal(entries.length, 11);
    assert.deepEqual(names(entries), expected);
    assert.equal(remaining, 0);
  });
  test('keeps to whole path segments', async (s) => {
    const of = (key: string) => s.create(key, testConfigMap('a', 'x'));
    await of('/registry/pods/a/x');
    await of('/registry/pods-more/a/x');
    await of('/registry/podsets/a/x');
    await of('/registry/pods/ab/x');
    for (const prefix of ['/registry/pods/', '/registry/pods']) {
      const { entries } = await s.list(prefix);
      assert.deepEqual(
        entries.map((e) => e.key),
        ['/registry/pods/a/x', '/registry/pods/ab/x'],
      );
      assert.equal(s.count(prefix), 2);
    }
    assert.equal(s.count('/registry/pods/a/'), 1);
    assert.equal(s.count('/registry/'), 4);
    assert.equal(s.count('/none/'), 0);
    assert.deepEqual((await s.list('/none/')).entries, []);
  });
  test('pages at one revision while writes go on', async (s) => {
    await fill(s, ['a', 'b', 'c', 'd', 'e']);
    const first = await s.list('/registry/configmaps/', { limit: 2 });
    assert.deepEqual([names(first.entries), first.remaining], [['a', 'b'], 3]);
    await s.delete(testKey('d'));
    await fill(s, ['bb', 'f']);
    const page = { revision: first.revision, limit: 2, after: first.entries[1]?.key };
    const second = await s.list('/registry/configmaps/', page);
    assert.deepEqual([names(second.entries), second.remaining], [['c', 'd'], 1]);
    assert.equal(second.revision, first.revision);
    const after = second.entries[1]?.key;
    const third = await s.list('/registry/configmaps/', { ...page, after });
    assert.deepEqual([names(third.entries), third.remaining], [['e'], 0]);
  });
  const rows: [string, { limit?: number; after?: string }, string[], number][] = [
    ['a limit of 0 is none', { limit: 0 }, ['a', 'b', 'c'], 0],
    ['a limit that just fits', { limit: 3 }, ['a', 'b', 'c'], 0],
    ['a limit beyond the end', { limit: 9 }, ['a', 'b', 'c'], 0],
    ['after a key that is not there', { after: testKey('aa'), limit: 1 }, ['b'], 1],
    ['after a key before the prefix', { after: '/a', limit: 1 }, ['a'], 2],
    ['after the last key', { after: testKey('c'), limit: 1 }, [], 0],
    ['after a key beyond the prefix', { after: '/z', limit: 1 }, [], 0],
  ];
  for (const [title, options, expected, remaining] of rows) {
    test(title, async (s) => {
      await fill(s, ['a', 'b', 'c']);
      const list = await s.list('/registry/configmaps/', options);
      assert.deepEqual([names(list.entries), list.remaining], [expected, remaining]);
    });
  }
}

function historyTests(test: Test, create: CreateStorage): void {
  test('lists every revision as it was', async (s) => {
    const values: Record<number, string> = {};
    const write = async (value: string) => {
      const entry = await s.guaranteedUpdate(testKey('a'), () => testConfigMap('a', value));
      values[entry?.revision ?? 0] = value;
    };
    await Promise.all(Array.from({ length: 400 }, (_, i) => write(String(i))));
    for (const [revision, value] of Object.entries(values)) {
      const list = await s.list('/registry/', { revision: Number(revision) });
      assert.deepEqual(list.entries[0]?.object.data, { value });
      assert.equal(list.revision, Number(revision));
    }
    const before = await s.list('/registry/', { revision: 1 });
    assert.deepEqual(before.entries, []);
  });
  test('refuses revisions that are not there yet', async (s) => {
    const list = s.list('/registry/', { revision: s.revision() + 1 });
    await assert.rejects(list, withCode('future-revision'));
  });
  test('compaction forgets what is older, and only that', async (s) => {
    for (const name of ['a', 'b', 'c', 'd'])
      await s.create(testKey(name), testConfigMap(name, 'x'));
    const now = s.revision();
    await s.compact(now - 2);
    assert.equal(s.compactedRevision(), now - 2);
    await assert.rejects(s.list('/registry/', { revision: now - 3 }), withCode('compacted'));
    const oldest = await s.list('/registry/', { revision: now - 2 });
    assert.deepEqual(names(oldest.entries), ['a', 'b']);
    await s.compact(now - 3);
    assert.equal(s.compactedRevision(), now - 2);
    await assert.rejects(s.compact(now + 1), withCode('future-revision'));
    await s.compact(now);
    assert.deepEqual(names((await s.list('/registry/')).entries), ['a', 'b', 'c', 'd']);
  });
  it('is bounded', async () => {
    const s = await create({ historyEventsMax: 200 });
    const write = (value: string) =>
      s.guaranteedUpdate(testKey('a'), () => testConfigMap('a', value));
    await Promise.all(Array.from({ length: 1000 }, (_, i) => write(String(i))));
    assert.equal(s.compactedRevision(), s.revision() - 200);
    const oldest = await s.list('/registry/', { revision: s.compactedRevision() });
    assert.deepEqual(oldest.entries[0]?.object.data, { value: '799' });
    const older = s.list('/registry/', { revision: s.compactedRevision() - 1 });
    await assert.rejects(older, withCode('compacted'));
    await s.close();
  });
}

function closeTests(create: CreateStorage): void {
  it('finishes what was begun, ends watches and refuses the rest', async () => {
    const s = await create();
    const ended: string[] = [];
    watchInto(s, [], (code) => ended.push(code));
    const begun = s.create(testKey('a'), testConfigMap('a', 'one'));
    await begun;
    const late = s.create(testKey('b'), testConfigMap('b', 'one'));
    await Promise.all([s.close(), late]);
    await s.close();
    assert.deepEqual(ended, ['closed']);
    const calls: (() => Promise<unknown>)[] = [
      () => s.get(testKey('a')),
      () => s.create(testKey('c'), testConfigMap('c', 'x')),
      () => s.guaranteedUpdate(testKey('a'), () => testConfigMap('a', 'two')),
      () => s.delete(testKey('a')),
      () => s.list('/registry/'),
      () => s.compact(1),
    ];
    for (const call of calls) await assert.rejects(call, withCode('closed'));
    assert.throws(() => s.count('/registry/'), withCode('closed'));
    assert.throws(() => watchInto(s, []), withCode('closed'));
  });
}

function watchInto(s: Storage, events: unknown[], onEnd: (code: string) => void = () => {}): void {
  s.watch('/registry/', {
    signal: new AbortController().signal,
    onEvents: (batch) => events.push(...batch),
    onEnd: (error) => onEnd(error.code),
  });
}
