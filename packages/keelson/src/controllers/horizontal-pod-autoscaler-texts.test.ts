// What autoscalers say when they cannot do what they should: clients match on these texts.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  MetricSpec,
} from '@keelson/apimachinery/types/autoscaling.v2';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const deploymentsResource = { group: 'apps', version: 'v1', resource: 'deployments' };
const autoscalersResource = {
  group: 'autoscaling',
  version: 'v2',
  resource: 'horizontalpodautoscalers',
};
const labels = { app: 'web' };

async function setUp(t: TestContext, replicas: number) {
  const { client, clock } = await simulateCluster(t);
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'app' }] } };
  await client
    .resource(deploymentsResource)
    .namespace('default')
    .create({
      metadata: { name: 'web' },
      spec: { replicas, selector: { matchLabels: labels }, template },
    });
  await clock.advance(2_000);
  const autoscalers = client
    .resource<HorizontalPodAutoscaler>(autoscalersResource)
    .namespace('default');
  const events = client
    .resource<{ metadata: object; reason?: string; message?: string }>(core('events'))
    .namespace('default');
  const autoscale = async (spec: Partial<HorizontalPodAutoscalerSpec>) => {
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
    await autoscalers.create({
      metadata: { name: 'h' },
      spec: { scaleTargetRef, maxReplicas: 3, ...spec },
    });
    await clock.advance(3_000);
    return (await autoscalers.get('h')).status;
  };
  const told = async () =>
    (await events.list({ fieldSelector: 'involvedObject.kind=HorizontalPodAutoscaler' })).items.map(
      ({ reason, message }) => [reason, message],
    );
  return { autoscale, told, clock, autoscalers, client };
}

const noResource =
  'unable to fetch metrics from resource metrics API: the server could not find the requested ' +
  'resource (get pods.metrics.k8s.io)';
const noCustom =
  'unable to fetch metrics from custom metrics API: no custom metrics API ' +
  '(custom.metrics.k8s.io) registered';
const noExternal =
  'unable to fetch metrics from external metrics API: the server could not find the requested ' +
  'resource (get q.external.metrics.k8s.io)';
const service = { apiVersion: 'v1', kind: 'Service', name: 'x' };

test('a metric that nobody serves is told with what was asked', async (t) => {
  const rows: [metric: MetricSpec, reason: string, text: string, before: string][] = [
    [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 5 } },
      },
      'FailedGetResourceMetric',
      `failed to get cpu utilization: unable to get metrics for resource cpu: ${noResource}`,
      'failed to get cpu resource metric value: ',
    ],
    [
      {
        type: 'Resource',
        resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '3Mi' } },
      },
      'FailedGetResourceMetric',
      `failed to get memory usage: unable to get metrics for resource memory: ${noResource}`,
      'failed to get memory resource metric value: ',
    ],
    [
      {
        type: 'ContainerResource',
        containerResource: {
          name: 'cpu',
          container: 'c',
          target: { type: 'Utilization', averageUtilization: 5 },
        },
      },
      'FailedGetContainerResourceMetric',
      `failed to get cpu utilization: unable to get metrics for resource cpu: ${noResource}`,
      'failed to get c container metric value: ',
    ],
    [
      {
        type: 'Pods',
        pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '3' } },
      },
      'FailedGetPodsMetric',
      `unable to get metric m: ${noCustom}`,
      'failed to get pods metric value: ',
    ],
    [
      {
        type: 'Object',
        object: {
          metric: { name: 'm' },
          describedObject: service,
          target: { type: 'Value', value: '3' },
        },
      },
      'FailedGetObjectMetric',
      `unable to get metric m: Service on default x/${noCustom}`,
      'failed to get object metric value: ',
    ],
    [
      {
        type: 'Object',
        object: {
          metric: { name: 'm' },
          describedObject: service,
          target: { type: 'AverageValue', averageValue: '3' },
        },
      },
      'FailedGetObjectMetric',
      `unable to get metric m: Service on default x/${noCustom}`,
      'failed to get object metric value: failed to get m object metric: ',
    ],
    [
      {
        type: 'External',
        external: { metric: { name: 'q' }, target: { type: 'Value', value: '3' } },
      },
      'FailedGetExternalMetric',
      `unable to get external metric default/q/nil: ${noExternal}`,
      'failed to get q external metric value: failed to get external metric q: ',
    ],
    [
      {
        type: 'External',
        external: {
          metric: { name: 'q', selector: { matchLabels: { a: 'b' } } },
          target: { type: 'AverageValue', averageValue: '3' },
        },
      },
      'FailedGetExternalMetric',
      'unable to get external metric default/q/&LabelSelector{MatchLabels:map[string]string{a: b,},' +
        `MatchExpressions:[]LabelSelectorRequirement{},}: ${noExternal}`,
      'failed to get q external metric value: failed to get q external metric: ',
    ],
  ];
  for (const [metric, reason, text, before] of rows) {
    const { autoscale, told } = await setUp(t, 1);
    const status = await autoscale({ metrics: [metric] });
    const active = status?.conditions?.find(({ type }) => type === 'ScalingActive');
    const condition = `the HPA was unable to compute the replica count: ${text}`;
    assert.deepEqual(
      [active?.status, active?.reason, active?.message],
      ['False', reason, condition],
    );
    const failed = `invalid metrics (1 invalid out of 1), first error is: ${before}${text}`;
    assert.deepEqual(await told(), [
      [reason, text],
      ['FailedComputeMetricsReplicas', failed],
    ]);
    assert.deepEqual(status?.currentMetrics, [{ type: '' }]);
  }
});

