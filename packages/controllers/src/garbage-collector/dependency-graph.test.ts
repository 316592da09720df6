import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectMeta, OwnerReference } from '@keelson/apimachinery';
import { createAbsentOwners } from './absent-owners.ts';
import { createDependencyGraph } from './dependency-graph.ts';
import type { ObjectReference } from './object-reference.ts';

/** `shop/a` is the ConfigMap a of shop with the uid a; `a` is a ClusterRole. */
function reference(text: string, more: Partial<ObjectReference> = {}): ObjectReference {
  const [first = '', second] = text.split('/');
  if (second === undefined)
    return {
      apiVersion: 'rbac/v1',
      kind: 'ClusterRole',
      namespace: '',
      name: first,
      uid: first,
      ...more,
    };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: first,
    name: second,
    uid: second,
    ...more,
  };
}
function owner(text: string, more: Partial<OwnerReference> = {}): OwnerReference {
  const { namespace: _namespace, ...rest } = reference(text);
  return { ...rest, ...more };
}

function setUp() {
  const log: string[] = [];
  const absent = createAbsentOwners();
  const graph = createDependencyGraph(
    {
      attemptToDelete: (uid) => log.push(`delete? ${uid}`),
      attemptToOrphan: (uid) => log.push(`orphan? ${uid}`),
      reportInvalidOwner: (node, uid) => log.push(`invalid ${node.identity.name} -> ${uid}`),
    },
    absent,
  );
  const see = (text: string, owners: OwnerReference[] = [], meta: ObjectMeta = {}) =>
    graph.observe(reference(text), { ...meta, ownerReferences: owners });
  return { graph, absent, see, takeLog: () => log.splice(0) };
}

test('an owner that is there is nothing to look at', () => {
  const { see, takeLog, graph } = setUp();
  see('shop/a');
  see('shop/b', [owner('shop/a')]);
  see('shop/b', [owner('shop/a')], { labels: { x: 'y' } });
  assert.deepEqual(takeLog(), []);
  assert.deepEqual(
    [...(graph.get('a')?.dependents ?? [])].map((n) => n.identity.name),
    ['b'],
  );
});

test('an owner that was not seen is virtual until it is, or until it is known to be absent', () => {
  const { see, takeLog, graph, absent } = setUp();
  see('shop/b', [owner('shop/a')]);
  assert.deepEqual(takeLog(), ['delete? a']);
  assert.equal(graph.get('a')?.isVirtual, true);
  see('shop/a');
  assert.equal(graph.get('a')?.isVirtual, false);
  assert.deepEqual(takeLog(), []);

  see('shop/d', [owner('shop/c')]);
  takeLog();
  graph.removeAbsent(reference('shop/c'));
  assert.equal(graph.get('c'), undefined);
  assert.deepEqual(takeLog(), ['delete? d']);
  assert.ok(absent.has(reference('shop/c')));
});

test('when an owner goes, its dependents are looked at, and owners that wait for it', () => {
  const { see, takeLog, graph, absent } = setUp();
  see('shop/a');
  see('shop/b', [owner('shop/a', { blockOwnerDeletion: true })]);
  see('shop/c', [owner('shop/b')]);
  see('shop/a', [], { deletionTimestamp: 'T', finalizers: ['foregroundDeletion'] });
  assert.deepEqual(takeLog(), ['delete? b', 'delete? a']);
  graph.remove('b');
  assert.deepEqual(takeLog(), ['delete? c', 'delete? a']);
  assert.ok(absent.has(reference('shop/b')));
  graph.remove('unknown');
  assert.deepEqual(takeLog(), []);
});

test('an owner that is no longer blocked is looked at', () => {
  const { see, takeLog } = setUp();
  see('shop/a');
  see('shop/o');
  const blocking = [owner('shop/a', { blockOwnerDeletion: true }), owner('shop/o')];
  see('shop/b', blocking);
  see('shop/b', [owner('shop/a'), owner('shop/o')]);
  assert.deepEqual(takeLog(), ['delete? a']);
  see('shop/b', blocking);
  see('shop/b', [owner('shop/o')]);
  assert.deepEqual(takeLog(), ['delete? a']);
  // One that never blocked is no news.
  see('shop/b', []);
  assert.deepEqual(takeLog(), []);
});

