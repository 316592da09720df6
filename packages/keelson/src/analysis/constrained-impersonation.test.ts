import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { describeIdentity, readRbacState, whoCan, type AccessQuestion } from '@keelson/advisor';
import { isStatusError, type JsonObject, type KubeObject } from '@keelson/apimachinery';
import type { Cluster } from '../create-cluster.ts';
import { bind, role } from '../testing/rbac-objects.ts';
import { openOfflineCluster } from './offline-cluster.ts';

const authentication = 'authentication.k8s.io';
const rbac = 'rbac.authorization.k8s.io';
const mayBe = (mode: string, resource: string, ...resourceNames: string[]) => ({
  apiGroups: [authentication],
  resources: [resource],
  verbs: [`impersonate:${mode}`],
  resourceNames,
});
const mayDo = (mode: string, verb: string, resource: string, group = '') => ({
  apiGroups: [group],
  resources: [resource],
  verbs: [`impersonate-on:${mode}:${verb}`],
});

/** `ann` may delete Secrets of `shop`, as may the account `shop/boss` and the group `ops`. */
describe('acting as another within bounds leads', () => {
  const deleting = { apiGroups: [''], resources: ['secrets'], verbs: ['delete'] };
  const rows: [what: string, rules: object[], path: string | undefined][] = [
    [
      'as a user',
      [mayBe('user-info', 'users', 'ann'), mayDo('user-info', 'delete', 'secrets')],
      'acts as User ann (user-info)',
    ],
    [
      'as an account',
      [
        mayBe('serviceaccount', 'serviceaccounts', 'boss'),
        mayDo('serviceaccount', 'delete', 'secrets'),
      ],
      'acts as ServiceAccount shop/boss (serviceaccount)',
    ],
    [
      'as a group, with any user',
      [
        mayBe('user-info', 'users', 'somebody'),
        mayBe('user-info', 'groups', 'ops'),
        mayDo('user-info', 'delete', 'secrets'),
      ],
      'acts as Group ops (user-info)',
    ],
    [
      'as one who may give away what they hold',
      [mayBe('user-info', 'users', 'ann'), mayDo('user-info', 'create', 'rolebindings', rbac)],
      'acts as User ann (user-info) and binds ClusterRole deleting to themselves',
    ],
    [
      'nowhere for another verb',
      [mayBe('user-info', 'users', 'ann'), mayDo('user-info', 'get', 'secrets')],
      undefined,
    ],
    [
      'nowhere for another resource',
      [mayBe('user-info', 'users', 'ann'), mayDo('user-info', 'delete', 'configmaps')],
      undefined,
    ],
    ['nowhere without a right to be somebody', [mayDo('user-info', 'delete', '*')], undefined],
    ['nowhere without a right to do something', [mayBe('user-info', 'users', 'ann')], undefined],
    [
      'nowhere as another user',
      [mayBe('user-info', 'users', 'bob'), mayDo('user-info', 'delete', 'secrets')],
      undefined,
    ],
    [
      'nowhere in another mode',
      [mayBe('user-info', 'users', 'ann'), mayDo('serviceaccount', 'delete', 'secrets')],
      undefined,
    ],
    [
      'nowhere as an account by the right to be users',
      [mayBe('user-info', 'users'), mayDo('user-info', 'delete', 'secrets')].map((rule) =>
        'resourceNames' in rule
          ? { ...rule, resourceNames: ['system:serviceaccount:shop:boss'] }
          : rule,
      ),
      undefined,
    ],
    [
      'nowhere as a group without a user',
      [mayBe('user-info', 'groups', 'ops'), mayDo('user-info', 'delete', 'secrets')],
      undefined,
    ],
  ];
  const world = (rules: object[]) =>
    [
      role('', 'deleting', deleting),
      role('', 'granting', { apiGroups: [rbac], resources: ['rolebindings'], verbs: ['create'] }),
      bind('shop', 'granters', 'ClusterRole/granting', 'User=ann'),
      bind('shop', 'deleters', 'ClusterRole/deleting', 'User=ann', 'Group=ops'),
      bind('shop', 'boss', 'ClusterRole/deleting', 'ServiceAccount=shop/boss'),
      role('', 'tested', ...rules),
      bind('', 'tested', 'ClusterRole/tested', 'User=eve'),
    ] as unknown as KubeObject[];
  const question = { verb: 'delete', group: '', resource: 'secrets', namespace: 'shop', name: '' };
  for (const [what, rules, path] of rows)
    it(what, () => {
      const holderIn = (constrainedImpersonation: boolean) =>
        whoCan(readRbacState(world(rules), { constrainedImpersonation }), question).find(
          ({ identity }) => identity.name === 'eve',
        );
      assert.equal(holderIn(true)?.path.at(-1)?.how, path);
      assert.equal(holderIn(false), undefined, 'without the gate the verbs mean nothing');
    });

  it('nodes, which accounts that run there may be, too', () => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
    const doing = (mode: string) => mayDo(mode, 'delete', 'secrets');
    const found = (subject: string, ...rules: object[]) => {
      const objects = [
        ...(world([]) as unknown as JsonObject[]),
        node,
        bind('shop', 'nodes', 'ClusterRole/deleting', 'Group=system:nodes'),
        role('', 'on-nodes', ...rules),
        bind('', 'on-nodes', 'ClusterRole/on-nodes', subject),
      ] as unknown as KubeObject[];
      return whoCan(readRbacState(objects), question).flatMap(({ identity, path }) => {
        const how = path.at(-1)?.how ?? '';
        return how.startsWith('acts as') ? [`${describeIdentity(identity)} ${how}`] : [];
      });
    };
    const arbitrary = [mayBe('arbitrary-node', 'nodes', 'n1'), doing('arbitrary-node')];
    const associated = [mayBe('associated-node', 'nodes'), doing('associated-node')];
    const named = [mayBe('associated-node', 'nodes', 'n1'), doing('associated-node')];
    const account = 'ServiceAccount=shop/agent';
    const asNode = (who: string, mode: string) => [`${who} acts as User system:node:n1 (${mode})`];
    assert.deepEqual(found('User=eve', ...arbitrary), asNode('User eve', 'arbitrary-node'));
    assert.deepEqual(
      found(account, ...associated),
      asNode('ServiceAccount shop/agent', 'associated-node'),
    );
    assert.deepEqual(found('User=eve', ...associated), []);
    assert.deepEqual(found(account, ...named), []);
  });
});

