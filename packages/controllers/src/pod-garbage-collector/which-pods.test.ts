import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import { isOutOfService, surplusFinishedPods } from './which-pods.ts';

const pod = (name: string, phase: string, reason?: string): Pod => ({
  metadata: { name, creationTimestamp: `2026-01-0${name}T00:00:00Z` },
  spec: { containers: [] },
  status: { phase, ...(reason !== undefined && { reason }) },
});

test('the oldest finished pods beyond the number go, evicted ones first', () => {
  const pods = [
    pod('4', 'Succeeded'),
    pod('1', 'Running'),
    pod('3', 'Failed'),
    pod('5', 'Failed', 'Evicted'),
    pod('2', 'Pending'),
  ];
  const rows: [max: number, gone: string[]][] = [
    [3, []],
    [2, ['5']],
    [1, ['5', '3']],
    [0, ['5', '3', '4']],
  ];
  for (const [max, gone] of rows)
    assert.deepEqual(
      surplusFinishedPods(pods, max).map(({ metadata }) => metadata.name),
      gone,
    );
});

test('a node is out of service when the taint says so and it is not ready', () => {
  const node = (status: string, key: string): Node => ({
    metadata: {},
    spec: { taints: [{ key, effect: 'NoExecute' }] },
    status: { conditions: [{ type: 'Ready', status }] },
  });
  const taint = 'node.kubernetes.io/out-of-service';
  assert.equal(isOutOfService(node('False', taint)), true);
  assert.equal(isOutOfService(node('Unknown', taint)), true);
  assert.equal(isOutOfService(node('True', taint)), false);
  assert.equal(isOutOfService(node('False', 'other')), false);
  assert.equal(isOutOfService(undefined), false);
});
