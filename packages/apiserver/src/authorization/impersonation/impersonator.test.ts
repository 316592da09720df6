import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStatusError, noDecisionTrace } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { createTestRequest } from '../../authentication/testing.ts';
import { createFeatures } from '../../features/create-features.ts';
import type { Authorizer, RequestAttributes } from '../authorizer.ts';
import { createPrivilegedGroupsAuthorizer } from '../privileged-groups.ts';
import { createImpersonator } from './impersonator.ts';

const caller: UserInfo = {
  name: 'op',
  uid: 'u',
  groups: ['own', 'system:authenticated'],
  extra: { own: ['1'] },
};
const master: UserInfo = {
  ...caller,
  name: 'root',
  groups: ['system:masters', 'system:authenticated'],
};
const onNode: UserInfo = {
  name: 'system:serviceaccount:kube-system:agent',
  uid: '',
  groups: [],
  extra: {
    'authentication.kubernetes.io/node-name': ['n1'],
    'authentication.kubernetes.io/pod-name': ['p'],
  },
};

/**
 * `impersonate users/jane`, `impersonate:user-info authentication.k8s.io/groups/dev`, with `*` for
 * any name.
 */
function grants(...texts: string[]): Authorizer & { asked: string[] } {
  const asked: string[] = [];
  return {
    name: 'test',
    asked,
    authorize(_user, attributes) {
      const text = describe(attributes);
      asked.push(text);
      const allowed = texts.includes(text) || texts.includes(text.replace(/\/[^/]*$/, '/*'));
      return { decision: allowed ? 'allow' : 'no-opinion', reason: '' };
    },
  };
}
function describe(a: RequestAttributes): string {
  if (!a.isResource) return `${a.verb} ${a.path}`;
  const scope = [a.group, a.namespace, a.resource, a.subresource].filter((s) => s !== '');
  return `${a.verb} ${[...scope, a.name].join('/')}`;
}

const info = {
  isResourceRequest: true,
  path: '/api/v1/namespaces/default/pods',
  verb: 'list',
  apiPrefix: 'api',
  group: '',
  version: 'v1',
  namespace: 'default',
  resource: 'pods',
  subresource: '',
  name: '',
  parts: [],
  query: new URLSearchParams(),
};
type Headers = Record<string, string | string[]>;
async function ask(authorizer: Authorizer, headers: Headers, user = caller, version = '1.36') {
  const impersonate = createImpersonator(authorizer, createFeatures({ emulatedVersion: version }));
  const request = createTestRequest({ headers });
  try {
    const result = await impersonate({ request, info, user, trace: noDecisionTrace });
    if (result === undefined) return 'nobody';
    const { name, groups, uid, extra } = result.user;
    const more = [uid, ...Object.entries(extra).map(([k, v]) => `${k}=${v.join('+')}`)].filter(
      (t) => t !== '',
    );
    return `${name} [${groups.join(' ')}]${more.map((t) => ` ${t}`).join('')}${result.constraint && ` by ${result.constraint}`}`;
  } catch (error) {
    assert.ok(isStatusError(error));
    return `${error.code} ${error.message}`;
  }
}
const as = (name: string, more: Headers = {}): Headers => ({ 'impersonate-user': name, ...more });

