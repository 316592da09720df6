import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionTrace, noDecisionTrace, type KubeObject } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { createTestObjects } from '../../authentication/testing.ts';
import type { AuthorizationResult, RequestAttributes } from '../authorizer.ts';
import type { PolicyRule, Subject } from './policy-rule.ts';
import { createRbacAuthorizer } from './rbac-authorizer.ts';

const user = (name: string, ...groups: string[]): UserInfo => ({
  name,
  uid: '',
  groups,
  extra: {},
});
const role = (namespace: string, name: string, ...rules: PolicyRule[]): KubeObject => ({
  metadata: namespace === '' ? { name } : { namespace, name },
  rules,
});
const binding = (
  namespace: string,
  name: string,
  ref: string,
  ...subjects: Subject[]
): KubeObject => {
  const [kind = '', roleName = ''] = ref.split('/');
  return {
    metadata: namespace === '' ? { name } : { namespace, name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: roleName },
    subjects,
  };
};
const toUser = (name: string): Subject => ({ kind: 'User', name });
const toGroup = (name: string): Subject => ({ kind: 'Group', name });

/** `get pods`, `get pods/log`, `get deployments.apps`, with a name and a namespace. */
function resource(text: string, namespace = '', name = ''): RequestAttributes {
  const [verb = '', what = ''] = text.split(' ');
  const [path = '', ...group] = what.split('.');
  const [plural = '', subresource = ''] = path.split('/');
  return {
    isResource: true,
    verb,
    namespace,
    group: group.join('.'),
    version: 'v1',
    resource: plural,
    subresource,
    name,
  };
}
const url = (verb: string, path: string): RequestAttributes => ({ isResource: false, verb, path });

function cluster(objects: {
  roles?: KubeObject[];
  roleBindings?: KubeObject[];
  clusterRoles?: KubeObject[];
  clusterRoleBindings?: KubeObject[];
}) {
  const sources = {
    roles: createTestObjects(objects.roles),
    roleBindings: createTestObjects(objects.roleBindings),
    clusterRoles: createTestObjects(objects.clusterRoles),
    clusterRoleBindings: createTestObjects(objects.clusterRoleBindings),
  };
  return { ...sources, rbac: createRbacAuthorizer(sources) };
}
type Cluster = ReturnType<typeof cluster>;
const decide = (c: Cluster, who: UserInfo, attributes: RequestAttributes) =>
  c.rbac.authorize(who, attributes, noDecisionTrace) as AuthorizationResult;

test('what one rule allows', () => {
  const rows: [rule: PolicyRule, asked: RequestAttributes, allowed: boolean][] = [
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }, resource('get pods'), true],
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }, resource('list pods'), false],
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }, resource('get pods/log'), false],
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods/log'] }, resource('get pods/log'), true],
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods/log'] }, resource('get pods'), false],
    [{ verbs: ['get'], apiGroups: [''], resources: ['pods/*'] }, resource('get pods/log'), false],
    [{ verbs: ['get'], apiGroups: [''], resources: ['*'] }, resource('get pods/log'), true],
    [{ verbs: ['get'], apiGroups: [''], resources: ['*/log'] }, resource('get pods/log'), true],
    [{ verbs: ['get'], apiGroups: [''], resources: ['*/log'] }, resource('get pods'), false],
    [{ verbs: ['get'], apiGroups: [''], resources: ['*/log'] }, resource('get log'), false],
    [
      { verbs: ['*'], apiGroups: ['apps'], resources: ['deployments'] },
      resource('escalate deployments.apps'),
      true,
    ],
    [
      { verbs: ['*'], apiGroups: ['apps'], resources: ['deployments'] },
      resource('get deployments'),
      false,
    ],
    [
      { verbs: ['get'], apiGroups: ['*'], resources: ['widgets'] },
      resource('get widgets.a.example.com'),
      true,
    ],
    [{ verbs: ['get'], apiGroups: [], resources: ['pods'] }, resource('get pods'), false],
    [{ verbs: [], apiGroups: ['*'], resources: ['*'] }, resource('get pods'), false],
    [{ verbs: ['GET'], apiGroups: [''], resources: ['pods'] }, resource('get pods'), false],
    [
      { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['one'] },
      resource('get secrets', '', 'one'),
      true,
    ],
    [
      { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['one'] },
      resource('get secrets', '', 'two'),
      false,
    ],
    [
      { verbs: ['*'], apiGroups: [''], resources: ['secrets'], resourceNames: ['one'] },
      resource('create secrets'),
      false,
    ],
    [
      { verbs: ['*'], apiGroups: [''], resources: ['secrets'], resourceNames: ['*'] },
      resource('get secrets', '', 'one'),
      false,
    ],
    [{ verbs: ['get'], nonResourceURLs: ['/healthz*'] }, url('get', '/healthz/etcd'), true],
    [{ verbs: ['get'], nonResourceURLs: ['/healthz/*'] }, url('get', '/healthz'), false],
    [{ verbs: ['get'], nonResourceURLs: ['/api'] }, url('get', '/apis'), false],
    [{ verbs: ['get'], nonResourceURLs: ['*'] }, url('get', '/anything'), true],
    [{ verbs: ['get'], nonResourceURLs: ['*'] }, url('post', '/anything'), false],
    [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, url('get', '/metrics'), false],
    [{ verbs: ['*'], nonResourceURLs: ['*'] }, resource('get pods'), false],
  ];
  for (const [rule, asked, allowed] of rows) {
    const c = cluster({
      clusterRoles: [role('', 'r', rule)],
      clusterRoleBindings: [binding('', 'b', 'ClusterRole/r', toUser('ann'))],
    });
    const what = `${JSON.stringify(rule)} ${JSON.stringify(asked)}`;
    assert.equal(decide(c, user('ann'), asked).decision, allowed ? 'allow' : 'no-opinion', what);
    assert.equal(decide(c, user('bob'), asked).decision, 'no-opinion', what);
  }
});

