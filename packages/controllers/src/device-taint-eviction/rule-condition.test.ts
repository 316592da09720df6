import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ruleCondition, type RuleCounts } from './rule-condition.ts';

const none: RuleCounts = {
  pendingPods: 0,
  namespaces: 0,
  publishedDevices: 0,
  allocatedDevices: 0,
  evictedPods: 0,
};
const onlyOnce =
  'This information will not be updated again. Recreate the DeviceTaintRule to trigger an update.';

const rows: readonly [effect: string, counts: Partial<RuleCounts>, told: string][] = [
  ['NoExecute', {}, 'False NotStarted: '],
  [
    'NoExecute',
    { pendingPods: 1, namespaces: 1 },
    'True PodsPendingEviction: 1 pod needs to be evicted in 1 namespace.',
  ],
  [
    'NoExecute',
    { pendingPods: 3, namespaces: 2 },
    'True PodsPendingEviction: 3 pods need to be evicted in 2 different namespaces.',
  ],
  [
    'NoExecute',
    { pendingPods: 2, namespaces: 1, evictedPods: 1 },
    'True PodsPendingEviction: 2 pods need to be evicted in 1 namespace. 1 pod evicted since starting the controller.',
  ],
  [
    'NoExecute',
    { evictedPods: 2 },
    'False Completed: 2 pods evicted since starting the controller.',
  ],
  [
    'None',
    {},
    `False NoEffect: 0 published devices selected. 0 allocated devices selected. 0 pods would be evicted in 0 different namespaces if the effect was NoExecute. ${onlyOnce}`,
  ],
  [
    'None',
    { publishedDevices: 1, allocatedDevices: 1, pendingPods: 1, namespaces: 1 },
    `False NoEffect: 1 published device selected. 1 allocated device selected. 1 pod would be evicted in 1 namespace if the effect was NoExecute. ${onlyOnce}`,
  ],
  [
    'None',
    { publishedDevices: 3, evictedPods: 1 },
    `False NoEffect: 3 published devices selected. 0 allocated devices selected. 0 pods would be evicted in 0 different namespaces if the effect was NoExecute. ${onlyOnce} 1 pod evicted since starting the controller.`,
  ],
  [
    'NoSchedule',
    { pendingPods: 7 },
    'False OtherEffect: Eviction only happens for the NoExecute effect.',
  ],
  ['Shout', {}, 'False OtherEffect: Eviction only happens for the NoExecute effect.'],
];

for (const [effect, counts, told] of rows)
  test(`${effect} and ${JSON.stringify(counts)}`, () => {
    const rule = { metadata: { generation: 4 }, spec: { taint: { key: 'k', effect } } };
    const { type, status, reason, message, observedGeneration } = ruleCondition(rule, {
      ...none,
      ...counts,
    });
    assert.equal(`${status} ${reason}: ${message}`, told);
    assert.deepEqual([type, observedGeneration], ['EvictionInProgress', 4]);
  });