const deletions: [finalizers: string[], isDeleted: boolean, log: string[]][] = [
  [['orphan'], true, ['orphan? a']],
  [['foregroundDeletion'], true, ['delete? b', 'delete? a']],
  [['example.com/hold'], true, []],
  [['orphan', 'foregroundDeletion'], false, []],
];
test('finalizers mean something only once the object is deleted', () => {
  for (const [finalizers, isDeleted, log] of deletions) {
    const { see, takeLog } = setUp();
    see('shop/a');
    see('shop/b', [owner('shop/a')]);
    see('shop/a', [], { finalizers, ...(isDeleted && { deletionTimestamp: 'T' }) });
    assert.deepEqual(takeLog(), log, finalizers.join());
  }
});

const doubts: [what: string, owner: OwnerReference, seenAs: string, log: string[]][] = [
  ['another name', owner('shop/a', { name: 'z' }), 'shop/a', ['delete? b']],
  ['another kind', owner('shop/a', { kind: 'Secret' }), 'shop/a', ['delete? b']],
  ['another version', owner('shop/a', { apiVersion: 'v9' }), 'shop/a', ['delete? b']],
  ['another namespace', owner('shop/a'), 'other/a', ['invalid b -> a', 'delete? b']],
  ['the cluster', owner('a'), 'a', []],
];
test('dependents that are wrong about their owner are looked at', () => {
  for (const [what, reference_, seenAs, log] of doubts) {
    const before = setUp();
    before.see(seenAs);
    before.see('shop/b', [reference_]);
    assert.deepEqual(before.takeLog(), log, `${what}, owner first`);

    const after = setUp();
    after.see('shop/b', [reference_]);
    assert.deepEqual(after.takeLog(), ['delete? a'], `${what}, dependent first`);
    after.see(seenAs);
    assert.deepEqual(after.takeLog(), log, `${what}, then the owner`);
  }
});

test('of several wrong owners one is reported', () => {
  const { see, takeLog } = setUp();
  see('other/a');
  see('other/c');
  see('shop/b', [owner('other/a'), owner('other/c')]);
  assert.deepEqual(takeLog(), ['invalid b -> a', 'delete? b']);
});

test('an owner that only an object of the cluster knows may be in a namespace', () => {
  const { see, takeLog } = setUp();
  see('b', [owner('a')]);
  assert.deepEqual(takeLog(), ['delete? a']);
  see('shop/d', [owner('a')]);
  assert.deepEqual(takeLog(), ['delete? d']);
  see('a');
  assert.deepEqual(takeLog(), []);
  see('shop/e', [owner('a')]);
  assert.deepEqual(takeLog(), []);
});

test('a reference that is refuted leaves those who never believed in it alone', () => {
  const { see, takeLog, graph, absent } = setUp();
  // Two names for one uid: only one can be right, and nobody knows which.
  see('shop/b', [owner('shop/a', { name: 'wrong' })]);
  see('shop/c', [owner('shop/a')]);
  takeLog();
  const wrong = reference('shop/a', { name: 'wrong' });
  graph.removeAbsent(wrong);
  assert.deepEqual(takeLog(), ['delete? b']);
  assert.ok(absent.has(wrong));
  assert.ok(!absent.has(reference('shop/a')));
  // The other name is to be asked for next.
  assert.equal(graph.get('a')?.isVirtual, true);
  assert.equal(graph.get('a')?.identity.name, 'a');
});

test('a wrong reference does not remove an object that was seen', () => {
  const { see, takeLog, graph } = setUp();
  see('shop/a');
  see('other/b', [owner('shop/a')]);
  takeLog();
  graph.removeAbsent(reference('other/a'));
  assert.equal(graph.get('a')?.isVirtual, false);
  assert.deepEqual(takeLog(), ['delete? b']);
});

test('absent owners are bounded', () => {
  const absent = createAbsentOwners();
  for (let i = 0; i < 600; i++) absent.add(reference(`shop/${i}`));
  assert.ok(!absent.has(reference('shop/99')));
  assert.ok(absent.has(reference('shop/100')));
  assert.ok(absent.has(reference('shop/599')));
});
