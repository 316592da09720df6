import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObject, runCreate, testContext } from '../testing/run-strategy.ts';
import { testCreates, type CreateRow } from '../testing/strategy-tables.ts';
import { v1ToV2, v2ToV1 } from './conversion.ts';
import { autoscalingStrategies } from './strategies.ts';

const { horizontalpodautoscalers: strategy = {} } = autoscalingStrategies;
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };

const autoscaler = (spec: object, more: object = {}) => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'h', namespace: 'n' },
  spec: { scaleTargetRef, maxReplicas: 3, ...spec },
  ...more,
});
const measured = (metric: object) => autoscaler({ metrics: [metric] });
const utilization = { type: 'Utilization', averageUtilization: 50 };
const resource = (target: object) =>
  measured({ type: 'Resource', resource: { name: 'cpu', target } });
const cpuMetric = { type: 'Resource', resource: { name: 'cpu', target: utilization } };
const scalingUp = (scaleUp: object) => autoscaler({ behavior: { scaleUp } });
const metric = 'spec.metrics[0]';

const rows: readonly CreateRow[] = [
  ['a target', autoscaler({}), []],
  ['a metric', resource(utilization), []],
  [
    'more at least than at most',
    autoscaler({ minReplicas: 4 }),
    ['spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`'],
  ],
  [
    'a target without a group',
    autoscaler({ scaleTargetRef: { kind: 'Pod', name: 'p' } }),
    ['spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group'],
  ],
  [
    'two targets of a resource',
    resource({ ...utilization, averageValue: '1' }),
    [
      `${metric}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization`,
    ],
  ],
  [
    'nothing to compare with',
    resource({ type: 'Value' }),
    [
      `${metric}.resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization`,
    ],
  ],
  [
    'a metric of another type',
    measured({ type: 'Pods', resource: { name: 'cpu', target: utilization } }),
    [`${metric}.pods: Required value: must populate information for the given metric source`],
  ],
  [
    'a resource of no container',
    measured({
      type: 'ContainerResource',
      containerResource: { name: 'cpu', container: '', target: utilization },
    }),
    [`${metric}.containerResource.container: Required value: must specify a container`],
  ],
  [
    'a metric of an object',
    measured({
      type: 'Object',
      object: { describedObject: scaleTargetRef, metric: { name: 'm' }, target: { type: 'Value' } },
    }),
    [
      `${metric}.object.target.averageValue: Required value: must set either a target value or averageValue`,
    ],
  ],
  [
    'a window that is too long',
    scalingUp({ stabilizationWindowSeconds: 3601 }),
    [
      'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600',
    ],
  ],
  [
    'a policy that does nothing',
    scalingUp({ policies: [{ type: 'Pods', value: 0, periodSeconds: 60 }] }),
    ['spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero'],
  ],
];
testCreates(strategy, rows);

test('the average use of CPU is measured unless the autoscaler says otherwise', () => {
  const { spec } = runCreate(strategy, autoscaler({})).object as unknown as { spec: object };
  assert.deepEqual(spec, {
    scaleTargetRef,
    minReplicas: 1,
    maxReplicas: 3,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
      },
    ],
  });
});

const table: readonly (readonly [string, object, string])[] = [
  ['a utilization nobody has measured', resource(utilization), 'cpu: <unknown>/50%'],
  [
    'a measured utilization',
    {
      ...resource(utilization),
      status: {
        currentMetrics: [
          { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 7 } } },
        ],
      },
    },
    'cpu: 7%/50%',
  ],
  [
    'the first two of three',
    autoscaler({ metrics: [cpuMetric, cpuMetric, cpuMetric] }),
    'cpu: <unknown>/50%, cpu: <unknown>/50% + 1 more...',
  ],
];
for (const [what, object, text] of table) {
  test(`kubectl get hpa shows ${what}`, () => {
    const cells = strategy.tableCells?.(readObject(object), testContext.nowMs);
    assert.equal(cells?.[2], text);
  });
}

const v1 = (spec: object, annotations?: object) => ({
  apiVersion: 'autoscaling/v1',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'h', namespace: 'n', ...(annotations === undefined ? {} : { annotations }) },
  spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 3, ...spec },
});

test('the percentage of version 1 is a metric of version 2', () => {
  const stored = v1ToV2(readObject(v1({ targetCPUUtilizationPercentage: 70 })));
  assert.deepEqual((stored['spec'] as { metrics: object[] }).metrics, [
    {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
    },
  ]);
  const served = v2ToV1(stored);
  assert.deepEqual(served['spec'], v1({ targetCPUUtilizationPercentage: 70 }).spec);
  assert.equal(served.metadata.annotations, undefined);
});

test('what version 1 cannot say travels in annotations', () => {
  const given = readObject(
    autoscaler({
      minReplicas: 1,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } },
        },
      ],
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: 5,
          policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
        },
      },
    }),
  );
  strategy.applyDefaults?.(given, testContext.features);
  const served = v2ToV1(given);
  assert.deepEqual(Object.keys(served.metadata.annotations ?? {}).toSorted(), [
    'autoscaling.alpha.kubernetes.io/behavior',
    'autoscaling.alpha.kubernetes.io/metrics',
  ]);
  assert.deepEqual(v1ToV2(served)['spec'], given['spec']);
  assert.equal(v1ToV2(served).metadata.annotations, undefined);
});

test('annotations that are no JSON are left out', () => {
  const broken = { 'autoscaling.alpha.kubernetes.io/metrics': 'nope', 'example.com/a': 'b' };
  const stored = v1ToV2(readObject(v1({}, broken)));
  assert.deepEqual(stored.metadata.annotations, { 'example.com/a': 'b' });
});
