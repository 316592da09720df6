// Acting as another user against a whole control plane with RBAC: the legacy verb, and the
// constrained ones of KEP-5284 (spec/auth §7).

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { callInProcess, type UserInfo } from '@keelson/apiserver';
import { startAuthenticatedPlane, type AuthenticatedPlane } from './testing/authenticated-plane.ts';

type Headers = Readonly<Record<string, string | string[]>>;
interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}

const admin: UserInfo = { name: 'root', uid: '', groups: ['system:masters'], extra: {} };
const op: UserInfo = { name: 'op', uid: 'u-1', groups: ['own'], extra: { own: ['1'] } };
const authentication = 'authentication.k8s.io';

interface Answer {
  readonly status: number;
  readonly body: { readonly message?: string; readonly status?: { readonly userInfo?: object } };
}

async function send(
  { plane }: AuthenticatedPlane,
  user: UserInfo,
  request: { method: string; url: string; headers?: Headers; body?: object },
): Promise<Answer> {
  const { method, url, headers = {}, body } = request;
  const answer = await callInProcess(plane.server.serve, {
    method,
    url,
    user,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
  });
  const text = Buffer.from(await answer.bytes()).toString();
  return { status: answer.status, body: JSON.parse(text) as Answer['body'] };
}

/** Who the server thinks that a caller is who sends these headers, or its refusal. */
async function whoIs(plane: AuthenticatedPlane, headers: Headers, user = op): Promise<unknown> {
  const { status, body } = await send(plane, user, {
    method: 'POST',
    url: `/apis/${authentication}/v1/selfsubjectreviews`,
    headers,
    body: {},
  });
  return status === 201 ? body.status?.userInfo : `${status} ${body.message}`;
}

async function list(plane: AuthenticatedPlane, headers: Headers, namespace = 'default') {
  const url = `/api/v1/namespaces/${namespace}/pods`;
  return send(plane, op, { method: 'GET', url, headers });
}

/** Grants rules to a user, in a namespace or everywhere. */
async function grant(plane: AuthenticatedPlane, user: string, rules: Rule[], namespace?: string) {
  const group = 'rbac.authorization.k8s.io';
  const base = `/apis/${group}/v1${namespace === undefined ? '' : `/namespaces/${namespace}`}`;
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  const name = `r-${granted++}`;
  const subjects = [{ apiGroup: group, kind: 'User', name: user }];
  const roleRef = { apiGroup: group, kind, name };
  const url = `${base}/${kind.toLowerCase()}s`;
  const metadata = { name };
  const role = await send(plane, admin, { method: 'POST', url, body: { metadata, rules } });
  assert.equal(role.status, 201, role.body.message);
  const binding = await send(plane, admin, {
    method: 'POST',
    url: url.replace(/s$/, 'bindings'),
    body: { metadata, subjects, roleRef },
  });
  assert.equal(binding.status, 201, binding.body.message);
}
let granted = 0;

const rule = (verbs: string[], apiGroup: string, resources: string[], names?: string[]): Rule => ({
  verbs,
  apiGroups: [apiGroup],
  resources,
  ...(names === undefined ? {} : { resourceNames: names }),
});
const legacy = (resources: string[], names?: string[]) =>
  rule(['impersonate'], '', resources, names);
const start = (t: TestContext, emulatedVersion = '1.36') =>
  startAuthenticatedPlane(t, { emulatedVersion });
const as = (name: string, more: Headers = {}): Headers => ({ 'impersonate-user': name, ...more });