test('whom a binding means, and where', () => {
  const all: PolicyRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  const c = cluster({
    clusterRoles: [role('', 'all', all, { verbs: ['*'], nonResourceURLs: ['*'] })],
    roles: [role('shop', 'all', all)],
    clusterRoleBindings: [binding('', 'everywhere', 'ClusterRole/all', toGroup('ops'))],
    roleBindings: [
      binding('shop', 'here', 'Role/all', toUser('ann')),
      binding(
        'shop',
        'bots',
        'ClusterRole/all',
        { kind: 'ServiceAccount', name: 'bot' },
        { kind: 'ServiceAccount', namespace: 'other', name: 'bot' },
      ),
      binding('bank', 'wrong', 'Role/all', toUser('ann')),
      binding('bank', 'machines', 'ClusterRole/all', { kind: 'Machine', name: 'ann' }),
    ],
  });
  const via = (text: string) => `RBAC: allowed by ${text}`;
  const missing = 'RBAC: role.rbac.authorization.k8s.io "all" not found';
  const rows: [who: UserInfo, asked: RequestAttributes, reason: string][] = [
    [
      user('x', 'ops'),
      resource('get pods', 'bank'),
      via('ClusterRoleBinding "everywhere" of ClusterRole "all" to Group "ops"'),
    ],
    [
      user('x', 'ops'),
      url('get', '/metrics'),
      via('ClusterRoleBinding "everywhere" of ClusterRole "all" to Group "ops"'),
    ],
    [user('ops'), resource('get pods', 'bank'), ''],
    [
      user('ann'),
      resource('get pods', 'shop'),
      via('RoleBinding "here/shop" of Role "all" to User "ann"'),
    ],
    [user('ann'), resource('get pods'), ''],
    [user('ann'), resource('get pods', 'bank'), missing],
    [user('ann'), url('get', '/metrics'), ''],
    [user('ANN'), resource('get pods', 'shop'), ''],
    [user('x', 'ann'), resource('get pods', 'shop'), ''],
    [
      user('system:serviceaccount:shop:bot'),
      resource('get pods', 'shop'),
      via('RoleBinding "bots/shop" of ClusterRole "all" to ServiceAccount "bot/shop"'),
    ],
    [
      user('system:serviceaccount:other:bot'),
      resource('get pods', 'shop'),
      via('RoleBinding "bots/shop" of ClusterRole "all" to ServiceAccount "bot/other"'),
    ],
    [user('system:serviceaccount:shop:bot'), url('get', '/metrics'), ''],
    [user('bot'), resource('get pods', 'shop'), ''],
  ];
  for (const [who, asked, reason] of rows)
    assert.equal(decide(c, who, asked).reason, reason, `${who.name} ${JSON.stringify(asked)}`);
});