describe('what can be done as another', () => {
  const some = <T>(...values: T[]) => fc.subarray(values, { minLength: 1, maxLength: 2 });
  const reading = fc.record({
    verbs: some('get', 'list'),
    apiGroups: fc.constant(['']),
    resources: some('pods', 'configmaps', 'pods/log', '*'),
    resourceNames: fc.option(some('x', 'y'), { nil: [] }),
  });
  const places = fc.constantFrom('', 'a', 'b');
  const wholes = fc.record({
    users: fc.array(fc.tuple(places, fc.constantFrom('u1', 'u2'), reading), {
      minLength: 3,
      maxLength: 6,
    }),
    acting: fc.array(fc.tuple(places, reading), { minLength: 2, maxLength: 4 }),
    identities: some('u1', 'u2'),
  });

  it('is what the server lets them do as somebody', async () => {
    let allowed = 0;
    await fc.assert(
      fc.asyncProperty(wholes, async ({ users, acting, identities }) => {
        const grant = (name: string, place: string, user: string, rule: object) => [
          role(place, name, rule),
          bind(place, name, `${place === '' ? 'ClusterRole' : 'Role'}/${name}`, `User=${user}`),
        ];
        const objects = [
          ...users.flatMap(([place, user, rule], i) => grant(`user-${i}`, place, user, rule)),
          ...acting.flatMap(([place, rule], i) =>
            grant(`acting-${i}`, place, 'eve', {
              ...rule,
              verbs: rule.verbs.map((verb) => `impersonate-on:user-info:${verb}`),
            }),
          ),
          ...grant('identity', '', 'eve', mayBe('user-info', 'users', ...identities)),
        ];
        allowed += await compareWithServer(objects);
      }),
      { numRuns: 10, seed: 20_261_121 },
    );
    assert.ok(allowed >= 5, `${allowed} requests were allowed`);
  });
});

/** Returns how many requests the server allowed. */
async function compareWithServer(objects: readonly JsonObject[]): Promise<number> {
  const namespaces = ['a', 'b'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
  const { cluster, state } = await openOfflineCluster([...namespaces, ...objects]);
  try {
    let allowed = 0;
    for (const question of questions) {
      const isHolder = whoCan(state, question).some(({ identity }) => identity.name === 'eve');
      const can = (await Promise.all(['u1', 'u2'].map((as) => mayAs(cluster, as, question)))).some(
        (is) => is,
      );
      assert.equal(isHolder, can, JSON.stringify({ question, objects }));
      if (can) allowed++;
    }
    return allowed;
  } finally {
    await cluster.close();
  }
}

type Question = Extract<AccessQuestion, { readonly resource: string }>;
const questions: readonly Question[] = ['a', 'b'].flatMap((namespace) =>
  [
    ['get', 'pods', 'x'],
    ['get', 'pods/log', 'x'],
    ['get', 'configmaps', 'z'],
    ['list', 'pods', ''],
    ['list', 'configmaps', ''],
  ].map(([verb = '', resource = '', name = '']) => ({
    verb,
    group: '',
    resource,
    namespace,
    name,
  })),
);

async function mayAs(cluster: Cluster, as: string, question: Question): Promise<boolean> {
  const { resource, namespace, name } = question;
  const [parent = '', subresource] = resource.split('/');
  const path = [`/api/v1/namespaces/${namespace}/${parent}`, name, subresource ?? '']
    .filter((part) => part !== '')
    .join('/');
  try {
    await cluster
      .client({ name: 'eve' })
      .send({ method: 'GET', path, headers: { 'impersonate-user': as } });
    return true;
  } catch (error) {
    if (isStatusError(error, 'Forbidden')) return false;
    if (isStatusError(error)) return true;
    throw error;
  }
}
