import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { nextTurn } from '@keelson/apimachinery';
import type { UserInfo } from '@keelson/apiserver';
import { nodeUser, startServedCluster, type ServedCluster } from './testing/served-cluster.ts';

const rbacPath = '/apis/rbac.authorization.k8s.io/v1';
const reviews = '/apis/authorization.k8s.io/v1';
const apiGroup = 'rbac.authorization.k8s.io';
const userOf = (name: string, ...groups: string[]): UserInfo => ({
  name,
  uid: '',
  groups: [...groups, 'system:authenticated'],
  extra: {},
});

let cluster: ServedCluster;
before(async () => {
  cluster = await startServedCluster();
  for (const name of ['shop', 'bank'])
    await created(cluster, '/api/v1/namespaces', { metadata: { name } });
});
after(() => cluster.close());

async function created(on: ServedCluster, url: string, body: object): Promise<void> {
  const answer = await on.call({ method: 'POST', url, body });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
}

/** Grants rules to a user by a role of the same name; in a namespace or everywhere. */
async function grant(name: string, rules: readonly object[], namespace?: string, kind = 'Role') {
  const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
  const isCluster = namespace === undefined || kind === 'ClusterRole';
  const roles = isCluster ? `${rbacPath}/clusterroles` : `${rbacPath}${scope}/roles`;
  await created(cluster, roles, { metadata: { name }, rules });
  const plural = namespace === undefined ? 'clusterrolebindings' : 'rolebindings';
  await created(cluster, `${rbacPath}${scope}/${plural}`, {
    metadata: { name },
    roleRef: { apiGroup, kind: isCluster ? 'ClusterRole' : 'Role', name },
    subjects: [{ apiGroup, kind: 'User', name }],
  });
}

async function statusOf(name: string, url: string, method = 'GET', body?: object) {
  const call = { method, url, user: userOf(name) };
  return (await cluster.call(body === undefined ? call : { ...call, body })).status;
}

const messageOf = (body: Readonly<Record<string, unknown>>) => String(body['message']);
const rule = (verbs: string, resources: string, more: object = {}) => ({
  verbs: verbs.split(' '),
  apiGroups: [''],
  resources: resources.split(' '),
  ...more,
});

test('auth §9 (1): masters pass where everything is denied', async (t) => {
  const configuration = { authorizers: [{ type: 'AlwaysDeny', name: 'alwaysdeny' }] } as const;
  const denying = await startServedCluster({ authorization: { configuration } });
  t.after(() => denying.close());
  const url = '/api/v1/secrets';
  assert.equal((await denying.call({ method: 'GET', url })).status, 200);
  const { status, body } = await denying.call({ method: 'GET', url, user: userOf('ann') });
  assert.equal(status, 403);
  assert.match(messageOf(body), /at the cluster scope: Everything is forbidden\.$/);
});

test('auth §9 (2)–(5): subresources, names, namespaces', async () => {
  await grant('plain', [rule('get list create', 'pods')], 'shop');
  await grant('star', [rule('get', '*')], 'shop', 'ClusterRole');
  await grant('named', [rule('* ', 'secrets', { resourceNames: ['one'] })], 'shop');
  const pods = '/api/v1/namespaces/shop/pods';
  const secrets = '/api/v1/namespaces/shop/secrets';
  const list = (name: string) => `${secrets}?fieldSelector=metadata.name%3D${name}`;
  const rows: [who: string, method: string, url: string, status: number][] = [
    ['plain', 'GET', `${pods}/p`, 404],
    ['plain', 'GET', `${pods}/p/log`, 403],
    ['star', 'GET', `${pods}/p/log`, 404],
    ['star', 'GET', '/api/v1/namespaces/bank/pods/p', 403],
    ['star', 'GET', '/api/v1/pods', 403],
    ['named', 'GET', `${secrets}/one`, 404],
    ['named', 'GET', `${secrets}/two`, 403],
    ['named', 'POST', secrets, 403],
    ['named', 'GET', secrets, 403],
    ['named', 'GET', list('one'), 200],
    ['named', 'GET', list('two'), 403],
    ['named', 'DELETE', secrets, 403],
  ];
  for (const [who, method, url, status] of rows)
    assert.equal(await statusOf(who, url, method), status, `${who} ${method} ${url}`);
});

test('auth §9 (6): a binding to no role grants nothing, and says so', async () => {
  await created(cluster, `${rbacPath}/clusterrolebindings`, {
    metadata: { name: 'lost' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'nowhere' },
    subjects: [{ apiGroup, kind: 'User', name: 'lost' }],
  });
  const user = userOf('lost');
  const { status, body } = await cluster.call({ method: 'GET', url: '/api/v1/pods', user });
  assert.equal(status, 403);
  assert.match(
    messageOf(body),
    /: RBAC: clusterrole\.rbac\.authorization\.k8s\.io "nowhere" not found$/,
  );
});

