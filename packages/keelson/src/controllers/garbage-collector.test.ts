import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { OwnerReference } from '@keelson/apimachinery';
import type { Event } from '@keelson/apimachinery/types/core.v1';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const controllers = ['garbage-collector-controller'];
const clusterRoles = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource: 'clusterroles',
};

type Propagation = 'Background' | 'Foreground' | 'Orphan';

/** What an object says about its owner, by the owner's name; `blocks` sets blockOwnerDeletion. */
interface Owner extends Partial<OwnerReference> {
  readonly of: string;
  readonly blocks?: boolean;
}
interface Piece {
  readonly name: string;
  readonly owners?: readonly Owner[];
  readonly finalizers?: readonly string[];
}

async function setUp(t: TestContext, others: readonly string[] = []) {
  const simulated = await simulateCluster(t, { controllers: [...controllers, ...others] });
  const maps = simulated.configMaps('default');
  const uids = new Map<string, string>();
  const references = (owners: readonly Owner[]): OwnerReference[] =>
    owners.map(({ of, blocks = false, ...rest }) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: of,
      uid: uids.get(of) ?? `00000000-0000-4000-8000-${of.padStart(12, '0')}`,
      ...(blocks && { blockOwnerDeletion: true }),
      ...rest,
    }));
  return {
    ...simulated,
    maps,
    uids,
    references,
    async make(...pieces: Piece[]) {
      for (const { name, owners = [], finalizers = [] } of pieces) {
        const ownerReferences = references(owners);
        const metadata = { name, ownerReferences, finalizers: [...finalizers] };
        const made = await maps.create({ metadata });
        uids.set(name, made.metadata.uid ?? '');
      }
      await simulated.clock.advance(1_000);
    },
    async remove(name: string, propagationPolicy?: Propagation) {
      await maps.delete(name, propagationPolicy === undefined ? {} : { propagationPolicy });
      await simulated.clock.advance(5_000);
    },
    /** What is left: `name`, `name<owner,owner` with its owners, `!` when it is being deleted. */
    async left() {
      const byUid = new Map([...uids].map(([name, uid]) => [uid, name]));
      return (await maps.list()).items
        .map(({ metadata: { name, ownerReferences = [], deletionTimestamp } }) => {
          const owners = ownerReferences.map(({ uid, name: as }) => byUid.get(uid) ?? as);
          const suffix = owners.length === 0 ? '' : `<${owners.join()}`;
          return `${name}${suffix}${deletionTimestamp === undefined ? '' : '!'}`;
        })
        .toSorted();
    },
  };
}

const hold = ['example.com/hold'];
const deletions: [
  what: string,
  pieces: Piece[],
  remove: string,
  policy: Propagation | undefined,
  left: string[],
][] = [
  [
    'dependents follow, and theirs; others stay',
    [
      { name: 'a' },
      { name: 'b', owners: [{ of: 'a' }] },
      { name: 'c', owners: [{ of: 'b' }] },
      { name: 'z' },
    ],
    'a',
    undefined,
    ['z'],
  ],
  [
    'who has another owner stays, and forgets the one that is gone',
    [{ name: 'a' }, { name: 'o' }, { name: 'b', owners: [{ of: 'a' }, { of: 'o' }] }],
    'a',
    'Background',
    ['b<o', 'o'],
  ],
  [
    'orphans stay, without an owner',
    [
      { name: 'a' },
      { name: 'b', owners: [{ of: 'a' }] },
      { name: 'c', owners: [{ of: 'a' }, { of: 'b' }] },
    ],
    'a',
    'Orphan',
    ['b', 'c<b'],
  ],
  [
    'in the foreground, dependents go first',
    [
      { name: 'a' },
      { name: 'b', owners: [{ of: 'a', blocks: true }] },
      { name: 'c', owners: [{ of: 'b', blocks: true }] },
    ],
    'a',
    'Foreground',
    [],
  ],
  [
    'in the foreground, what blocks holds the owner',
    [{ name: 'a' }, { name: 'b', owners: [{ of: 'a', blocks: true }], finalizers: hold }],
    'a',
    'Foreground',
    ['a!', 'b<a!'],
  ],
  [
    'in the foreground, what does not block does not hold the owner',
    [{ name: 'a' }, { name: 'b', owners: [{ of: 'a' }], finalizers: hold }],
    'a',
    'Foreground',
    ['b<a!'],
  ],
  [
    'in the foreground, a dependent with dependents of its own waits for them',
    [
      { name: 'a' },
      { name: 'b', owners: [{ of: 'a', blocks: true }] },
      { name: 'c', owners: [{ of: 'b', blocks: true }], finalizers: hold },
    ],
    'a',
    'Foreground',
    ['a!', 'b<a!', 'c<b!'],
  ],
  [
    'in the foreground, who has another owner is let go',
    [{ name: 'a' }, { name: 'o' }, { name: 'b', owners: [{ of: 'a', blocks: true }, { of: 'o' }] }],
    'a',
    'Foreground',
    ['b<o', 'o'],
  ],
  [
    'a finalizer of others holds the object only',
    [
      { name: 'a', finalizers: hold },
      { name: 'b', owners: [{ of: 'a' }] },
    ],
    'a',
    'Background',
    ['a!', 'b<a'],
  ],
];
for (const [what, pieces, name, policy, expected] of deletions) {
  test(`deletion: ${what}`, async (t) => {
    const { make, remove, left, warnings } = await setUp(t);
    await make(...pieces);
    assert.equal((await left()).length, pieces.length);
    await remove(name, policy);
    assert.deepEqual(await left(), expected);
    assert.deepEqual(warnings, []);
  });
}