test('changes count at once', () => {
  const c = cluster({});
  const ann = user('ann', 'dev');
  const asked = resource('get pods', 'shop', 'p');
  const allowed = () => decide(c, ann, asked).decision === 'allow';
  const reading = role('shop', 'r', { verbs: ['get'], apiGroups: [''], resources: ['pods'] });
  assert.equal(allowed(), false);
  c.roleBindings.set(binding('shop', 'b', 'Role/r', toUser('ann')));
  assert.equal(allowed(), false);
  c.roles.set(reading);
  assert.equal(allowed(), true);
  c.roleBindings.set(binding('shop', 'b', 'Role/r', toUser('bob')));
  assert.equal(allowed(), false);
  c.roleBindings.set(binding('shop', 'b', 'Role/r', toGroup('dev')));
  assert.equal(allowed(), true);
  c.roles.set(role('shop', 'r'));
  assert.equal(allowed(), false);
  c.roles.set(reading);
  c.roles.delete('shop', 'r');
  assert.equal(allowed(), false);
  c.roles.set(reading);
  c.roleBindings.delete('shop', 'b');
  assert.equal(allowed(), false);
});

test('many bindings of one group give the same answers as few', () => {
  const count = 200;
  const c = cluster({
    clusterRoles: Array.from({ length: count }, (_, i) =>
      role(
        '',
        `r${i}`,
        { verbs: ['get'], apiGroups: [`g${i}`], resources: ['things', 'things/status'] },
        { verbs: ['get'], nonResourceURLs: [`/u${i}/*`] },
      ),
    ),
    clusterRoleBindings: Array.from({ length: count }, (_, i) =>
      binding('', `b${i}`, `ClusterRole/r${i}`, toGroup('all')),
    ),
  });
  const who = user('x', 'all');
  for (let i = 0; i < count; i += 37) {
    assert.match(
      decide(c, who, resource(`get things.g${i}`)).reason,
      new RegExp(`"b${i}" of ClusterRole "r${i}"`),
    );
    assert.match(decide(c, who, resource(`get things/status.g${i}`)).reason, new RegExp(`"r${i}"`));
    assert.equal(decide(c, who, url('get', `/u${i}/x`)).decision, 'allow');
    assert.equal(decide(c, who, resource(`list things.g${i}`)).decision, 'no-opinion');
  }
  c.clusterRoles.set(role('', 'r0', { verbs: ['list'], apiGroups: ['*'], resources: ['*'] }));
  assert.equal(decide(c, who, resource('list things.g7')).decision, 'allow');
  c.clusterRoles.delete('', 'r0');
  assert.equal(
    decide(c, who, resource('list things.g7')).reason,
    'RBAC: clusterrole.rbac.authorization.k8s.io "r0" not found',
  );
});

test('the rules of a user', async () => {
  const reading: PolicyRule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
  const c = cluster({
    clusterRoles: [role('', 'r', reading, { verbs: ['get'], nonResourceURLs: ['/x'] })],
    clusterRoleBindings: [binding('', 'b', 'ClusterRole/r', toUser('ann'), toGroup('dev'))],
    roleBindings: [
      binding('shop', 'lost', 'Role/none', toUser('ann')),
      binding('bank', 'b', 'ClusterRole/r', toUser('ann')),
    ],
  });
  assert.deepEqual(await c.rbac.rulesFor(user('ann', 'dev'), 'shop'), {
    resourceRules: [{ ...reading, resourceNames: [] }],
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
    incomplete: false,
    evaluationError: 'role.rbac.authorization.k8s.io "none" not found',
  });
  assert.equal((await c.rbac.rulesFor(user('ann'), 'bank')).resourceRules.length, 2);
});

test('a trace names the rule that allowed or those that came close', () => {
  const c = cluster({
    clusterRoles: [
      role(
        '',
        'r',
        { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
        { verbs: ['list'], apiGroups: ['apps'], resources: ['*'] },
      ),
    ],
    clusterRoleBindings: [binding('', 'b', 'ClusterRole/r', toUser('ann'))],
  });
  const trace = createDecisionTrace();
  c.rbac.authorize(user('ann'), resource('get pods'), trace);
  c.rbac.authorize(user('ann'), resource('delete pods'), trace);
  const [allowed, refused] = trace.steps();
  const grant = {
    binding: { kind: 'ClusterRoleBinding', name: 'b' },
    role: { kind: 'ClusterRole', name: 'r' },
    rule: 0,
    subject: 0,
  };
  assert.equal(allowed?.outcome, 'allow');
  assert.deepEqual(allowed?.detail, grant);
  const policyRule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
  assert.deepEqual(refused?.detail, {
    grantsLookedAt: 1,
    nearMisses: [{ ...grant, policyRule, lacks: 'verb' }],
    unresolved: [],
  });
});
