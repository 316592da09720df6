// A store against the most naive model there is: random operations, and after each of them the
// same answers; at the end every revision lists as it was and every watch saw every write.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import fc from 'fast-check';
import { isStorageError } from '../storage.ts';
import type { Storage } from '../storage.ts';
import type { CreateStorage } from './storage-suite.ts';
import { testConfigMap } from './test-objects.ts';
import { recordWatch } from './watch-suite.ts';

type Operation =
  | { readonly op: 'create' | 'update'; readonly key: string; readonly value: string }
  | { readonly op: 'delete' | 'remove'; readonly key: string }
  | { readonly op: 'compact'; readonly back: number }
  | { readonly op: 'list'; readonly prefix: string; readonly back: number; readonly limit: number };

/** Values by key, one map per revision. */
type Model = Map<number, Map<string, string>>;

const prefixes = ['/r/', '/r/a/', '/r/a', '/r/ab/', '/r/é/', '/q/'];
const keys = fc
  .tuple(
    fc.constantFrom('/r/a/', '/r/ab/', '/r/a-/', '/r/é/', '/r/'),
    fc.constantFrom('x', 'y', 'xx', 'x.y', 'x-y', 'ÿ', '\ue000', '😀'),
  )
  .map(([directory, name]) => directory + name);
const values = fc.constantFrom('1', '2', '3');
const small = fc.nat({ max: 40 });
const operations: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant('create'), key: keys, value: values }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('update'), key: keys, value: values }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('delete'), key: keys }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('remove'), key: keys }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('compact'), back: small }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('list'),
      prefix: fc.constantFrom(...prefixes),
      back: small,
      limit: fc.nat({ max: 4 }),
    }),
  },
) as fc.Arbitrary<Operation>;

export function describeAgainstModel(create: CreateStorage, numRuns: number): void {
  describe('against a naive model', () => {
    it('answers as the model does', async () => {
      const property = fc.asyncProperty(
        fc.array(operations, { minLength: 1, maxLength: 120 }),
        async (run) => {
          const storage = await create();
          try {
            await compareWithModel(storage, run);
          } finally {
            await storage.close();
          }
        },
      );
      await fc.assert(property, { numRuns });
    });
  });
}

async function compareWithModel(storage: Storage, run: readonly Operation[]): Promise<void> {
  const start = storage.revision();
  const model: Model = new Map([[start, new Map()]]);
  const watches = prefixes.map((prefix) => ({ prefix, record: recordWatch(storage, prefix) }));
  for (const operation of run) {
    await apply(storage, model, operation);
    const state = model.get(storage.revision());
    assert.ok(state, 'the revisions agree');
    for (const prefix of prefixes) {
      assert.equal(storage.count(prefix), expectedKeys(state, prefix).length);
    }
  }
  for (let revision = storage.compactedRevision(); revision <= storage.revision(); revision++) {
    await compareList(storage, model, { prefix: '/r/', revision, limit: 0 });
  }
  for (const { prefix, record } of watches) {
    assert.deepEqual(replay(record.events), Object.fromEntries(expected(model, storage, prefix)));
    const oldest = storage.compactedRevision();
    const resumed = recordWatch(storage, prefix, oldest);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      resumed.events,
      record.events.filter((e) => e.revision > oldest),
    );
  }
}

async function apply(storage: Storage, model: Model, operation: Operation): Promise<void> {
  const now = storage.revision();
  const state = new Map(model.get(now));
  switch (operation.op) {
    case 'create':
      if (await succeeds(storage.create(operation.key, objectOf(operation.value)), 'key-exists')) {
        assert.equal(state.has(operation.key), false);
        model.set(now + 1, state.set(operation.key, operation.value));
      } else assert.ok(state.has(operation.key));
      return;
    case 'update':
      await storage.guaranteedUpdate(operation.key, () => objectOf(operation.value));
      if (state.get(operation.key) === operation.value) return;
      model.set(now + 1, state.set(operation.key, operation.value));
      return;
    case 'delete': {
      const isDeleted = await succeeds(storage.delete(operation.key), 'key-not-found');
      assert.equal(isDeleted, state.delete(operation.key));
      if (isDeleted) model.set(now + 1, state);
      return;
    }
    case 'remove':
      await storage.guaranteedUpdate(operation.key, () => undefined);
      if (state.delete(operation.key)) model.set(now + 1, state);
      return;
    case 'compact':
      await storage.compact(Math.max(1, now - operation.back));
      return;
    case 'list': {
      const revision = Math.max(storage.compactedRevision(), now - operation.back);
      await compareList(storage, model, { ...operation, revision });
    }
  }
}

/** All pages of a list at a revision are the model's keys in byte order, with its values. */
async function compareList(
  storage: Storage,
  model: Model,
  list: { readonly prefix: string; readonly revision: number; readonly limit: number },
): Promise<void> {
  const state = model.get(list.revision) ?? new Map<string, string>();
  const wanted = expectedKeys(state, list.prefix);
  let seen = 0;
  let after: string | undefined;
  do {
    const { revision, limit } = list;
    const page = await storage.list(list.prefix, { revision, limit, after });
    for (const entry of page.entries) {
      assert.equal(entry.key, wanted[seen++]);
      assert.deepEqual(entry.object.data, { value: state.get(entry.key) });
    }
    assert.equal(page.remaining, wanted.length - seen);
    after = page.remaining > 0 ? page.entries.at(-1)?.key : undefined;
  } while (after !== undefined);
  assert.equal(seen, wanted.length);
}

function expected(model: Model, storage: Storage, prefix: string): [string, string][] {
  const state = model.get(storage.revision()) ?? new Map<string, string>();
  return expectedKeys(state, prefix).map((key) => [key, state.get(key) ?? '']);
}

function expectedKeys(state: ReadonlyMap<string, string>, prefix: string): string[] {
  const directory = prefix.endsWith('/') ? prefix : `${prefix}/`;
  return [...state.keys()]
    .filter((key) => key.startsWith(directory))
    .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** The state that a watcher knows. */
function replay(events: ReturnType<typeof recordWatch>['events']): Record<string, string> {
  const state: Record<string, string> = {};
  for (const { type, entry, previous } of events) {
    assert.equal(previous !== undefined, type !== 'ADDED');
    assert.equal(type === 'ADDED', state[entry.key] === undefined);
    if (type === 'DELETED') delete state[entry.key];
    else state[entry.key] = (entry.object.data as { value: string }).value;
  }
  return state;
}

function objectOf(value: string): KubeObject {
  return testConfigMap('a', value);
}

async function succeeds(write: Promise<unknown>, refusal: 'key-exists' | 'key-not-found') {
  try {
    await write;
    return true;
  } catch (error) {
    if (!isStorageError(error, refusal)) throw error;
    return false;
  }
}