test('a target that has no scale, or no kind, is told as the mapper tells it', async (t) => {
  const rows: [target: { apiVersion: string; kind: string }, text: string][] = [
    [{ apiVersion: 'apps/v1', kind: 'Nope' }, 'no matches for kind "Nope" in group "apps"'],
    [
      { apiVersion: 'a.example/v1', kind: 'Nope' },
      'no matches for kind "Nope" in group "a.example"',
    ],
    [
      { apiVersion: 'apps/v1', kind: 'DaemonSet' },
      'the server could not find the requested resource (get daemonsets web)',
    ],
    [{ apiVersion: 'apps/v1', kind: 'StatefulSet' }, 'statefulsets.apps "web" not found'],
  ];
  for (const [target, text] of rows) {
    const { autoscale, told } = await setUp(t, 1);
    const status = await autoscale({ scaleTargetRef: { ...target, name: 'web' } });
    const message = `the HPA controller was unable to get the target's current scale: ${text}`;
    assert.deepEqual(
      status?.conditions?.map((c) => [c.type, c.status, c.reason, c.message]),
      [['AbleToScale', 'False', 'FailedGetScale', message]],
    );
    assert.deepEqual(await told(), [['FailedGetScale', text]]);
  }
});

test('a target is found in whatever version of its group', async (t) => {
  const { autoscale } = await setUp(t, 1);
  const scaleTargetRef = { apiVersion: 'apps/v1beta1', kind: 'Deployment', name: 'web' };
  const status = await autoscale({ scaleTargetRef });
  assert.equal(status?.conditions?.[0]?.reason, 'SucceededGetScale');
});

test('sharing pods is told twice: as what it is, and as the failure that it causes', async (t) => {
  const { autoscale, autoscalers, told, clock } = await setUp(t, 2);
  await autoscale({ minReplicas: 2, maxReplicas: 2 });
  const { spec } = await autoscalers.get('h');
  await autoscalers.create({ metadata: { name: 'i' }, spec });
  await clock.advance(40_000);
  const message = 'pods by selector app=web are controlled by multiple HPAs: [default/h default/i]';
  const reasons = (await told()).filter(([, text]) => text === message).map(([reason]) => reason);
  assert.deepEqual([...new Set(reasons)].toSorted(), [
    'AmbiguousSelector',
    'FailedComputeMetricsReplicas',
  ]);
});

test('a size that may not be written is told, and nothing else changes', async (t) => {
  const { autoscale, told, client, clock } = await setUp(t, 5);
  const group = 'admissionregistration.k8s.io';
  const admission = (resource: string) => client.resource({ group, version: 'v1', resource });
  const rule = {
    apiGroups: ['apps'],
    apiVersions: ['v1'],
    resources: ['deployments/scale'],
    operations: ['UPDATE'],
  };
  const spec = {
    matchConstraints: { resourceRules: [rule] },
    validations: [{ expression: 'false', message: 'not now' }],
  };
  await admission('validatingadmissionpolicies').create({ metadata: { name: 'p' }, spec } as never);
  await admission('validatingadmissionpolicybindings').create({
    metadata: { name: 'p' },
    spec: { policyName: 'p', validationActions: ['Deny'] },
  } as never);
  await clock.advance(1_000);
  const status = await autoscale({ maxReplicas: 3 });
  const error =
    "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' " +
    'denied request: not now';
  assert.deepEqual(
    status?.conditions?.map((c) => [c.type, c.status, c.reason, c.message]),
    [
      [
        'AbleToScale',
        'False',
        'FailedUpdateScale',
        `the HPA controller was unable to update the target scale: ${error}`,
      ],
    ],
  );
  const { currentReplicas, desiredReplicas, currentMetrics, lastScaleTime } = status ?? {};
  assert.deepEqual(
    [currentReplicas, desiredReplicas, currentMetrics, lastScaleTime],
    [5, 0, null, undefined],
  );
  const reason = 'Current number of replicas above Spec.MaxReplicas';
  assert.deepEqual((await told())[0], [
    'FailedRescale',
    `New size: 3; reason: ${reason}; error: ${error}`,
  ]);
});
