import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodCondition } from '@keelson/apimachinery/types/core.v1';
import { setPodCondition } from './pod-conditions.ts';

const nowMs = Date.parse('2026-01-02T03:04:05Z');
const podWith = (...conditions: Partial<PodCondition>[]): Pod =>
  ({ metadata: {}, spec: { containers: [] }, status: { conditions } }) as unknown as Pod;

test('a condition keeps its place, and its time while its status stays', () => {
  const before = '2025-01-01T00:00:00Z';
  const pod = podWith(
    { type: 'PodScheduled', status: 'True', lastTransitionTime: before },
    { type: 'Ready', status: 'False', lastTransitionTime: before },
  );
  setPodCondition(pod, { type: 'PodScheduled', status: 'True' }, nowMs);
  setPodCondition(pod, { type: 'Ready', status: 'True', reason: 'R' }, nowMs);
  setPodCondition(pod, { type: 'DisruptionTarget', status: 'True' }, nowMs);
  const now = '2026-01-02T03:04:05Z';
  assert.deepEqual(
    pod.status?.conditions?.map((c) => [c.type, c.status, c.lastTransitionTime, c.lastProbeTime]),
    [
      ['PodScheduled', 'True', before, null],
      ['Ready', 'True', now, null],
      ['DisruptionTarget', 'True', now, null],
    ],
  );
});
