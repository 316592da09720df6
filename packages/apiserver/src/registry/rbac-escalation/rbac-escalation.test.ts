import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStatusError, noDecisionTrace, type KubeObject } from '@keelson/apimachinery';
import { createTestObjects } from '../../authentication/testing.ts';
import type { PolicyRule } from '../../authorization/rbac/policy-rule.ts';
import { createRbacAuthorizer } from '../../authorization/rbac/rbac-authorizer.ts';
import { checkBindEscalation, checkRoleEscalation, type RbacWrite } from './rbac-escalation.ts';

const rbacRule = (verbs: string, resources: string, ...resourceNames: string[]): PolicyRule => ({
  verbs: verbs.split(','),
  apiGroups: ['rbac.authorization.k8s.io'],
  resources: resources.split(','),
  ...(resourceNames.length > 0 ? { resourceNames } : {}),
});
const getPods: PolicyRule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const all: PolicyRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
const allUrls: PolicyRule = { verbs: ['*'], nonResourceURLs: ['*'] };

function cluster(held: PolicyRule[], inNamespace: PolicyRule[] = []) {
  const subjects = [{ kind: 'User', name: 'actor' }];
  const rbac = createRbacAuthorizer({
    clusterRoles: createTestObjects([
      { metadata: { name: 'held' }, rules: held },
      { metadata: { name: 'view' }, rules: [getPods, { ...getPods, verbs: ['list'] }] },
    ]),
    clusterRoleBindings: createTestObjects([
      { metadata: { name: 'held' }, roleRef: { kind: 'ClusterRole', name: 'held' }, subjects },
    ]),
    roles: createTestObjects([{ metadata: { namespace: 'shop', name: 'r' }, rules: inNamespace }]),
    roleBindings: createTestObjects([
      {
        metadata: { namespace: 'shop', name: 'b' },
        roleRef: { kind: 'Role', name: 'r' },
        subjects,
      },
    ]),
  });
  return { rbac, authorizer: rbac };
}

function write(
  resource: string,
  object: KubeObject,
  more: Partial<RbacWrite> & { groups?: string[] } = {},
): RbacWrite {
  const { namespace = '', name = '', groups = ['system:authenticated'], oldObject } = more;
  const user = { name: 'actor', uid: '', groups, extra: {} };
  const base = { user, trace: noDecisionTrace, resource, namespace, name, object };
  return oldObject === undefined ? base : { ...base, oldObject };
}
const outcome = async (check: Promise<void>) => {
  try {
    await check;
    return 'ok';
  } catch (error) {
    assert.ok(isStatusError(error));
    return `${error.code} ${error.message}`;
  }
};
const role = (rules: PolicyRule[], more: object = {}): KubeObject => ({
  metadata: { name: 'want' },
  rules,
  ...more,
});
const refused = (what: string, missing: string, groups = '"system:authenticated"') =>
  `403 ${what} is forbidden: user "actor" (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${missing}`;