test('the legacy mode, with and without the gate', async () => {
  const rows: [what: string, granted: string[], headers: Headers, expected: string][] = [
    ['nothing asked', [], {}, 'nobody'],
    ['empty user', [], as(''), 'nobody'],
    ['a user', ['impersonate users/jane'], as('jane'), 'jane [system:authenticated]'],
    [
      'groups',
      ['impersonate users/jane', 'impersonate groups/a,b', 'impersonate groups/c'],
      as('jane', { 'impersonate-group': ['a,b', 'c'] }),
      'jane [a,b c system:authenticated]',
    ],
    [
      'a service account',
      ['impersonate shop/serviceaccounts/bot'],
      as('system:serviceaccount:shop:bot'),
      'system:serviceaccount:shop:bot [system:serviceaccounts system:serviceaccounts:shop system:authenticated]',
    ],
    [
      'its groups given',
      ['impersonate shop/serviceaccounts/bot', 'impersonate groups/*'],
      as('system:serviceaccount:shop:bot', { 'impersonate-group': 'g' }),
      'system:serviceaccount:shop:bot [g system:authenticated]',
    ],
    [
      'anonymous',
      ['impersonate users/*'],
      as('system:anonymous'),
      'system:anonymous [system:unauthenticated]',
    ],
    [
      'unauthenticated',
      ['impersonate users/*', 'impersonate groups/*'],
      as('x', { 'impersonate-group': 'system:unauthenticated' }),
      'x [system:unauthenticated]',
    ],
    [
      'uid and extra',
      [
        'impersonate users/*',
        'impersonate authentication.k8s.io/uids/7',
        'impersonate authentication.k8s.io/userextras/acme.com/team/x',
      ],
      as('jane', { 'impersonate-uid': '7', 'impersonate-extra-acme.com%2fteam': 'x' }),
      'jane [system:authenticated] 7 acme.com/team=x',
    ],
    [
      'masters by legacy',
      ['impersonate users/*', 'impersonate groups/*'],
      as('x', { 'impersonate-group': 'system:masters' }),
      'x [system:masters system:authenticated]',
    ],
    [
      'a node',
      ['impersonate users/*'],
      as('system:node:n1'),
      'system:node:n1 [system:authenticated]',
    ],
  ];
  for (const [what, granted, headers, expected] of rows)
    for (const version of ['1.34', '1.36'])
      assert.equal(
        await ask(grants(...granted), headers, caller, version),
        expected,
        `${what} ${version}`,
      );
});

test('refusals without the gate', async () => {
  const refusal = (resource: string, what: string, where = 'at the cluster scope', group = '') =>
    `403 ${what} is forbidden: User "op" cannot impersonate resource "${resource}" in API group "${group}" ${where}`;
  const rows: [granted: string[], headers: Headers, expected: string][] = [
    [[], as('jane'), refusal('users', 'users "jane"')],
    [
      ['impersonate users/jane'],
      as('jane', { 'impersonate-group': 'g' }),
      refusal('groups', 'groups "g"'),
    ],
    [
      ['impersonate users/*'],
      as('system:serviceaccount:shop:bot'),
      refusal('serviceaccounts', 'serviceaccounts "bot"', 'in the namespace "shop"'),
    ],
    [
      ['impersonate users/*'],
      as('jane', { 'impersonate-extra-scopes': 'x' }),
      refusal(
        'userextras/scopes',
        'userextras.authentication.k8s.io "x"',
        'at the cluster scope',
        'authentication.k8s.io',
      ),
    ],
    [
      [
        'impersonate:user-info authentication.k8s.io/users/*',
        'impersonate-on:user-info:list default/pods/',
      ],
      as('jane'),
      refusal('users', 'users "jane"'),
    ],
    [
      ['impersonate users/*'],
      { 'impersonate-group': 'g' },
      '400 requested [{Group  g    }] without impersonating a user',
    ],
  ];
  for (const [granted, headers, expected] of rows)
    assert.equal(await ask(grants(...granted), headers, caller, '1.35'), expected);
});

