import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObject, runCreate, testContext } from '../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../testing/strategy-tables.ts';
import { rbacStrategies } from './strategies.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const group = 'rbac.authorization.k8s.io';
const {
  roles = {},
  clusterroles = {},
  rolebindings = {},
  clusterrolebindings = {},
} = rbacStrategies;

const role = (rule: object) => ({
  apiVersion,
  kind: 'Role',
  metadata: { name: 'r' },
  rules: [rule],
});
const clusterRole = (more: object) => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: { name: 'r' },
  ...more,
});
const readPods = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
const readHealth = { nonResourceURLs: ['/healthz'], verbs: ['get'] };

testCreates(roles, [
  ['pods', role(readPods), []],
  [
    'nothing',
    role({}),
    [
      'rules[0].verbs: Required value: verbs must contain at least one value',
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
  ],
  [
    'paths',
    role(readHealth),
    [
      'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs',
    ],
  ],
]);

testCreates(clusterroles, [
  ['paths', clusterRole({ rules: [readHealth] }), []],
  [
    'paths and pods in one rule',
    clusterRole({ rules: [{ ...readPods, ...readHealth }] }),
    [
      'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
  ],
  [
    'aggregated from nowhere',
    clusterRole({ aggregationRule: {} }),
    [
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ],
  ],
]);

const ref = { apiGroup: group, kind: 'Role', name: 'r' };
const ann = { apiGroup: group, kind: 'User', name: 'ann' };
const binding = (more: object, kind = 'RoleBinding') => ({
  apiVersion,
  kind,
  metadata: { name: 'b', namespace: 'n', resourceVersion: '1' },
  roleRef: ref,
  subjects: [ann],
  ...more,
});

testCreates(rolebindings, [
  ['a user', binding({}), []],
  [
    'an account of the same namespace',
    binding({ subjects: [{ kind: 'ServiceAccount', name: 'a' }] }),
    [],
  ],
  [
    'a group of another API',
    binding({ subjects: [{ ...ann, apiGroup: 'x' }] }),
    [`subjects[0].apiGroup: Unsupported value: "x": supported values: "${group}"`],
  ],
  [
    'another kind of subject',
    binding({ subjects: [{ ...ann, kind: 'Robot' }] }),
    [
      'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
    ],
  ],
  [
    'a role of nowhere',
    binding({ roleRef: { apiGroup: 'x', kind: 'Thing', name: '' } }),
    [
      `roleRef.apiGroup: Unsupported value: "x": supported values: "${group}"`,
      'roleRef.kind: Unsupported value: "Thing": supported values: "Role", "ClusterRole"',
      'roleRef.name: Required value',
    ],
  ],
]);

testCreates(clusterrolebindings, [
  [
    'a role of one namespace',
    binding({}, 'ClusterRoleBinding'),
    ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
  ],
  [
    'an account of no namespace',
    binding(
      {
        roleRef: { ...ref, kind: 'ClusterRole' },
        subjects: [{ kind: 'ServiceAccount', name: 'a' }],
      },
      'ClusterRoleBinding',
    ),
    ['subjects[0].namespace: Required value'],
  ],
]);

testUpdates(rolebindings, [
  ['other subjects', binding({ subjects: [] }), binding({}), []],
  [
    'another role',
    binding({ roleRef: { ...ref, name: 'admin' } }),
    binding({}),
    [
      `roleRef: Invalid value: {"APIGroup":"${group}","Kind":"Role","Name":"admin"}: cannot change roleRef`,
    ],
  ],
]);

test('the API group of subjects follows from their kind', () => {
  const subjects = [
    { kind: 'User', name: 'ann' },
    { kind: 'ServiceAccount', name: 'a' },
  ];
  const given = binding({ subjects, roleRef: { kind: 'Role', name: 'r' } });
  const { object } = runCreate(rolebindings, given);
  assert.deepEqual(object['roleRef'], ref);
  assert.deepEqual(object['subjects'], [ann, { kind: 'ServiceAccount', name: 'a' }]);
});

test('kubectl shows whom a binding is for', () => {
  const subjects = [
    ann,
    { ...ann, kind: 'Group', name: 'devs' },
    { kind: 'ServiceAccount', namespace: 'n', name: 'a' },
  ];
  const cells = rolebindings.tableCells?.(readObject(binding({ subjects })), testContext.nowMs);
  assert.deepEqual(cells, ['b', 'Role/r', '<unknown>', 'ann', 'devs', 'n/a']);
});