test('auth §9 (7), (8): nobody grants more than they hold; a binding keeps its role', async () => {
  const roles = `${rbacPath}/namespaces/shop/roles`;
  const bindings = `${rbacPath}/namespaces/shop/rolebindings`;
  const rbacRule = (verbs: string, resources: string, more: object = {}) => ({
    ...rule(verbs, resources, more),
    apiGroups: [apiGroup],
  });
  const writes = rbacRule('get create update', 'roles rolebindings');
  await grant('writer', [writes], 'shop');
  await grant('escalator', [writes, rbacRule('escalate bind', 'roles')], 'shop');
  await created(cluster, roles, {
    metadata: { name: 'reader' },
    rules: [rule('get list', 'pods')],
  });
  const role = (name: string) => ({ metadata: { name }, rules: [rule('get list', 'pods')] });
  const binding = (name: string, roleName = 'reader') => ({
    metadata: { name },
    roleRef: { apiGroup, kind: 'Role', name: roleName },
    subjects: [{ apiGroup, kind: 'User', name: 'x' }],
  });
  const { status, body } = await cluster.call({
    method: 'POST',
    url: roles,
    body: role('r1'),
    user: userOf('writer'),
  });
  assert.equal(status, 403);
  assert.equal(
    messageOf(body),
    'roles.rbac.authorization.k8s.io "r1" is forbidden: user "writer" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
  );
  assert.equal(await statusOf('escalator', roles, 'POST', role('r2')), 201);
  assert.equal(await statusOf('writer', bindings, 'POST', binding('b1')), 403);
  assert.equal(await statusOf('escalator', bindings, 'POST', binding('b2')), 201);
  const url = `${bindings}/b2`;
  const moved = await cluster.call({ method: 'PUT', url, body: binding('b2', 'r2') });
  assert.equal(moved.status, 422);
  assert.match(messageOf(moved.body), /roleRef: Invalid value: .*: cannot change roleRef$/);
});

test('auth §9 (9): an aggregated role takes up what is labelled for it', async (t) => {
  const running = await startServedCluster({
    controllers: new Set(['clusterrole-aggregation-controller']),
  });
  t.after(() => running.close());
  const url = `${rbacPath}/clusterroles`;
  await created(running, url, {
    metadata: { name: 'all-of-shop' },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { shop: 'yes' } }] },
    rules: [],
  });
  await created(running, url, {
    metadata: { name: 'part', labels: { shop: 'yes' } },
    rules: [rule('get', 'pods')],
  });
  for (let turn = 0; turn < 10_000; turn++) {
    const { body } = await running.call({ method: 'GET', url: `${url}/all-of-shop` });
    if (Array.isArray(body['rules']) && body['rules'].length > 0) {
      assert.deepEqual(body['rules'], [rule('get', 'pods')]);
      return;
    }
    await nextTurn();
  }
  assert.fail('the controller never aggregated');
});

test('auth §9 (11), (12): reviews that are none', async () => {
  const neither = await cluster.call({
    method: 'POST',
    url: `${reviews}/subjectaccessreviews`,
    body: { spec: { user: 'ann' } },
  });
  assert.equal(neither.status, 422);
  assert.match(
    messageOf(neither.body),
    /spec\.resourceAttributes: Invalid value: .*: exactly one of nonResourceAttributes or resourceAttributes must be specified/,
  );
  const elsewhere = await cluster.call({
    method: 'POST',
    url: `${reviews}/namespaces/shop/localsubjectaccessreviews`,
    body: { spec: { user: 'ann', resourceAttributes: { namespace: 'bank', verb: 'get' } } },
  });
  assert.equal(elsewhere.status, 422);
  assert.match(
    messageOf(elsewhere.body),
    /spec\.resourceAttributes\.namespace: Invalid value: "bank": must match metadata\.namespace/,
  );
});

test('auth §9 (13), (14): all rules of a user; URLs by their beginning', async () => {
  await grant('double', [rule('get', 'pods')], 'shop');
  await grant('double-all', [{ verbs: ['get'], nonResourceURLs: ['/healthz*'] }]);
  await created(cluster, `${rbacPath}/clusterrolebindings`, {
    metadata: { name: 'double-urls' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'double-all' },
    subjects: [{ apiGroup, kind: 'User', name: 'double' }],
  });
  const { body } = await cluster.call({
    method: 'POST',
    url: `${reviews}/selfsubjectrulesreviews`,
    body: { spec: { namespace: 'shop' } },
    user: userOf('double'),
  });
  const { resourceRules, nonResourceRules, incomplete } = body['status'] as Record<string, unknown>;
  const has = (rules: unknown, wanted: object) =>
    (rules as unknown[]).some((one) => isDeepStrictEqual(one, wanted));
  assert.ok(has(resourceRules, rule('get', 'pods')));
  assert.ok(has(nonResourceRules, { verbs: ['get'], nonResourceURLs: ['/healthz*'] }));
  assert.equal(incomplete, false);
  const ask = async (path: string) => {
    const answer = await cluster.call({
      method: 'POST',
      url: `${reviews}/subjectaccessreviews`,
      body: { spec: { user: 'double', nonResourceAttributes: { path, verb: 'get' } } },
    });
    return (answer.body['status'] as { allowed: boolean }).allowed;
  };
  for (const [path, allowed] of [
    ['/healthz', true],
    ['/healthz/etcd', true],
    ['/healthzz', true],
    ['/health', false],
  ] as const)
    assert.equal(await ask(path), allowed, path);
});

