import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
} from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { findCondition, isConditionTrue } from '../customresourcedefinitions/conditions.ts';
import { cleanupFinalizer } from '../customresourcedefinitions/strategy.ts';
import { updateApprovalCondition, updateSchemaCondition } from './conformance.ts';
import { completeCleanup, failCleanup, isAwaitingCleanup, startCleanup } from './finalizing.ts';
import { acceptNames, establish, updateNames } from './naming.ts';

const things = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' };

function definition(
  names: CustomResourceDefinitionNames,
  more: Partial<CustomResourceDefinition> = {},
): CustomResourceDefinition {
  return {
    metadata: { name: `${names.plural}.example.com` },
    spec: { group: 'example.com', names, scope: 'Namespaced', versions: [] },
    ...more,
  };
}

function accepted(names: CustomResourceDefinitionNames): CustomResourceDefinition {
  return definition(names, { status: { acceptedNames: names } });
}

const conflicts: readonly (readonly [string, CustomResourceDefinitionNames, string, string])[] = [
  ['plural', { plural: 'thing', kind: 'K' }, 'PluralConflict', '"thing" is already in use'],
  [
    'singular',
    { plural: 'ks', singular: 'things', kind: 'K' },
    'SingularConflict',
    '"things" is already in use',
  ],
  [
    'short names',
    { plural: 'ks', kind: 'K', shortNames: ['thing', 'k', 'things'] },
    'ShortNamesConflict',
    '["thing" is already in use, "things" is already in use]',
  ],
  ['kind', { plural: 'ks', kind: 'ThingList' }, 'KindConflict', '"ThingList" is already in use'],
  [
    'several: the last one is told',
    { plural: 'ks', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
    'ListKindConflict',
    '"ThingList" is already in use',
  ],
];

for (const [name, names, reason, message] of conflicts) {
  test(`names that are taken: ${name}`, () => {
    const { condition } = acceptNames(definition(names), [accepted(things)]);
    assert.deepEqual(condition, { type: 'NamesAccepted', status: 'False', reason, message });
  });
}

test('names without conflict are accepted beside those with one', () => {
  const crd = definition({
    plural: 'others',
    singular: 'thing',
    kind: 'Thing',
    categories: ['all'],
  });
  const { names } = acceptNames(crd, [accepted(things)]);
  assert.deepEqual(names, { plural: 'others', kind: '', categories: ['all'] });
});

test('own names are no conflict', () => {
  const crd = accepted(things);
  crd.spec.names = { ...things, shortNames: ['th'] };
  assert.equal(acceptNames(crd, [crd]).condition.status, 'True');
});

test('from new to established', () => {
  const crd = definition(things);
  assert.equal(establish(crd, 0), false);
  assert.equal(updateNames(crd, [], 0), true);
  assert.equal(findCondition(crd, 'Established')?.reason, 'Installing');
  assert.equal(updateNames(crd, [], 1), false);
  assert.equal(establish(crd, 1), true);
  assert.equal(establish(crd, 2), false);
  assert.equal(findCondition(crd, 'Established')?.reason, 'InitialNamesAccepted');
});

test('what is established stays so when a new name is refused', () => {
  const crd = definition(things);
  updateNames(crd, [], 0);
  establish(crd, 0);
  crd.spec.names = { ...things, singular: 'other' };
  const other = accepted({ plural: 'others', singular: 'other', kind: 'Other' });
  assert.equal(updateNames(crd, [other], 1), true);
  assert.equal(isConditionTrue(crd, 'NamesAccepted'), false);
  assert.equal(isConditionTrue(crd, 'Established'), true);
  assert.equal(crd.status?.acceptedNames?.singular, 'thing');
});

test('a conflict at first keeps it from being served', () => {
  const crd = definition(things);
  updateNames(crd, [accepted(things)], 0);
  assert.equal(findCondition(crd, 'Established')?.reason, 'NotAccepted');
  assert.equal(establish(crd, 1), false);
});

test('a schema that is not structural is told, and forgotten when it is', () => {
  const crd = definition(things);
  const version = { name: 'v1', served: true, storage: true };
  const having = (type: string) => ({
    ...crd.spec,
    versions: [{ ...version, schema: { openAPIV3Schema: { type } } }],
  });
  crd.spec = having('array');
  assert.equal(updateSchemaCondition(crd, 0), true);
  assert.equal(updateSchemaCondition(crd, 0), false);
  assert.equal(findCondition(crd, 'NonStructuralSchema')?.reason, 'Violations');
  crd.spec = having('object');
  assert.equal(updateSchemaCondition(crd, 1), true);
  assert.equal(findCondition(crd, 'NonStructuralSchema'), undefined);
});

const approvals = [
  ['https://github.com/kubernetes/kubernetes/pull/1', 'True', 'ApprovedAnnotation'],
  ['unapproved, experimental', 'False', 'UnapprovedAnnotation'],
  ['perhaps', 'False', 'InvalidAnnotation'],
] as const;

for (const [value, status, reason] of approvals) {
  test(`approval of a protected group: ${value}`, () => {
    const crd = definition(things);
    crd.spec.group = 'things.k8s.io';
    crd.metadata.annotations = { 'api-approved.kubernetes.io': value };
    updateApprovalCondition(crd, 0);
    const condition = findCondition(crd, 'KubernetesAPIApprovalPolicyConformant');
    assert.deepEqual([condition?.status, condition?.reason], [status, reason]);
  });
}

test('groups of others need no approval', () => {
  assert.equal(updateApprovalCondition(definition(things), 0), false);
});

test('a definition goes after its objects', () => {
  const crd = definition(things);
  assert.equal(isAwaitingCleanup(crd), false);
  crd.metadata.deletionTimestamp = '2024-01-01T00:00:00Z';
  crd.metadata.finalizers = ['example.com/hold', cleanupFinalizer];
  assert.equal(isAwaitingCleanup(crd), true);
  updateNames(crd, [], 0);
  establish(crd, 0);
  startCleanup(crd, 1);
  assert.equal(findCondition(crd, 'Terminating')?.reason, 'InstanceDeletionInProgress');
  failCleanup(crd, { step: 'list', error: 'no storage' }, 2);
  assert.equal(findCondition(crd, 'Terminating')?.message, 'could not list instances: no storage');
  completeCleanup(crd, 3);
  assert.equal(findCondition(crd, 'Terminating')?.reason, 'InstanceDeletionCompleted');
  assert.deepEqual(crd.metadata.finalizers, ['example.com/hold']);
});

test('a definition that was never served has nothing to remove', () => {
  const crd = definition(things);
  crd.metadata.finalizers = [cleanupFinalizer];
  completeCleanup(crd, 0);
  assert.equal(findCondition(crd, 'Terminating')?.reason, 'NeverEstablished');
  assert.equal(crd.metadata.finalizers, undefined);
});
