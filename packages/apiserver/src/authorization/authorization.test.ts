import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  aggregateRules,
  createDecisionTrace,
  equalRules,
  noDecisionTrace,
  type KubeObject,
} from '@keelson/apimachinery';
import { anonymousUser, type UserInfo } from '../authentication/authenticator.ts';
import { createFeatures } from '../features/create-features.ts';
import { createAlwaysAllowAuthorizer, createAlwaysDenyAuthorizer } from './always.ts';
import { attributesOf } from './attributes.ts';
import type { AuthorizationResult, Authorizer, RequestAttributes } from './authorizer.ts';
import { bootstrapPolicy, type RbacResource } from './bootstrap-policy.ts';
import { createBrowserSafeAuthorizer } from './browser-safe.ts';
import { forbiddenByAuthorizer } from './forbidden.ts';
import { createPrivilegedGroupsAuthorizer } from './privileged-groups.ts';
import { rulesOf, subjectsOf } from './rbac/policy-rule.ts';
import { compactRules, describeRules, uncoveredRules } from './rbac/rule-coverage.ts';
import { reconcileBootstrapPolicy } from './reconcile-bootstrap-policy.ts';
import { createUnionAuthorizer, createUnionRuleResolver } from './union.ts';

const user = (name: string, ...groups: string[]): UserInfo => ({
  name,
  uid: '',
  groups,
  extra: {},
});
const pods: RequestAttributes = {
  isResource: true,
  verb: 'get',
  namespace: 'default',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  name: 'x',
};
const answering = (result: AuthorizationResult | Promise<AuthorizationResult>): Authorizer => ({
  name: 'fixed',
  authorize: () => result,
});
const none = (reason: string, evaluationError?: string): AuthorizationResult => ({
  decision: 'no-opinion',
  reason,
  ...(evaluationError === undefined ? {} : { evaluationError }),
});

test('the first opinion counts', async () => {
  const allow: AuthorizationResult = { decision: 'allow', reason: 'yes' };
  const deny: AuthorizationResult = { decision: 'deny', reason: 'no', evaluationError: 'e' };
  const rows: [
    what: string,
    answers: (AuthorizationResult | Promise<AuthorizationResult>)[],
    expected: AuthorizationResult,
  ][] = [
    ['nobody', [], none('')],
    ['allow', [none('a'), allow, deny], allow],
    ['deny', [none('a'), deny, allow], deny],
    ['deny later', [none('a'), Promise.resolve(none('b')), Promise.resolve(deny), allow], deny],
    [
      'reasons',
      [none('a'), none(''), Promise.resolve(none('b', 'e1')), none('', 'e2')],
      none('a\nb', '[e1, e2]'),
    ],
  ];
  for (const [what, answers, expected] of rows) {
    const union = createUnionAuthorizer(answers.map(answering));
    assert.deepEqual(await union.authorize(anonymousUser, pods, noDecisionTrace), expected, what);
  }
  const synchronous = createUnionAuthorizer([answering(none('')), answering(allow)]);
  assert.ok(!(synchronous.authorize(anonymousUser, pods, noDecisionTrace) instanceof Promise));
  const throwing = createUnionAuthorizer([
    { name: 'broken', authorize: () => Promise.reject(new Error('broken')) },
    answering(allow),
  ]);
  await assert.rejects(async () => throwing.authorize(anonymousUser, pods, noDecisionTrace));
});

test('auth §9 (1), (15): masters cannot be locked out, and nobody else is let in', async () => {
  const union = createUnionAuthorizer([
    createPrivilegedGroupsAuthorizer(),
    createAlwaysDenyAuthorizer(),
  ]);
  const ask = async (who: UserInfo) => union.authorize(who, pods, noDecisionTrace);
  assert.equal((await ask(user('x', 'system:masters'))).decision, 'allow');
  for (const who of [
    user('system:masters'),
    user('x', 'system:master'),
    user('x', 'SYSTEM:MASTERS'),
    user('x', 'system:masters '),
  ])
    assert.deepEqual(await ask(who), none('Everything is forbidden.'), who.name);
  assert.equal(
    (
      await createUnionRuleResolver([
        createAlwaysAllowAuthorizer(),
        createAlwaysDenyAuthorizer(),
      ]).rulesFor(user('x'), 'n')
    ).resourceRules.length,
    1,
  );
});