test('auth §12.4 (5)–(8): selectors in reviews', async () => {
  const ask = async (fieldSelector: object) => {
    const resourceAttributes = { verb: 'list', resource: 'pods', fieldSelector };
    const url = `${reviews}/subjectaccessreviews`;
    const body = { spec: { user: nodeUser.name, groups: nodeUser.groups, resourceAttributes } };
    const answer = await cluster.call({ method: 'POST', url, body });
    if (answer.status !== 201) return `${answer.status} ${messageOf(answer.body)}`;
    const status = answer.body['status'] as { allowed: boolean; evaluationError?: string };
    return `${status.allowed} ${status.evaluationError ?? ''}`.trim();
  };
  const key = 'spec.nodeName';
  const field = 'spec.resourceAttributes.fieldSelector';
  const own = { key, operator: 'In', values: ['n1'] };
  const rows: [selector: object, expected: string][] = [
    [{ rawSelector: 'spec.nodeName=n1' }, 'true'],
    [{ requirements: [own] }, 'true'],
    [{ rawSelector: 'spec.nodeName=n2' }, 'false'],
    [
      { rawSelector: 'a=b', requirements: [own] },
      `${field}.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements`,
    ],
    [
      {},
      `${field}.requirements: Required value: when ${field} is specified, requirements or rawSelector is required`,
    ],
    [
      { requirements: [own, { key, operator: 'Exists' }] },
      `true ${field} partially ignored due to parse error`,
    ],
    [
      { requirements: [own, { key, operator: 'Foo' }] },
      `true ${field} partially ignored due to parse error`,
    ],
    [{ rawSelector: 'a' }, `false ${field} ignored due to parse error`],
  ];
  for (const [selector, expected] of rows) {
    const answer = await ask(selector);
    const text = answer.startsWith('422') ? answer.slice(answer.indexOf('spec.')) : answer;
    assert.equal(text, expected, JSON.stringify(selector));
  }
});

test('auth §12.4 (11): before the feature the fields are not known', async (t) => {
  const older = await startServedCluster({ emulatedVersion: '1.30' });
  t.after(() => older.close());
  const { body } = await older.call({
    method: 'POST',
    url: `${reviews}/subjectaccessreviews`,
    body: {
      spec: {
        user: 'ann',
        resourceAttributes: { verb: 'list', resource: 'pods', fieldSelector: { rawSelector: 'a' } },
      },
    },
  });
  const spec = body['spec'] as { resourceAttributes: object };
  assert.deepEqual(spec.resourceAttributes, { verb: 'list', resource: 'pods' });
  assert.deepEqual(body['status'], { allowed: false });
});

test('auth §12.4 (12): the authorizer of expressions takes selectors', async () => {
  const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
  const check = (selector: string) =>
    `authorizer.group("").resource("pods").${selector}.check("list").allowed()`;
  const conditions: Record<string, string> = {
    own: check('fieldSelector("spec.nodeName=n1")'),
    // What cannot be read is left out, and all pods are asked about.
    unreadable: check('fieldSelector("spec.nodeName=n1=n1").labelSelector("==")'),
    foreign: check('fieldSelector("spec.nodeName=n2")'),
  };
  for (const [name, expression] of Object.entries(conditions)) {
    await created(cluster, policies, {
      metadata: { name },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['events'] },
          ],
        },
        matchConditions: [{ name: 'named', expression: `object.reason == "${name}"` }],
        validations: [{ expression, message: `no ${name}` }],
      },
    });
    await created(cluster, `${policies.replace('policies', 'policybindings')}`, {
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    });
  }
  const report = async (reason: string) => {
    const answer = await cluster.call({
      method: 'POST',
      url: '/api/v1/namespaces/shop/events',
      body: { metadata: { generateName: 'e' }, reason, involvedObject: { namespace: 'shop' } },
      user: nodeUser,
    });
    return answer.status;
  };
  assert.deepEqual(await Promise.all(Object.keys(conditions).map(report)), [201, 422, 422]);
});
