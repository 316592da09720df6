import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, mergeConditions, type ContentReport } from './conditions.ts';

const report = (more: Partial<ContentReport> = {}): ContentReport => ({
  stale: [],
  deletionErrors: [],
  remaining: [],
  finalizers: new Map(),
  ...more,
});
const resource = (group: string, name: string) => ({ group, resource: name });

const rows: [
  what: string,
  report: ContentReport,
  bad: Record<string, [reason: string, message: string]>,
][] = [
  ['nothing left', report(), {}],
  [
    'content of two groups, sorted',
    report({
      remaining: [
        { resource: resource('', 'pods'), count: 2 },
        { resource: resource('apps', 'deployments'), count: 1 },
      ],
    }),
    {
      NamespaceContentRemaining: [
        'SomeResourcesRemain',
        'Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances',
      ],
    },
  ],
  [
    'finalizers, sorted',
    report({
      finalizers: new Map([
        ['z.io/f', 1],
        ['a.io/f', 3],
      ]),
    }),
    {
      NamespaceFinalizersRemaining: [
        'SomeFinalizersRemain',
        'Some content in the namespace has finalizers remaining: a.io/f in 3 resource instances, z.io/f in 1 resource instances',
      ],
    },
  ],
  [
    'failures',
    report({ stale: ['b.io/v1', 'a.io/v1'], deletionErrors: ['z', 'a'] }),
    {
      NamespaceDeletionDiscoveryFailure: [
        'DiscoveryFailed',
        'Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: a.io/v1: stale GroupVersion discovery: a.io/v1, b.io/v1: stale GroupVersion discovery: b.io/v1',
      ],
      NamespaceDeletionContentFailure: [
        'ContentDeletionFailed',
        'Failed to delete all resource types, 2 remaining: a, z',
      ],
    },
  ],
];
for (const [what, given, bad] of rows) {
  test(`findings: ${what}`, () => {
    const findings = findingsOf(given);
    assert.equal(findings.length, 5);
    for (const { type, status, reason, message } of findings) {
      const expected = bad[type];
      assert.equal(status, expected === undefined ? 'False' : 'True', type);
      if (expected !== undefined) assert.deepEqual([reason, message], expected);
    }
  });
}

test('conditions change only when something has changed', () => {
  const fine = findingsOf(report());
  const first = mergeConditions([], fine, 'T1') ?? [];
  assert.equal(first.length, 5);
  assert.equal(mergeConditions(first, fine, 'T2'), undefined);

  const one = report({ remaining: [{ resource: resource('', 'pods'), count: 1 }] });
  const two = report({ remaining: [{ resource: resource('', 'pods'), count: 2 }] });
  const at = (list: typeof first) => list.find(({ type }) => type === 'NamespaceContentRemaining');
  const second = mergeConditions(first, findingsOf(one), 'T2') ?? [];
  assert.equal(at(second)?.lastTransitionTime, 'T2');
  // Another message is no transition.
  const third = mergeConditions(second, findingsOf(two), 'T3') ?? [];
  assert.equal(at(third)?.lastTransitionTime, 'T2');
  assert.match(at(third)?.message ?? '', /has 2/);
  // Conditions of others stay.
  const foreign = { type: 'Mine', status: 'True' };
  assert.deepEqual(mergeConditions([foreign], fine, 'T1')?.[0], foreign);
});
