import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asKubeObject, type JsonObject } from '@keelson/apimachinery';
import type { AuditedRequest } from '../explain/audit-event.ts';
import { proposeFromAudit } from './from-audit.ts';
import { describeObject, rulesOfRole } from './policy.ts';
import { describeChange, diffRights } from './rights-diff.ts';
import { readRbacState } from './state.ts';

const rbac = 'rbac.authorization.k8s.io';
const role = (name: string, ...rules: JsonObject[]) =>
  asKubeObject({
    apiVersion: `${rbac}/v1`,
    kind: 'Role',
    metadata: { name, namespace: 'shop' },
    rules,
  });
const bind = (name: string, roleName: string, ...subjects: JsonObject[]) =>
  asKubeObject({
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: { name, namespace: 'shop' },
    roleRef: { apiGroup: rbac, kind: 'Role', name: roleName },
    subjects,
  });
const reading = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] };
const jane = { kind: 'User', name: 'jane' };

const did = (
  verb: string,
  resource: string,
  name = '',
  more: Partial<AuditedRequest> = {},
): AuditedRequest => ({
  user: { name: 'jane', groups: ['system:authenticated'] },
  question: { verb, group: '', resource, namespace: 'shop', name },
  code: 200,
  stage: 'ResponseComplete',
  ...more,
});

test('what was done becomes the least that allows it', () => {
  const rows: [
    what: string,
    log: AuditedRequest[],
    objects: string[],
    rules: object[],
    withheld: string[],
  ][] = [
    ['nothing', [], [], [], []],
    ['refused', [did('list', 'pods', '', { code: 403 })], [], [], []],
    [
      'by a master',
      [did('list', 'pods', '', { user: { name: 'root', groups: ['system:masters'] } })],
      [],
      [],
      [],
    ],
    ['held already', [did('get', 'endpoints', 'x')], [], [], []],
    [
      'a role that fits',
      [did('get', 'pods', 'a'), did('list', 'pods')],
      ['RoleBinding shop/jane-reader'],
      [],
      [],
    ],
    [
      'less than the role',
      [did('list', 'pods')],
      ['Role shop/jane', 'RoleBinding shop/jane'],
      [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }],
      [],
    ],
    [
      'few names',
      [did('patch', 'configmaps', 'a'), did('patch', 'configmaps', 'b')],
      ['Role shop/jane', 'RoleBinding shop/jane'],
      [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['a', 'b'], verbs: ['patch'] }],
      [],
    ],
    [
      'many names',
      ['a', 'b', 'c', 'd'].map((name) => did('patch', 'configmaps', name)),
      ['Role shop/jane', 'RoleBinding shop/jane'],
      [{ apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] }],
      [],
    ],
    [
      'own names',
      [did('create', 'configmaps'), did('delete', 'configmaps', 'a')],
      ['Role shop/jane', 'RoleBinding shop/jane'],
      [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'delete'] }],
      [],
    ],
    [
      'subresources',
      [did('get', 'pods/log', 'a')],
      ['Role shop/jane', 'RoleBinding shop/jane'],
      [{ apiGroups: [''], resources: ['pods/log'], resourceNames: ['a'], verbs: ['get'] }],
      [],
    ],
    ['Secrets', [did('list', 'secrets')], [], [], ['list secrets']],
    [
      'one Secret',
      [did('get', 'secrets', 'tls')],
      ['Role shop/jane', 'RoleBinding shop/jane'],
      [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['tls'], verbs: ['get'] }],
      [],
    ],
    ['pods', [did('create', 'pods')], [], [], ['create pods']],
  ];
  const state = readRbacState([
    role('reader', reading),
    role('mine', { apiGroups: [''], resources: ['endpoints'], verbs: ['get'] }),
    bind('mine', 'mine', jane),
  ]);
  for (const [what, log, objects, rules, withheld] of rows) {
    const proposals = proposeFromAudit(state, log);
    const all = proposals.flatMap((proposal) => proposal.objects);
    assert.deepEqual(all.map(describeObject), objects, what);
    assert.deepEqual(all.filter(({ kind }) => kind === 'Role').flatMap(rulesOfRole), rules, what);
    assert.deepEqual(
      proposals.flatMap((p) => p.withheld.map(({ rule }) => `${rule.verbs} ${rule.resources}`)),
      withheld,
      what,
    );
    const granted = proposeFromAudit(state, log, { grantEscalations: true });
    assert.deepEqual(
      granted.flatMap((p) => p.withheld),
      [],
      what,
    );
    assert.equal(granted.flatMap((p) => p.objects).length > all.length, withheld.length > 0, what);
  }
});

test('who is impersonated has done it; impersonating is withheld', () => {
  const log = [
    did('list', 'pods', '', {
      impersonated: { name: 'system:serviceaccount:shop:web', groups: [] },
    }),
  ];
  const proposals = proposeFromAudit(readRbacState([]), log);
  const told = proposals.map(({ who, objects, withheld }) => [
    who.name,
    objects.length,
    withheld.length,
  ]);
  assert.deepEqual(told, [
    ['jane', 0, 1],
    ['system:serviceaccount:shop:web', 2, 0],
  ]);
});

test('effective rights differ where what can be done differs', () => {
  const listing = { ...reading, verbs: ['list'] };
  const getting = { ...reading, verbs: ['get'] };
  const group = { kind: 'Group', name: 'system:serviceaccounts:shop' };
  const account = { kind: 'ServiceAccount', name: 'default' };
  const before = [role('r', reading), bind('b', 'r', jane, account)];
  const rows: [what: string, after: typeof before, ...changes: string[][]][] = [
    ['nothing', before],
    [
      'divided',
      [
        role('r', getting),
        role('s', listing),
        bind('b', 'r', jane, account),
        bind('c', 's', jane, account),
      ],
    ],
    ['two rules for one', [role('r', getting, listing), bind('b', 'r', account, jane)]],
    [
      'less',
      [role('r', listing), bind('b', 'r', jane, account)],
      ['ServiceAccount shop/default', '- get pods in shop'],
      ['User jane', '- get pods in shop'],
    ],
    [
      'a group for its account',
      [role('r', reading), bind('b', 'r', jane, group)],
      ['Group system:serviceaccounts:shop', '+ get pods in shop', '+ list pods in shop'],
    ],
    [
      'a role that is gone',
      [bind('b', 'r', jane, account)],
      ['ServiceAccount shop/default', '- get pods in shop', '- list pods in shop'],
      ['User jane', '- get pods in shop', '- list pods in shop'],
    ],
    [
      'a role of nobody',
      [...before, role('unused', { apiGroups: ['*'], resources: ['*'], verbs: ['*'] })],
    ],
  ];
  for (const [what, after, ...changes] of rows)
    assert.deepEqual(
      diffRights(readRbacState(before), readRbacState(after)).map(describeChange),
      changes,
      what,
    );
});