test('a circle of owners that wait for each other ends', async (t) => {
  const { make, remove, left, maps, references } = await setUp(t);
  await make({ name: 'a' }, { name: 'b', owners: [{ of: 'a', blocks: true }] });
  const ownerReferences = references([{ of: 'b', blocks: true }]);
  await maps.patch('a', 'merge', {
    metadata: { ownerReferences: ownerReferences.map((o) => ({ ...o })) },
  });
  await remove('a', 'Foreground');
  assert.deepEqual(await left(), []);
});

test('what others watch whole is followed there', async (t) => {
  // It has an informer of ConfigMaps.
  const { make, remove, left } = await setUp(t, ['root-ca-certificate-publisher-controller']);
  await make({ name: 'a' }, { name: 'b', owners: [{ of: 'a' }] });
  assert.deepEqual(await left(), ['a', 'b<a', 'kube-root-ca.crt']);
  await remove('a');
  assert.deepEqual(await left(), ['kube-root-ca.crt']);
});

test('what was held goes on when it is let go', async (t) => {
  const { make, remove, left, maps, clock } = await setUp(t);
  await make({ name: 'a' }, { name: 'b', owners: [{ of: 'a', blocks: true }], finalizers: hold });
  await remove('a', 'Foreground');
  await maps.patch('b', 'merge', { metadata: { finalizers: null } });
  await clock.advance(5_000);
  assert.deepEqual(await left(), []);
});

const references: [what: string, owner: Owner, stays: boolean][] = [
  ['an owner that never was', { of: 'ghost' }, false],
  [
    'an owner of that name with another uid',
    { of: 'a', uid: '00000000-0000-4000-8000-00000000000f' },
    false,
  ],
  ['the uid of an owner under another name', { of: 'a', name: 'not-a' }, false],
  ['the uid of an owner under another kind', { of: 'a', kind: 'Secret' }, false],
  ['an owner that is there', { of: 'a' }, true],
  ['a kind that nobody serves', { of: 'a', apiVersion: 'example.com/v1', kind: 'Ghost' }, true],
  ['a version that nobody serves', { of: 'a', apiVersion: 'v9' }, true],
];
for (const [what, owner, stays] of references) {
  test(`reference: ${what}`, async (t) => {
    const { make, left, clock } = await setUp(t);
    await make({ name: 'a' });
    await make({ name: 'b', owners: [owner] });
    await clock.advance(10_000);
    assert.equal(
      (await left()).some((text) => text.startsWith('b')),
      stays,
    );
    assert.ok((await left()).includes('a'), 'the owner that is named wrongly is not harmed');
  });
}

test('one wrong reference does not spoil a right one', async (t) => {
  const { make, left, clock } = await setUp(t);
  await make({ name: 'a' });
  await make(
    { name: 'right', owners: [{ of: 'a' }] },
    { name: 'wrong', owners: [{ of: 'a', name: 'not-a' }] },
  );
  await clock.advance(10_000);
  assert.deepEqual(await left(), ['a', 'right<a']);
});

test('an owner in another namespace is none, and an event says so', async (t) => {
  const { make, configMaps, client, clock, references: referencesTo, namespaces } = await setUp(t);
  await namespaces.create({ metadata: { name: 'other' } });
  await make({ name: 'a' });
  const ownerReferences = referencesTo([{ of: 'a' }]);
  await configMaps('other').create({ metadata: { name: 'b', ownerReferences } });
  await clock.advance(10_000);
  assert.equal(await find(configMaps('other'), 'b'), undefined);
  assert.ok(await find(configMaps('default'), 'a'));
  const events = await client.resource<Event>(core('events')).namespace('other').list();
  assert.deepEqual(
    events.items.map(({ type, reason, message, source }) => ({ type, reason, message, source })),
    [
      {
        type: 'Warning',
        reason: 'OwnerRefInvalidNamespace',
        message: `ownerRef [v1/ConfigMap, namespace: other, name: a, uid: ${ownerReferences[0]?.uid}] does not exist in namespace "other"`,
        source: { component: 'garbage-collector-controller' },
      },
    ],
  );
});

test('objects of the cluster own objects in namespaces, but not the other way round', async (t) => {
  const { make, maps, client, clock, uids, references: referencesTo } = await setUp(t);
  const roles = client.resource(clusterRoles);
  const role = await roles.create({ metadata: { name: 'owner' }, rules: [] });
  uids.set('owner', role.metadata.uid ?? '');
  const kind = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' };
  await make({ name: 'b', owners: [{ of: 'owner', ...kind }] });
  const invalid = {
    name: 'dependent',
    ownerReferences: referencesTo([{ of: 'b' }, { of: 'ghost' }]),
  };
  await roles.create({ metadata: invalid, rules: [] });
  await clock.advance(10_000);
  assert.ok(await find(maps, 'b'));
  await roles.delete('owner');
  await clock.advance(10_000);
  assert.equal(await find(maps, 'b'), undefined);
  assert.ok(await find(roles, 'dependent'), 'what cannot be decided stays');
});

test('a change settles before it is acted on', async (t) => {
  const { make, maps, clock, left } = await setUp(t);
  await make({ name: 'a' }, { name: 'b', owners: [{ of: 'a' }] });
  await maps.delete('a');
  await clock.advance(90);
  assert.deepEqual(await left(), ['b<a']);
  await clock.advance(20);
  assert.deepEqual(await left(), []);
});
