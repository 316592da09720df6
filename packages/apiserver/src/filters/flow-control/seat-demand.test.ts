import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeatDemand } from './seat-demand.ts';

test('demand is weighted by time', () => {
  const demand = createSeatDemand(0);
  demand.set(10, 5_000);
  const { highWatermark, average, deviation, smoothed } = demand.endPeriod(10_000, 1);
  assert.deepEqual([highWatermark, average, deviation, smoothed], [10, 5, 5, 10]);
});

test('demand is followed upwards at once and halved in five minutes', () => {
  const demand = createSeatDemand(0);
  demand.set(100, 0);
  assert.equal(demand.endPeriod(10_000, 1).smoothed, 100);
  demand.set(0, 10_000);
  let now = 10_000;
  for (let i = 0; i < 30; i++) demand.endPeriod((now += 10_000), 1);
  const { smoothed, highWatermark } = demand.statistics;
  assert.ok(smoothed > 48 && smoothed < 52, String(smoothed));
  assert.equal(highWatermark, 0);
});

test('many periods at once are as many one by one', () => {
  const at = (steps: number) => {
    const demand = createSeatDemand(0);
    demand.set(100, 0);
    demand.endPeriod(10_000, 1);
    demand.set(0, 10_000);
    for (let i = 1; i <= 30; i += 30 / steps)
      demand.endPeriod(10_000 + (i + 30 / steps - 1) * 10_000, 30 / steps);
    return demand.statistics.smoothed;
  };
  assert.ok(Math.abs(at(1) - at(30)) < 1e-9);
});