test('the wording of refusals', () => {
  const rows: [
    attributes: RequestAttributes,
    name: string,
    reason: string,
    message: string,
    details: object,
  ][] = [
    [
      pods,
      'ann',
      '',
      'pods "x" is forbidden: User "ann" cannot get resource "pods" in API group "" in the namespace "default"',
      { name: 'x', kind: 'pods' },
    ],
    [
      {
        ...pods,
        group: 'apps',
        resource: 'deployments',
        subresource: 'scale',
        namespace: '',
        name: '',
        verb: 'patch',
      },
      'ann',
      'because',
      'deployments.apps is forbidden: User "ann" cannot patch resource "deployments/scale" in API group "apps" at the cluster scope: because',
      { group: 'apps', kind: 'deployments' },
    ],
    [
      { isResource: false, verb: 'get', path: '/<a>' },
      'a&b',
      '<why>',
      'forbidden: User "a&amp;b" cannot get path "/&lt;a&gt;": <why>',
      {},
    ],
  ];
  for (const [attributes, name, reason, message, details] of rows) {
    const { status } = forbiddenByAuthorizer(user(name), attributes, reason);
    assert.equal(status.message, message);
    assert.deepEqual(status.details, details);
    assert.deepEqual([status.code, status.reason], [403, 'Forbidden']);
  }
});

test('attributes carry the selectors of reading many', () => {
  const base = {
    isResourceRequest: true,
    path: '/',
    apiPrefix: 'api',
    group: '',
    version: 'v1',
    namespace: 'n',
    resource: 'pods',
    subresource: '',
    name: '',
    parts: [],
  };
  const of = (verb: string, query: string) => {
    const attributes = attributesOf({ info: { ...base, verb, query: new URLSearchParams(query) } });
    assert.ok(attributes.isResource);
    return [attributes.fieldSelector, attributes.labelSelector];
  };
  const nodeName = [{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }];
  assert.deepEqual(of('list', 'fieldSelector=spec.nodeName%3Dn1'), [nodeName, undefined]);
  assert.deepEqual(of('deletecollection', 'fieldSelector=spec.nodeName%3D%3Dn1'), [
    nodeName,
    undefined,
  ]);
  assert.deepEqual(of('get', 'fieldSelector=spec.nodeName%3Dn1'), [undefined, undefined]);
  assert.deepEqual(of('watch', 'labelSelector=x+in+(a,b),!y,z!%3D1,w'), [
    undefined,
    [
      { key: 'w', operator: 'Exists', values: [] },
      { key: 'x', operator: 'In', values: ['a', 'b'] },
      { key: 'y', operator: 'DoesNotExist', values: [] },
      { key: 'z', operator: 'NotIn', values: ['1'] },
    ],
  ]);
  assert.deepEqual(of('list', 'fieldSelector=a%3D%3Db%3D%3Dc&labelSelector=%3D%3D'), [
    undefined,
    undefined,
  ]);
  assert.deepEqual(of('list', 'fieldSelector=&labelSelector='), [undefined, undefined]);
  const query = new URLSearchParams('fieldSelector=spec.nodeName%3Dn1&labelSelector=a');
  const before = attributesOf({ info: { ...base, verb: 'list', query } }, false);
  assert.deepEqual(
    Object.keys(before).filter((key) => key.endsWith('Selector')),
    [],
  );
});

test('a caller without authentication needs a grant of unsafeproxy', async () => {
  const seen: RequestAttributes[] = [];
  const delegate: Authorizer = {
    name: 'RBAC',
    authorize(_user, attributes) {
      seen.push(attributes);
      return none('why');
    },
  };
  const safe = createBrowserSafeAuthorizer(delegate);
  const proxy: RequestAttributes = { ...pods, subresource: 'proxy' };
  const rows: [who: UserInfo, asked: RequestAttributes, subresource: string, reason: string][] = [
    [anonymousUser, proxy, 'unsafeproxy', 'why, proxy subresource changed to unsafeproxy'],
    [user('x'), proxy, 'unsafeproxy', 'why, proxy subresource changed to unsafeproxy'],
    [user('x', 'system:authenticated'), proxy, 'proxy', 'why'],
    [anonymousUser, pods, '', 'why'],
    [anonymousUser, { ...pods, verb: 'proxy' }, '', 'why, proxy verb changed to unsafeproxy'],
  ];
  for (const [who, asked, subresource, reason] of rows) {
    assert.equal((await safe.authorize(who, asked, noDecisionTrace)).reason, reason);
    const attributes = seen.at(-1);
    assert.equal(attributes?.isResource && attributes.subresource, subresource);
  }
  const trace = createDecisionTrace();
  await safe.authorize(anonymousUser, proxy, trace);
  assert.deepEqual(
    trace.steps().map(({ by, outcome, detail }) => [by, outcome, detail]),
    [['browser-safe', 'changed', { verb: 'get', subresource: 'unsafeproxy' }]],
  );
});