test('auth §7.8 (1): who may not is told what is missing', async (t) => {
  const old = await start(t, '1.34');
  assert.equal(
    await whoIs(old, as('jane')),
    '403 users "jane" is forbidden: User "op" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
  const plane = await start(t);
  assert.equal(
    (await list(plane, as('jane'))).body.message,
    'pods is forbidden: User "op" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "default"',
  );
});

test('auth §7.8 (2): groups, uid or extra values without a user', async (t) => {
  const texts = {
    '1.34': / without impersonating a user$/,
    '1.36': / without impersonating a user name$/,
  };
  for (const [version, text] of Object.entries(texts)) {
    const plane = await start(t, version);
    for (const headers of [
      { 'impersonate-group': 'g' },
      { 'impersonate-uid': 'u' },
      { 'impersonate-extra-a.io%2fb': 'c' },
      as('', { 'impersonate-group': 'g' }),
    ]) {
      const answer = String(await whoIs(plane, headers, admin));
      assert.match(answer, /^400 requested /);
      assert.match(answer, text);
    }
    assert.deepEqual(await whoIs(plane, as(''), admin), {
      username: 'root',
      groups: ['system:masters'],
    });
  }
});

test('auth §7.8 (3): a service account with legacy rights alone gets its groups', async (t) => {
  for (const version of ['1.34', '1.36']) {
    const plane = await start(t, version);
    await grant(plane, 'op', [legacy(['serviceaccounts'])], 'default');
    assert.deepEqual(await whoIs(plane, as('system:serviceaccount:default:bot')), {
      username: 'system:serviceaccount:default:bot',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    });
    const other = String(await whoIs(plane, as('system:serviceaccount:kube-system:bot')));
    assert.match(other, /^403 /);
  }
});

test('auth §7.8 (4): keys of extra values are decoded once', async (t) => {
  const plane = await start(t);
  await grant(plane, 'op', [legacy(['users']), rule(['impersonate'], authentication, ['*'])]);
  const rows: [header: string, key: string][] = [
    ['impersonate-extra-acme.com%2Fteam', 'acme.com/team'],
    ['impersonate-extra-acme.com%252fteam', 'acme.com%2fteam'],
    ['impersonate-extra-a%zz', 'a%zz'],
    ['impersonate-extra-caf%C3%A9', 'café'],
  ];
  for (const [header, key] of rows) {
    const user = await whoIs(plane, as('jane', { [header.toLowerCase()]: ['x', 'y'] }));
    assert.deepEqual(user, {
      username: 'jane',
      groups: ['system:authenticated'],
      extra: { [key]: ['x', 'y'] },
    });
  }
});

test('auth §7.8 (5): who may act as others only to list', async (t) => {
  const plane = await start(t);
  await grant(plane, 'op', [rule(['impersonate:user-info'], authentication, ['users'], ['jane'])]);
  await grant(plane, 'op', [rule(['impersonate-on:user-info:list'], '', ['pods'])], 'default');
  await grant(plane, 'jane', [rule(['*'], '', ['pods'])]);
  assert.equal((await list(plane, as('jane'))).status, 200);
  assert.equal((await list(plane, as('jane'), 'kube-system')).status, 403);
  assert.equal((await list(plane, as('joe'))).status, 403);
  const one = { method: 'GET', url: '/api/v1/namespaces/default/pods/x', headers: as('jane') };
  assert.equal((await send(plane, op, one)).status, 403);
  // Who may be jane has no rights of its own by that, and jane's rights still count.
  assert.equal((await list(plane, {})).status, 403);
});

test('auth §7.8 (6): system:masters only by the legacy verb', async (t) => {
  const plane = await start(t);
  await grant(plane, 'op', [
    rule(['*'], authentication, ['*']),
    rule(['*'], authentication, ['*']),
  ]);
  const on = rule(['impersonate-on:user-info:create'], authentication, ['selfsubjectreviews']);
  await grant(plane, 'op', [on]);
  const masters = as('jane', { 'impersonate-group': 'system:masters' });
  assert.equal(
    await whoIs(plane, masters),
    '403 groups.authentication.k8s.io "system:masters" is forbidden: User "op" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope: impersonating the system:masters group is not allowed',
  );
  await grant(plane, 'op', [legacy(['users', 'groups'])]);
  assert.deepEqual(await whoIs(plane, masters), {
    username: 'jane',
    groups: ['system:masters', 'system:authenticated'],
  });
});

const nodeVerbs = (mode: string) => [
  rule([`impersonate-on:${mode}:create`], authentication, ['selfsubjectreviews']),
  rule([`impersonate:${mode}`], authentication, ['nodes']),
];
const agent = 'system:serviceaccount:kube-system:agent';
const onNode = (node: string): UserInfo => ({
  name: agent,
  uid: '',
  groups: [],
  extra: { 'authentication.kubernetes.io/node-name': [node] },
});

test('auth §7.8 (7): an agent acts as the node that it runs on', async (t) => {
  const plane = await start(t);
  await grant(plane, agent, nodeVerbs('associated-node'));
  const node = { username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };
  assert.deepEqual(await whoIs(plane, as('system:node:n1'), onNode('n1')), node);
  const rows: [what: string, headers: Headers, user: UserInfo][] = [
    ['another node', as('system:node:n2'), onNode('n1')],
    ['a longer name', as('system:node:n11'), onNode('n1')],
    ['no node of its own', as('system:node:n1'), { ...onNode('n1'), extra: {} }],
    [
      'two nodes',
      as('system:node:n1'),
      { ...onNode('n1'), extra: { 'authentication.kubernetes.io/node-name': ['n1', 'n2'] } },
    ],
    ['a person', as('system:node:n1'), { ...onNode('n1'), name: 'op' }],
  ];
  for (const [what, headers, user] of rows)
    assert.match(String(await whoIs(plane, headers, user)), /^403 /, what);
});

test('auth §7.8 (8): a node with a group of its own needs the legacy verb', async (t) => {
  const plane = await start(t);
  await grant(plane, 'op', nodeVerbs('arbitrary-node'));
  const bare = as('system:node:n1');
  assert.deepEqual(await whoIs(plane, bare), {
    username: 'system:node:n1',
    groups: ['system:nodes', 'system:authenticated'],
  });
  const withGroup = as('system:node:n1', { 'impersonate-group': 'system:nodes' });
  assert.match(
    String(await whoIs(plane, withGroup)),
    /^403 users "system:node:n1" .*cannot impersonate resource/,
  );
  await grant(plane, 'op', [legacy(['users', 'groups'])]);
  assert.deepEqual(await whoIs(plane, withGroup), {
    username: 'system:node:n1',
    groups: ['system:nodes', 'system:authenticated'],
  });
});

test('auth §7.8 (10): without the gate the constrained verbs mean nothing', async (t) => {
  for (const version of ['1.34', '1.35']) {
    const plane = await start(t, version);
    await grant(plane, 'op', [
      rule(['impersonate:user-info'], authentication, ['users']),
      rule(['impersonate-on:user-info:create'], authentication, ['selfsubjectreviews']),
    ]);
    assert.match(String(await whoIs(plane, as('jane'))), /^403 users "jane"/);
  }
});

test('auth §7.8 (12): attempts are counted by mode', async (t) => {
  const plane = await start(t);
  await grant(plane, 'op', [legacy(['users'], ['jane'])]);
  await whoIs(plane, as('jane'));
  await whoIs(plane, as('joe'));
  const lines = await plane.metrics('apiserver_impersonation_attempts_total{');
  assert.deepEqual(lines.sort(), [
    'apiserver_impersonation_attempts_total{mode="",decision="denied"} 1',
    'apiserver_impersonation_attempts_total{mode="legacy",decision="allowed"} 1',
  ]);
  const asked = await plane.metrics('apiserver_impersonation_authorization_attempts_total{');
  assert.ok(asked.some((line) => line.includes('mode="user-info",decision="denied"')));
});

test('auth §7.8 (13): the anonymous user', async (t) => {
  const plane = await start(t);
  await grant(plane, 'op', [legacy(['users'])]);
  await grant(plane, 'system:anonymous', [
    rule(['create'], authentication, ['selfsubjectreviews']),
  ]);
  assert.deepEqual(await whoIs(plane, as('system:anonymous')), {
    username: 'system:anonymous',
    groups: ['system:unauthenticated'],
  });
});

test('auth §7.8 (14): what was refused, or allowed, is asked again', async (t) => {
  const plane = await start(t);
  assert.match(String(await whoIs(plane, as('jane'))), /^403 /);
  await grant(plane, 'op', [legacy(['users'])]);
  const jane = { username: 'jane', groups: ['system:authenticated'] };
  assert.deepEqual(await whoIs(plane, as('jane')), jane);
  const url = `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/r-${granted - 1}`;
  assert.equal((await send(plane, admin, { method: 'DELETE', url })).status, 200);
  assert.match(String(await whoIs(plane, as('jane'))), /^403 /);
});

test('nothing of the caller goes over into the other user', async (t) => {
  const plane = await start(t);
  await grant(plane, 'op', [legacy(['users'])]);
  assert.deepEqual(await whoIs(plane, as('jane')), {
    username: 'jane',
    groups: ['system:authenticated'],
  });
});

test('headers that could be read in two ways', async (t) => {
  const plane = await start(t);
  const rows: [headers: Headers, expected: RegExp][] = [
    [
      { 'impersonate-user': ['jane', 'root'] },
      /^400 the header Impersonate-User is there more than once$/,
    ],
    [
      as('jane', { 'impersonate-uid': ['1', '2'] }),
      /^400 the header Impersonate-Uid is there more than once$/,
    ],
  ];
  for (const [headers, expected] of rows)
    assert.match(String(await whoIs(plane, headers, admin)), expected);
  const ignored: Headers[] = [
    { impersonate_user: 'jane' },
    { 'x-impersonate-user': 'jane' },
    { 'impersonate-users': 'jane' },
    { connection: 'impersonate-user' },
  ];
  for (const headers of ignored)
    assert.deepEqual(await whoIs(plane, headers, admin), {
      username: 'root',
      groups: ['system:masters'],
    });
  // A connection's own headers are the proxy's business, not authentication's.
  const listed = as('jane', { connection: 'impersonate-user, impersonate-group' });
  assert.match(String(await whoIs(plane, listed)), /^403 /);
});
