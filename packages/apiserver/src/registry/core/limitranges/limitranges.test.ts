import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCreate } from '../../testing/run-strategy.ts';
import { testCreates } from '../../testing/strategy-tables.ts';
import { limitRangeStrategy } from './strategy.ts';

const range = (...limits: object[]) => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'l', namespace: 'n' },
  spec: { limits },
});
const item = (more: object, type = 'Container') => range({ type, ...more });

testCreates(limitRangeStrategy, [
  ['containers', item({ max: { cpu: '2' }, min: { cpu: '1' }, default: { cpu: '1500m' } }), []],
  ['storage of claims', item({ max: { storage: '2Gi' } }, 'PersistentVolumeClaim'), []],
  ['something of its own', item({ max: { 'example.com/x': '1' } }, 'example.com/thing'), []],
  [
    'a type twice',
    range({ type: 'Pod', max: { cpu: '1' } }, { type: 'Pod', max: { cpu: '2' } }),
    ['spec.limits[1].type: Duplicate value: "Pod"'],
  ],
  [
    'an unknown type',
    item({}, 'Thing'),
    [
      'spec.limits[0].type: Invalid value: "Thing": must be a standard limit type or fully qualified',
    ],
  ],
  [
    'an unknown resource',
    item({ max: { bogus: '1' } }, 'Pod'),
    [
      'spec.limits[0].max[bogus]: Invalid value: "bogus": must be a standard resource type or fully qualified',
      'spec.limits[0].max[bogus]: Invalid value: "bogus": must be a standard resource for containers',
    ],
  ],
  [
    'defaults of pods',
    item({ default: { cpu: '1' } }, 'Pod'),
    ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
  ],
  [
    'the smallest above the largest',
    item({ max: { cpu: '1' }, min: { cpu: '2' } }, 'Pod'),
    ['spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'],
  ],
  [
    'claims without storage',
    item({ max: { 'example.com/x': '1' } }, 'PersistentVolumeClaim'),
    [
      'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
    ],
  ],
  [
    'a ratio below one',
    item({ maxLimitRequestRatio: { cpu: '500m' } }, 'Pod'),
    ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
  ],
]);

const defaults: readonly (readonly [string, object, object])[] = [
  [
    'the largest is the default, and the request',
    { max: { cpu: '2' } },
    { max: { cpu: '2' }, default: { cpu: '2' }, defaultRequest: { cpu: '2' } },
  ],
  [
    'the smallest is the request',
    { min: { cpu: '1' } },
    { min: { cpu: '1' }, defaultRequest: { cpu: '1' } },
  ],
  [
    'what is said stays',
    { max: { cpu: '3' }, default: { cpu: '2' }, defaultRequest: { cpu: '1' } },
    { max: { cpu: '3' }, default: { cpu: '2' }, defaultRequest: { cpu: '1' } },
  ],
  [
    'amounts are rounded up to thousandths',
    { max: { cpu: '100u' } },
    { max: { cpu: '1m' }, default: { cpu: '1m' }, defaultRequest: { cpu: '1m' } },
  ],
];

for (const [what, given, expected] of defaults) {
  test(`limits of containers: ${what}`, () => {
    const { spec } = runCreate(limitRangeStrategy, item(given)).object as unknown as {
      spec: { limits: object[] };
    };
    assert.deepEqual(spec.limits, [{ type: 'Container', ...expected }]);
  });
}