test('roles', async () => {
  const aggregated = { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } };
  const clusterrole = 'clusterroles.rbac.authorization.k8s.io "want"';
  const roleName = 'roles.rbac.authorization.k8s.io "want"';
  const old = role([getPods], { metadata: { name: 'want', uid: '1', labels: { a: 'b' } } });
  type Row = [
    what: string,
    held: PolicyRule[],
    inNamespace: PolicyRule[],
    write: RbacWrite,
    expected: string,
  ];
  const rows: Row[] = [
    ['held', [getPods], [], write('clusterroles', role([getPods])), 'ok'],
    [
      'not held',
      [],
      [],
      write('clusterroles', role([getPods])),
      refused(clusterrole, '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'),
    ],
    [
      'held in the namespace',
      [],
      [getPods],
      write('roles', role([getPods]), { namespace: 'shop' }),
      'ok',
    ],
    [
      'held in another namespace',
      [],
      [getPods],
      write('roles', role([getPods]), { namespace: 'bank' }),
      refused(roleName, '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'),
    ],
    [
      'held in a namespace only',
      [],
      [getPods],
      write('clusterroles', role([getPods])),
      refused(clusterrole, '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'),
    ],
    [
      'may escalate',
      [rbacRule('escalate', 'clusterroles')],
      [],
      write('clusterroles', role([all])),
      'ok',
    ],
    [
      'may escalate roles only',
      [rbacRule('escalate', 'roles')],
      [],
      write('clusterroles', role([all])),
      refused(clusterrole, '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}'),
    ],
    [
      'may escalate by name, create',
      [rbacRule('escalate', 'clusterroles', 'want')],
      [],
      write('clusterroles', role([all])),
      refused(clusterrole, '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}'),
    ],
    [
      'may escalate by name, update',
      [rbacRule('escalate', 'clusterroles', 'want')],
      [],
      write('clusterroles', role([all]), { name: 'want', oldObject: old }),
      'ok',
    ],
    [
      'masters',
      [],
      [],
      write('clusterroles', role([all, allUrls]), { groups: ['system:masters'] }),
      'ok',
    ],
    [
      'a user called masters',
      [],
      [],
      write('clusterroles', role([all]), { groups: ['system:master'] }),
      refused(clusterrole, '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}', '"system:master"'),
    ],
    ['no rules', [], [], write('clusterroles', role([])), 'ok'],
    [
      'only a finalizer',
      [],
      [],
      write(
        'clusterroles',
        { ...old, metadata: { ...old.metadata, finalizers: ['x'] } },
        { name: 'want', oldObject: old },
      ),
      'ok',
    ],
    [
      'only a label',
      [],
      [],
      write(
        'clusterroles',
        { ...old, metadata: { ...old.metadata, labels: { a: 'c' } } },
        { name: 'want', oldObject: old },
      ),
      refused(clusterrole, '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'),
    ],
    ['aggregated, all held', [all, allUrls], [], write('clusterroles', role([], aggregated)), 'ok'],
    [
      'aggregated, not all held',
      [getPods, allUrls],
      [],
      write('clusterroles', role([], aggregated)),
      `403 ${clusterrole} is forbidden: must have cluster-admin privileges to use the aggregationRule`,
    ],
    [
      'was aggregated',
      [getPods, allUrls],
      [],
      write('clusterroles', role([]), { name: 'want', oldObject: role([], aggregated) }),
      `403 ${clusterrole} is forbidden: must have cluster-admin privileges to use the aggregationRule`,
    ],
  ];
  for (const [what, held, inNamespace, asked, expected] of rows)
    assert.equal(
      await outcome(checkRoleEscalation(cluster(held, inNamespace), asked)),
      expected,
      what,
    );
});

test('bindings', async () => {
  const to = (kind: string, name: string): KubeObject => ({
    metadata: { name: 'wb' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects: [{ kind: 'User', name: 'zoe' }],
  });
  const crb = (object: KubeObject) => write('clusterrolebindings', object);
  const rb = (object: KubeObject, namespace = 'shop') =>
    write('rolebindings', object, { namespace });
  const missing = '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}';
  type Row = [
    what: string,
    held: PolicyRule[],
    inNamespace: PolicyRule[],
    write: RbacWrite,
    expected: string,
  ];
  const rows: Row[] = [
    ['held', [{ ...getPods, verbs: ['*'] }], [], crb(to('ClusterRole', 'view')), 'ok'],
    [
      'not held',
      [],
      [],
      crb(to('ClusterRole', 'view')),
      refused('clusterrolebindings.rbac.authorization.k8s.io "wb"', missing),
    ],
    [
      'may bind',
      [rbacRule('bind', 'clusterroles', 'view')],
      [],
      crb(to('ClusterRole', 'view')),
      'ok',
    ],
    [
      'may bind another',
      [rbacRule('bind', 'clusterroles', 'edit')],
      [],
      crb(to('ClusterRole', 'view')),
      refused('clusterrolebindings.rbac.authorization.k8s.io "wb"', missing),
    ],
    ['may bind here', [], [rbacRule('bind', 'clusterroles')], rb(to('ClusterRole', 'view')), 'ok'],
    [
      'may bind elsewhere',
      [],
      [rbacRule('bind', 'clusterroles')],
      rb(to('ClusterRole', 'view'), 'bank'),
      refused('rolebindings.rbac.authorization.k8s.io "wb"', missing),
    ],
    [
      'may bind here, cluster-wide',
      [],
      [rbacRule('bind', 'clusterroles')],
      crb(to('ClusterRole', 'view')),
      refused('clusterrolebindings.rbac.authorization.k8s.io "wb"', missing),
    ],
    [
      'no such role',
      [],
      [],
      rb(to('ClusterRole', 'none')),
      '404 rolebindings.rbac.authorization.k8s.io "none" not found',
    ],
    [
      'no such role, may bind',
      [rbacRule('bind', 'clusterroles')],
      [],
      crb(to('ClusterRole', 'none')),
      'ok',
    ],
    [
      'a kind that is no role',
      [rbacRule('bind', '*')],
      [],
      crb(to('Pod', 'view')),
      '404 clusterrolebindings.rbac.authorization.k8s.io "view" not found',
    ],
  ];
  for (const [what, held, inNamespace, asked, expected] of rows)
    assert.equal(
      await outcome(checkBindEscalation(cluster(held, inNamespace), asked)),
      expected,
      what,
    );
});