test('auth §7.8 (5), (6), (11): constrained modes, and the constraint that audit shows', async () => {
  const on = (mode: string) => `impersonate-on:${mode}:list default/pods/`;
  const identity = (mode: string, what: string) =>
    `impersonate:${mode} authentication.k8s.io/${what}`;
  const user = [on('user-info'), identity('user-info', 'users/*')];
  const rows: [
    what: string,
    granted: string[],
    headers: Headers,
    expected: string,
    who?: UserInfo,
  ][] = [
    ['a user', user, as('jane'), 'jane [system:authenticated] by impersonate:user-info'],
    [
      'with a group',
      [...user, identity('user-info', 'groups/dev')],
      as('jane', { 'impersonate-group': 'dev' }),
      'jane [dev system:authenticated] by impersonate:user-info',
    ],
    [
      'identity without action',
      [identity('user-info', 'users/*')],
      as('jane'),
      '403 pods is forbidden: User "op" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      'action without identity',
      [on('user-info')],
      as('jane'),
      '403 users.authentication.k8s.io "jane" is forbidden: User "op" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope',
    ],
    [
      'masters',
      [...user, identity('user-info', 'groups/*')],
      as('jane', { 'impersonate-group': 'system:masters' }),
      '403 groups.authentication.k8s.io "system:masters" is forbidden: User "op" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope: impersonating the system:masters group is not allowed',
    ],
    [
      'an empty group',
      [...user, identity('user-info', 'groups/*')],
      as('jane', { 'impersonate-group': '' }),
      '403 groups.authentication.k8s.io is forbidden: User "op" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope: impersonating the empty string group is not allowed',
    ],
    [
      'an extra key without domain',
      [...user, identity('user-info', 'userextras/scopes/*')],
      as('jane', { 'impersonate-extra-scopes': 'x' }),
      '403 userextras.authentication.k8s.io is forbidden: User "op" cannot impersonate:user-info resource "userextras" in API group "authentication.k8s.io" at the cluster scope: impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "scopes": must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [
      'a service account',
      [on('serviceaccount'), identity('serviceaccount', 'shop/serviceaccounts/bot')],
      as('system:serviceaccount:shop:bot'),
      'system:serviceaccount:shop:bot [system:serviceaccounts system:serviceaccounts:shop system:authenticated] by impersonate:serviceaccount',
    ],
    [
      'a service account as user',
      user,
      as('system:serviceaccount:shop:bot'),
      '403 pods is forbidden: User "op" cannot impersonate-on:serviceaccount:list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      'any node',
      [on('arbitrary-node'), identity('arbitrary-node', 'nodes/*')],
      as('system:node:n2'),
      'system:node:n2 [system:nodes system:authenticated] by impersonate:arbitrary-node',
    ],
    [
      'a node with groups',
      [on('arbitrary-node'), identity('arbitrary-node', 'nodes/*')],
      as('system:node:n2', { 'impersonate-group': 'system:nodes' }),
      '403 users "system:node:n2" is forbidden: User "op" cannot impersonate resource "users" in API group "" at the cluster scope',
    ],
    [
      'a malformed node is a user',
      user,
      as('system:node:N2'),
      'system:node:N2 [system:authenticated] by impersonate:user-info',
    ],
    [
      'the own node',
      [on('associated-node'), identity('associated-node', 'nodes/*')],
      as('system:node:n1'),
      'system:node:n1 [system:nodes system:authenticated] by impersonate:associated-node',
      onNode,
    ],
    [
      'another node',
      [on('associated-node'), identity('associated-node', 'nodes/*')],
      as('system:node:n2'),
      '403 pods is forbidden: User "system:serviceaccount:kube-system:agent" cannot impersonate-on:arbitrary-node:list resource "pods" in API group "" in the namespace "default"',
      onNode,
    ],
    [
      'a person claiming a node',
      [on('associated-node'), identity('associated-node', 'nodes/*')],
      as('system:node:n1'),
      '403 pods is forbidden: User "op" cannot impersonate-on:arbitrary-node:list resource "pods" in API group "" in the namespace "default"',
      { ...onNode, name: 'op' },
    ],
    [
      'only an extra',
      [],
      { 'impersonate-extra-a': 'b' },
      '400 requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string(nil), Extra:map[string][]string{"a":[]string{"b"}}} without impersonating a user name',
    ],
    [
      'only a group',
      [],
      { 'impersonate-group': 'g' },
      '400 requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)} without impersonating a user name',
    ],
  ];
  for (const [what, granted, headers, expected, who] of rows)
    assert.equal(await ask(grants(...granted), headers, who ?? caller), expected, what);
});

test('auth §7.8 (9): many groups are asked about at once', async () => {
  const authorizer = grants(
    'impersonate-on:user-info:list default/pods/',
    'impersonate:user-info authentication.k8s.io/users/*',
    'impersonate:user-info authentication.k8s.io/groups/*',
  );
  await ask(authorizer, as('jane', { 'impersonate-group': ['a', 'b', 'c', 'd'] }));
  assert.equal(authorizer.asked.filter((text) => text.includes('/groups/')).length, 1);
});

test('the last successful mode of a caller is tried first', async () => {
  const impersonate = createImpersonator(createPrivilegedGroupsAuthorizer(), createFeatures());
  const groupsOf = async (headers: Headers) => {
    const request = createTestRequest({ headers });
    return (await impersonate({ request, info, user: master, trace: noDecisionTrace }))?.user
      .groups;
  };
  assert.deepEqual(await groupsOf(as('system:node:n1')), ['system:nodes', 'system:authenticated']);
  await groupsOf(as('x', { 'impersonate-group': 'system:masters' }));
  assert.deepEqual(await groupsOf(as('system:node:n1')), ['system:authenticated']);
});