test('which permissions rules cover', () => {
  const rule = (groups: string, resources: string, verbs: string, names?: string) => ({
    apiGroups: groups.split(','),
    resources: resources.split(','),
    verbs: verbs.split(','),
    ...(names === undefined ? {} : { resourceNames: names.split(',') }),
  });
  const rows: [held: object[], wanted: object[], missing: string][] = [
    [[rule('', 'pods', 'get')], [rule('', 'pods', 'get')], ''],
    [
      [rule('', 'pods', 'get')],
      [rule('', 'pods', 'get,delete,list')],
      '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "list"]}',
    ],
    [[rule('', 'pods', '*')], [rule('', 'pods', 'get')], ''],
    [
      [rule('', 'pods', 'get,list,watch,create,update,patch,delete')],
      [rule('', 'pods', '*')],
      '{APIGroups:[""], Resources:["pods"], Verbs:["*"]}',
    ],
    [[rule('', '*', 'get')], [rule('', 'pods/log', 'get')], ''],
    [[rule('', '*/log', 'get')], [rule('', 'pods/log', 'get')], ''],
    [
      [rule('', 'pods', 'get')],
      [rule('', 'pods/log', 'get')],
      '{APIGroups:[""], Resources:["pods/log"], Verbs:["get"]}',
    ],
    [
      [rule('', 'secrets', 'get', 'a')],
      [rule('', 'secrets', 'get')],
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
    ],
    [[rule('', 'secrets', 'get')], [rule('', 'secrets', 'get', 'a')], ''],
    [
      [rule('', 'secrets', 'get', 'a')],
      [rule('', 'secrets', 'get', 'a,b')],
      '{APIGroups:[""], Resources:["secrets"], ResourceNames:["b"], Verbs:["get"]}',
    ],
    [
      [rule('', 'a', 'get'), rule('apps', 'b', 'get')],
      [rule(',apps', 'a,b', 'get')],
      '{APIGroups:[""], Resources:["b"], Verbs:["get"]}\n{APIGroups:["apps"], Resources:["a"], Verbs:["get"]}',
    ],
    [
      [{ verbs: ['get'], nonResourceURLs: ['/x/*'] }],
      [{ verbs: ['get'], nonResourceURLs: ['/x/y', '/z'] }],
      '{NonResourceURLs:["/z"], Verbs:["get"]}',
    ],
    [
      [rule('*', '*', '*')],
      [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
      '{NonResourceURLs:["/x"], Verbs:["get"]}',
    ],
    [
      [],
      [{ verbs: ['*'], nonResourceURLs: ['*'] }, rule('*', '*', '*')],
      '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}',
    ],
  ];
  for (const [held, wanted, missing] of rows)
    assert.equal(describeRules(compactRules(uncoveredRules(held, wanted))), missing);
});

function memoryStore() {
  const objects = new Map<string, KubeObject>();
  const key = (resource: RbacResource, namespace = '', name = '') =>
    `${resource}/${namespace}/${name}`;
  const put = async (resource: RbacResource, object: KubeObject) => {
    objects.set(
      key(resource, object.metadata.namespace, object.metadata.name),
      structuredClone(object),
    );
  };
  return {
    objects,
    get: async (resource: RbacResource, namespace: string, name: string) =>
      objects.get(key(resource, namespace, name)),
    create: put,
    update: put,
    delete: async (resource: RbacResource, namespace: string, name: string) =>
      void objects.delete(key(resource, namespace, name)),
  };
}

test('rules of very many permissions are covered as a whole or not at all', () => {
  const many = (prefix: string) => Array.from({ length: 30 }, (_, i) => `${prefix}${i}`);
  const wanted = { verbs: many('v'), apiGroups: many('g'), resources: many('r') };
  const [half, rest] = [wanted.verbs.slice(0, 15), wanted.verbs.slice(15)];
  assert.deepEqual(uncoveredRules([{ ...wanted, verbs: ['*'] }], [wanted]), []);
  assert.deepEqual(
    uncoveredRules(
      [
        { ...wanted, verbs: half },
        { ...wanted, verbs: rest },
      ],
      [wanted],
    ),
    [wanted],
  );
  const small = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
  assert.deepEqual(uncoveredRules([small], [small, wanted]), [wanted]);
  const hostile = { verbs: wanted.verbs, nonResourceURLs: many('/'.repeat(5)) };
  assert.equal(uncoveredRules([], [hostile]).length, 900);
});

test('auth §9 (10): the default policy is restored but never cut back', async () => {
  const policy = bootstrapPolicy(createFeatures());
  const store = memoryStore();
  assert.deepEqual(await reconcileBootstrapPolicy(store, policy), {
    created: policy.length,
    updated: 0,
    unchanged: 0,
  });
  assert.deepEqual(await reconcileBootstrapPolicy(store, policy), {
    created: 0,
    updated: 0,
    unchanged: policy.length,
  });
  const change = (key: string, edit: (object: KubeObject) => void) =>
    edit(store.objects.get(key) as KubeObject);
  change(
    'clusterroles//system:discovery',
    (o) => (o['rules'] = [{ verbs: ['own'], nonResourceURLs: ['/own'] }]),
  );
  change('clusterroles//system:basic-user', (o) => {
    o['rules'] = [];
    o.metadata.annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
  });
  change(
    'clusterrolebindings//system:discovery',
    (o) => (o['subjects'] = [{ kind: 'User', name: 'extra' }]),
  );
  change(
    'clusterrolebindings//system:basic-user',
    (o) => (o['roleRef'] = { kind: 'ClusterRole', name: 'view' }),
  );
  change('clusterroles//view', (o) => delete o.metadata.labels);
  store.objects.delete('roles/kube-system/extension-apiserver-authentication-reader');
  const counts = await reconcileBootstrapPolicy(store, policy);
  assert.deepEqual(counts, { created: 1, updated: 4, unchanged: policy.length - 5 });
  assert.equal(
    rulesOf(store.objects.get('clusterroles//system:discovery') as KubeObject).length,
    12,
  );
  assert.deepEqual(store.objects.get('clusterroles//system:basic-user')?.['rules'], []);
  const discovery = store.objects.get('clusterrolebindings//system:discovery') as KubeObject;
  assert.deepEqual(
    subjectsOf(discovery).map((subject) => subject.name),
    ['extra', 'system:authenticated'],
  );
  assert.equal((await reconcileBootstrapPolicy(store, policy)).unchanged, policy.length);
});

test('the default policy by release', () => {
  const names = (emulatedVersion: string) =>
    new Set(
      bootstrapPolicy(createFeatures({ emulatedVersion })).map((o) => o.object.metadata.name),
    );
  assert.ok(!names('1.26').has('system:controller:selinux-warning-controller'));
  assert.ok(names('1.33').has('system:controller:selinux-warning-controller'));
  const kubelet = (emulatedVersion: string) =>
    bootstrapPolicy(createFeatures({ emulatedVersion })).find(
      (o) => o.object.metadata.name === 'system:kubelet-api-admin',
    );
  assert.equal(rulesOf(kubelet('1.32')?.object as KubeObject).length, 3);
  assert.equal(rulesOf(kubelet('1.33')?.object as KubeObject).length, 4);
});

test('aggregated roles', () => {
  const role = (name: string, labels: Record<string, string>, verb: string): KubeObject => ({
    metadata: { name, labels },
    rules: [{ verbs: [verb], apiGroups: [''], resources: ['pods'] }],
  });
  const all = {
    metadata: { name: 'all', labels: { to: 'all' } },
    rules: [],
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'all' } }] },
  };
  const roles = [
    role('b', { to: 'all' }, 'list'),
    role('a', { to: 'all' }, 'get'),
    role('c', { to: 'all' }, 'get'),
    role('d', {}, 'delete'),
    all,
  ];
  const rules = aggregateRules(all, roles) ?? [];
  assert.deepEqual(
    rules.map((r) => r.verbs),
    [['get'], ['list']],
  );
  assert.equal(aggregateRules(role('x', {}, 'get'), roles), undefined);
  assert.ok(equalRules(rules, structuredClone(rules)) && !equalRules(rules, rules.slice(1)));
});
