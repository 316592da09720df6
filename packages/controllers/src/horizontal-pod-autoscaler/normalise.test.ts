import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { emptyHistory, normalise, withScaleEvent, type NormaliseInput } from './normalise.ts';

const now = 10_000_000;
const input = (given: Partial<NormaliseInput>): NormaliseInput => ({
  current: 10,
  desired: 10,
  min: 1,
  max: 100,
  hasBehavior: true,
  downscaleStabilizationMs: 300_000,
  history: emptyHistory,
  now,
  ...given,
});
const ago = (seconds: number, replicas: number) => ({ at: now - seconds * 1000, replicas });
const recent = (...recommendations: { at: number; replicas: number }[]) => ({
  ...emptyHistory,
  recommendations,
});
const percent = (value: number) => [{ type: 'Percent', value, periodSeconds: 60 }];
const pods = (value: number) => [{ type: 'Pods', value, periodSeconds: 60 }];

test('spec §19.8: cases 5, 6, 7 and 11, and their neighbours', () => {
  const rows: [what: string, given: Partial<NormaliseInput>, replicas: number, reasons: string][] =
    [
      ['nothing to do', {}, 10, 'ReadyForNewScale DesiredWithinRange'],
      ['5: up by 100 %', { desired: 50 }, 20, 'ReadyForNewScale ScaleUpLimit'],
      ['5: or four pods', { current: 1, desired: 50 }, 5, 'ReadyForNewScale ScaleUpLimit'],
      [
        '5: without behaviour twice as many',
        { desired: 50, hasBehavior: false },
        20,
        'ReadyForNewScale ScaleUpLimit',
      ],
      [
        '6: down waits',
        { desired: 2, history: recent(ago(299, 9)) },
        9,
        'ScaleDownStabilized DesiredWithinRange',
      ],
      [
        '6: for five minutes',
        { desired: 2, history: recent(ago(300, 9)) },
        2,
        'ReadyForNewScale DesiredWithinRange',
      ],
      [
        '6: without behaviour too',
        { desired: 2, hasBehavior: false, history: recent(ago(299, 9)) },
        9,
        'ScaleDownStabilized DesiredWithinRange',
      ],
      [
        '6: a window of its own',
        { desired: 2, down: { stabilizationWindowSeconds: 10 }, history: recent(ago(11, 9)) },
        2,
        'ReadyForNewScale DesiredWithinRange',
      ],
      [
        'up waits where it is told to',
        { desired: 20, up: { stabilizationWindowSeconds: 60 }, history: recent(ago(30, 12)) },
        12,
        'ScaleUpStabilized DesiredWithinRange',
      ],
      [
        '7: no way up',
        { desired: 20, up: { selectPolicy: 'Disabled' } },
        10,
        'ReadyForNewScale ScaleUpLimit',
      ],
      [
        '7: no way down',
        { desired: 2, down: { selectPolicy: 'Disabled' } },
        10,
        'ReadyForNewScale ScaleDownLimit',
      ],
      [
        'the larger step',
        { desired: 90, up: { policies: [...pods(1), ...percent(50)] } },
        15,
        'ReadyForNewScale ScaleUpLimit',
      ],
      [
        'the smaller step',
        { desired: 90, up: { selectPolicy: 'Min', policies: [...pods(1), ...percent(50)] } },
        11,
        'ReadyForNewScale ScaleUpLimit',
      ],
      [
        'down by the larger step',
        { desired: 1, down: { policies: [...pods(1), ...percent(50)] } },
        5,
        'ReadyForNewScale ScaleDownLimit',
      ],
      [
        'down by the smaller step',
        { desired: 1, down: { selectPolicy: 'Min', policies: [...pods(1), ...percent(50)] } },
        9,
        'ReadyForNewScale ScaleDownLimit',
      ],
      ['too many', { desired: 500, max: 15 }, 15, 'ReadyForNewScale TooManyReplicas'],
      ['too few', { desired: 0, min: 3 }, 3, 'ReadyForNewScale TooFewReplicas'],
      [
        'a percentage of nothing is nothing',
        { current: 0, min: 0, desired: 5, up: { policies: percent(100) } },
        0,
        'ReadyForNewScale ScaleUpLimit',
      ],
    ];
  for (const [what, given, replicas, reasons] of rows) {
    const result = normalise(input(given));
    assert.equal(result.replicas, replicas, what);
    assert.equal(result.conditions.map(({ reason }) => reason).join(' '), reasons, what);
  }
});

test('what was done in the period counts', () => {
  const up = { policies: pods(4) };
  const did = withScaleEvent(emptyHistory, { from: 7, to: 10, now: now - 30_000 });
  assert.equal(normalise(input({ desired: 50, up, history: did })).replicas, 11);
  const before = withScaleEvent(emptyHistory, { from: 7, to: 10, now: now - 60_000 });
  assert.equal(normalise(input({ desired: 50, up, history: before })).replicas, 14);
  const down = withScaleEvent(emptyHistory, { from: 12, to: 10, now: now - 30_000 });
  assert.equal(
    normalise(input({ desired: 1, down: { policies: pods(3) }, history: down })).replicas,
    9,
  );
});

test('whatever is asked for: within the bounds, and never against the request', () => {
  const count = fc.integer({ min: 0, max: 60 });
  const policy = fc.record({
    type: fc.constantFrom('Pods', 'Percent'),
    value: fc.integer({ min: 1, max: 300 }),
    periodSeconds: fc.integer({ min: 1, max: 1800 }),
  });
  const rules = fc.record({
    selectPolicy: fc.constantFrom('Max', 'Min', 'Disabled'),
    policies: fc.array(policy, { minLength: 1, maxLength: 3 }),
    stabilizationWindowSeconds: fc.integer({ min: 0, max: 3600 }),
  });
  const past = fc.array(fc.tuple(fc.nat(4_000), count), { maxLength: 5 });
  fc.assert(
    fc.property(
      fc.record({
        current: count,
        desired: count,
        up: rules,
        down: rules,
        past,
        hasBehavior: fc.boolean(),
      }),
      ({ current, desired, up, down, past: then, hasBehavior }) => {
        const [min, max] = [2, 40];
        const within = Math.min(max, Math.max(min, current));
        const history = recent(...then.map(([s, replicas]) => ago(s, replicas)));
        const given = input({ current: within, desired, min, max, up, down, hasBehavior, history });
        const { replicas, recommendations } = normalise(given);
        assert.ok(replicas >= min && replicas <= max);
        if (desired >= within) assert.ok(replicas >= within || !hasBehavior);
        if (hasBehavior && desired <= within) assert.ok(replicas <= within);
        assert.ok(recommendations.some((r) => r.at === now && r.replicas === desired));
      },
    ),
    { seed: 3 },
  );
});
