import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerState, Pod, PodStatus } from '@keelson/apimachinery/types/core.v1';
import { podCells } from './table.ts';

const now = Date.parse('2030-01-01T01:00:00Z');

function cells(status: PodStatus, fields: Partial<Pod> = {}): unknown[] {
  const pod: Pod = {
    metadata: { name: 'p', creationTimestamp: '2030-01-01T00:00:00Z' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
    status,
    ...fields,
  };
  return podCells(pod, now).slice(0, 4);
}

const container = (state: ContainerState, fields: object = {}) => ({
  containerStatuses: [
    { name: 'c', ready: false, restartCount: 0, image: 'i', imageID: '', state, ...fields },
  ],
});

const rows: readonly (readonly [string, unknown[], unknown[]])[] = [
  ['phase only', cells({ phase: 'Pending' }), ['p', '0/1', 'Pending', '0']],
  [
    'reason of the pod',
    cells({ phase: 'Failed', reason: 'Evicted' }),
    ['p', '0/1', 'Evicted', '0'],
  ],
  [
    'waiting container',
    cells({ phase: 'Pending', ...container({ waiting: { reason: 'ImagePullBackOff' } }) }),
    ['p', '0/1', 'ImagePullBackOff', '0'],
  ],
  [
    'exit code without reason',
    cells({ phase: 'Running', ...container({ terminated: { exitCode: 3 } }) }),
    ['p', '0/1', 'ExitCode:3', '0'],
  ],
  [
    'killed by a signal',
    cells({ phase: 'Running', ...container({ terminated: { exitCode: 137, signal: 9 } }) }),
    ['p', '0/1', 'Signal:9', '0'],
  ],
  [
    'restarted a while ago',
    cells({
      phase: 'Running',
      ...container(
        { running: { startedAt: '2030-01-01T00:50:00Z' } },
        {
          ready: true,
          restartCount: 2,
          lastState: { terminated: { exitCode: 1, finishedAt: '2030-01-01T00:50:00Z' } },
        },
      ),
    }),
    ['p', '1/1', 'Running', '2 (10m ago)'],
  ],
  [
    'gated',
    cells({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
    }),
    ['p', '0/1', 'SchedulingGated', '0'],
  ],
  [
    'being deleted',
    cells(
      { phase: 'Running', ...container({ running: {} }, { ready: true }) },
      { metadata: { name: 'p', deletionTimestamp: '2030-01-01T00:59:00Z' } },
    ),
    ['p', '1/1', 'Terminating', '0'],
  ],
];

for (const [what, actual, expected] of rows) {
  test(`pod row: ${what}`, () => assert.deepEqual(actual, expected));
}
