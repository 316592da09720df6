import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodFailurePolicyRule } from '@keelson/apimachinery/types/batch.v1';
import type { ContainerStatus, Pod } from '@keelson/apimachinery/types/core.v1';
import { judgeFailure, type FailureVerdict } from './pod-failure-policy.ts';

/** Undefined: it runs still. */
const ended = (name: string, exitCode?: number): ContainerStatus => ({
  name,
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  state: exitCode === undefined ? { running: {} } : { terminated: { exitCode } },
});
const pod = (
  containers: readonly ContainerStatus[],
  conditions: readonly (readonly [type: string, status: string])[] = [],
  inits: readonly ContainerStatus[] = [],
): Pod => ({
  metadata: { namespace: 'ns', name: 'p' },
  spec: { containers: [] },
  status: {
    phase: 'Failed',
    containerStatuses: [...containers],
    initContainerStatuses: [...inits],
    conditions: conditions.map(([type, status]) => ({ type, status })),
  },
});

type Operator = 'In' | 'NotIn';
type Action = PodFailurePolicyRule['action'];
const onCodes = (
  action: Action,
  operator: Operator,
  values: number[],
  containerName?: string,
): PodFailurePolicyRule => ({
  action,
  onExitCodes: { operator, values, ...(containerName !== undefined && { containerName }) },
});
const onConditions = (
  action: Action,
  ...patterns: readonly (readonly [type: string, status?: string])[]
): PodFailurePolicyRule => ({
  action,
  onPodConditions: patterns.map(([type, status]) => ({
    type,
    ...(status !== undefined && { status }),
  })) as PodFailurePolicyRule['onPodConditions'] & object,
});

const counts: FailureVerdict = { counts: true };
const fails = (failJobMessage: string): FailureVerdict => ({
  counts: true,
  action: 'FailJob',
  failJobMessage,
});
const exited = (what: string, index = 0) =>
  fails(`Container ${what} matching FailJob rule at index ${index}`);

const rows: [why: string, rules: PodFailurePolicyRule[], pod: Pod, verdict: FailureVerdict][] = [
  ['no rules', [], pod([ended('a', 1)]), counts],
  [
    'a listed code',
    [onCodes('FailJob', 'In', [2, 42])],
    pod([ended('a', 42)]),
    exited('a for pod ns/p failed with exit code 42'),
  ],
  ['another code', [onCodes('FailJob', 'In', [2])], pod([ended('a', 42)]), counts],
  [
    'a code that is not listed',
    [onCodes('FailJob', 'NotIn', [2])],
    pod([ended('a', 42)]),
    exited('a for pod ns/p failed with exit code 42'),
  ],
  ['no failure at all', [onCodes('FailJob', 'NotIn', [2])], pod([ended('a', 0)]), counts],
  ['still running', [onCodes('FailJob', 'NotIn', [2])], pod([ended('a')]), counts],
  [
    'another container',
    [onCodes('FailJob', 'In', [2], 'b')],
    pod([ended('a', 2), ended('b', 3)]),
    counts,
  ],
  [
    'that container',
    [onCodes('FailJob', 'In', [2], 'b')],
    pod([ended('a', 2), ended('b', 2)]),
    exited('b for pod ns/p failed with exit code 2'),
  ],
  [
    'an init container, after the others',
    [onCodes('FailJob', 'In', [2, 3])],
    pod([ended('a', 3)], [], [ended('i', 2)]),
    exited('a for pod ns/p failed with exit code 3'),
  ],
  [
    'an init container alone',
    [onCodes('FailJob', 'In', [2])],
    pod([ended('a')], [], [ended('i', 2)]),
    exited('i for pod ns/p failed with exit code 2'),
  ],
  [
    'the first rule that matches',
    [
      onCodes('Ignore', 'In', [1]),
      onCodes('FailJob', 'In', [2]),
      onConditions('Ignore', ['DisruptionTarget']),
    ],
    pod([ended('a', 2)], [['DisruptionTarget', 'True']]),
    exited('a for pod ns/p failed with exit code 2', 1),
  ],
  [
    'a condition',
    [onConditions('Ignore', ['DisruptionTarget'])],
    pod([ended('a', 1)], [['DisruptionTarget', 'True']]),
    { counts: false, action: 'Ignore' },
  ],
  [
    'a condition that is not so',
    [onConditions('Ignore', ['DisruptionTarget'])],
    pod([ended('a', 1)], [['DisruptionTarget', 'False']]),
    counts,
  ],
  [
    'a condition that is asked to be false',
    [onConditions('Count', ['DisruptionTarget', 'False'])],
    pod([ended('a', 1)], [['DisruptionTarget', 'False']]),
    { counts: true, action: 'Count' },
  ],
  [
    'of several conditions the one that the pod has first',
    [onConditions('FailJob', ['ConfigIssue'], ['DisruptionTarget'])],
    pod(
      [],
      [
        ['DisruptionTarget', 'True'],
        ['ConfigIssue', 'True'],
      ],
    ),
    fails('Pod ns/p has condition DisruptionTarget matching FailJob rule at index 0'),
  ],
  [
    'an index',
    [onCodes('FailIndex', 'In', [1])],
    pod([ended('a', 1)]),
    { counts: true, action: 'FailIndex' },
  ],
  [
    'an action that nobody knows is passed over',
    [onCodes('Explode' as Action, 'In', [1]), onCodes('Ignore', 'In', [1])],
    pod([ended('a', 1)]),
    { counts: false, action: 'Ignore' },
  ],
];

for (const [why, rules, of, verdict] of rows)
  test(`what a failure means: ${why}`, () => {
    assert.deepEqual(judgeFailure({ rules }, of), verdict);
  });

test('without a policy every failure counts', () => {
  assert.deepEqual(judgeFailure(undefined, pod([ended('a', 1)])), counts);
});
