import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HorizontalPodAutoscaler } from '@keelson/apimachinery/types/autoscaling.v2';
import { isDisabledAtZero, scaledToZero } from './scaled-to-zero.ts';

const cpu = { type: 'Resource' };
const queue = { type: 'External' };
const autoscaler = (
  minReplicas: number | undefined,
  metrics: readonly { type: string }[],
  isAtZero = 'False',
): HorizontalPodAutoscaler => ({
  metadata: { name: 'h' },
  spec: {
    scaleTargetRef: { kind: 'Deployment', name: 'web' },
    maxReplicas: 3,
    metrics: [...metrics],
    ...(minReplicas !== undefined && { minReplicas }),
  },
  status: {
    desiredReplicas: 0,
    conditions: [{ type: 'ScaledToZero', status: isAtZero, lastTransitionTime: null }],
  },
});

test('a target at zero is left alone unless its autoscaler brought it there', () => {
  const rows: [what: string, autoscaler: HorizontalPodAutoscaler, gate: boolean, off: boolean][] = [
    ['without the gate', autoscaler(undefined, [cpu]), false, true],
    ['without the gate, by other things', autoscaler(1, [queue], 'True'), false, true],
    ['a minimum of zero from when the gate was on', autoscaler(0, [queue]), false, false],
    ['somebody set it to zero', autoscaler(0, [queue]), true, true],
    ['the autoscaler did', autoscaler(0, [queue], 'True'), true, false],
    ['it did, and measures nothing else now', autoscaler(0, [cpu], 'True'), true, true],
    ['it did, and is to have one now', autoscaler(1, [cpu], 'True'), true, false],
    ['nobody knows', autoscaler(0, [queue], 'Unknown'), true, true],
  ];
  for (const [what, one, hasScaleToZero, expected] of rows)
    assert.equal(isDisabledAtZero(one, hasScaleToZero), expected, what);
});

test('the condition says who set it to zero', () => {
  const rows: [autoscaler: HorizontalPodAutoscaler, from: number, to: number, reason: string][] = [
    [autoscaler(0, [queue]), 2, 0, 'ScaledToZero'],
    [autoscaler(0, [cpu, queue]), 1, 0, 'ScaledToZero'],
    [autoscaler(0, [cpu]), 2, 0, 'NotScaledToZero'],
    [autoscaler(1, [queue]), 2, 0, 'NotScaledToZero'],
    [autoscaler(0, [queue]), 0, 2, 'NotScaledToZero'],
    [autoscaler(0, [queue]), 3, 1, 'NotScaledToZero'],
  ];
  for (const [one, from, to, reason] of rows) {
    const condition = scaledToZero(one, { from, to });
    assert.deepEqual(
      [condition.reason, condition.status],
      [reason, reason === 'ScaledToZero' ? 'True' : 'False'],
    );
  }
});
