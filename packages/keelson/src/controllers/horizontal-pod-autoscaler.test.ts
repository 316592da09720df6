import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { formatTime } from '@keelson/apimachinery';
import type { Deployment } from '@keelson/apimachinery/types/apps.v1';
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
} from '@keelson/apimachinery/types/autoscaling.v2';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { metricValues } from '../testing/metric-values.ts';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const deploymentsResource = { group: 'apps', version: 'v1', resource: 'deployments' };
const autoscalersResource = {
  group: 'autoscaling',
  version: 'v2',
  resource: 'horizontalpodautoscalers',
};
const definitionsResource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
};
const podMetricsResource = { group: 'metrics.k8s.io', version: 'v1beta1', resource: 'pods' };
const labels = { app: 'web' };
const cpu = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});
const ofContainer = (container: string, averageUtilization: number): MetricSpec => ({
  type: 'ContainerResource',
  containerResource: {
    name: 'cpu',
    container,
    target: { type: 'Utilization', averageUtilization },
  },
});

/** Custom resources stand in for the metrics server: they are read at the same paths. */
async function setUp(t: TestContext) {
  const simulated = await simulateCluster(t);
  const { client, clock } = simulated;
  await client.resource(definitionsResource).create({
    metadata: {
      name: 'pods.metrics.k8s.io',
      annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' },
    },
    spec: {
      group: 'metrics.k8s.io',
      scope: 'Namespaced',
      names: { plural: 'pods', singular: 'pod', kind: 'PodMetrics', listKind: 'PodMetricsList' },
      versions: [
        {
          name: 'v1beta1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      ],
    },
  } as never);
  await clock.advance(2_000);
  const deployments = client.resource<Deployment>(deploymentsResource).namespace('default');
  const autoscalers = client
    .resource<HorizontalPodAutoscaler>(autoscalersResource)
    .namespace('default');
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const samples = client.resource(podMetricsResource).namespace('default');
  const events = client.resource(core('events')).namespace('default');
  const container = (name: string, request: string) => ({
    name,
    image: 'app',
    ...(request !== '' && { resources: { requests: { cpu: request } } }),
  });
  const deploy = async (replicas: number, sideRequest = '100m') => {
    const containers = [container('app', '100m'), container('side', sideRequest)];
    const spec = {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    };
    await deployments.create({ metadata: { name: 'web' }, spec });
    await clock.advance(2_000);
  };
  /** All pods run, and use so many thousandths of a processor. */
  const use = async (app: number, side: number) => {
    for (const { metadata } of (await pods.list()).items) {
      const { name = '' } = metadata;
      const conditions = [
        { type: 'Ready', status: 'True', lastTransitionTime: '2000-01-01T00:00:00Z' },
      ];
      const status = { phase: 'Running', startTime: '2000-01-01T00:00:00Z', conditions };
      await pods.patch(name, 'merge', { status }, { subresource: 'status' });
      const containers = [
        { name: 'app', usage: { cpu: `${app}m` } },
        { name: 'side', usage: { cpu: `${side}m` } },
      ];
      await samples.delete(name).catch(() => {});
      await samples.create({
        metadata: { name, labels },
        timestamp: formatTime(clock.now()),
        window: '30s',
        containers,
      } as never);
    }
  };
  const autoscale = (metrics: MetricSpec[], spec: object = {}) =>
    autoscalers.create({
      metadata: { name: 'h' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        maxReplicas: 10,
        metrics,
        ...spec,
      },
    });
  const size = async () => (await deployments.get('web')).spec?.replicas;
  const conditions = async () =>
    Object.fromEntries(
      ((await autoscalers.get('h')).status?.conditions ?? []).map(({ type, status, reason }) => [
        type,
        `${status} ${reason}`,
      ]),
    );
  const messages = async () =>
    (await events.list({ fieldSelector: 'involvedObject.kind=HorizontalPodAutoscaler' })).items.map(
      (e) =>
        `${String((e as { reason?: string }).reason)}: ${String((e as { message?: string }).message)}`,
    );
  return {
    ...simulated,
    deploy,
    use,
    autoscale,
    size,
    conditions,
    messages,
    deployments,
    autoscalers,
  };
}

test('case 1: a container that is busy counts by itself, and the status tells', async (t) => {
  const { deploy, use, autoscale, size, conditions, messages, clock, autoscalers } = await setUp(t);
  await deploy(2);
  await use(90, 10);
  await autoscale([ofContainer('app', 50)]);
  await clock.advance(3_000);
  assert.equal(await size(), 4);
  assert.ok(
    (await messages()).includes(
      'SuccessfulRescale: New size: 4; reason: cpu container resource utilization (percentage of request) above target',
    ),
  );
  await use(50, 10);
  await clock.advance(16_000);
  assert.equal(await size(), 4);
  assert.deepEqual(await conditions(), {
    AbleToScale: 'True ReadyForNewScale',
    ScalingActive: 'True ValidMetricFound',
    ScalingLimited: 'False DesiredWithinRange',
  });
  const { status } = await autoscalers.get('h');
  assert.deepEqual([status?.currentReplicas, status?.desiredReplicas], [4, 4]);
  assert.deepEqual(status?.currentMetrics?.[0]?.containerResource?.current, {
    averageUtilization: 50,
    averageValue: '50m',
  });
});

test('case 1, by the whole pod: the idle container evens it out', async (t) => {
  const { deploy, use, autoscale, size, clock } = await setUp(t);
  await deploy(2);
  await use(90, 10);
  await autoscale([cpu(50)]);
  await clock.advance(3_000);
  assert.equal(await size(), 2);
});

test('case 2: a container without a request spoils the metric of the pod only', async (t) => {
  const { deploy, use, autoscale, size, conditions, messages, clock } = await setUp(t);
  await deploy(2, '');
  await use(90, 10);
  await autoscale([cpu(50)]);
  await clock.advance(3_000);
  assert.equal(await size(), 2);
  assert.equal((await conditions())['ScalingActive'], 'False FailedGetResourceMetric');
  assert.match(
    (await messages()).join('\n'),
    /FailedComputeMetricsReplicas: invalid metrics \(1 invalid out of 1\), first error is: failed to get cpu resource metric value: failed to get cpu utilization: missing request for cpu in container side of Pod web-/,
  );
});

test('case 8: a metric that fails holds back the way down, not the way up', async (t) => {
  const rows: [app: number, size: number, fails: boolean][] = [
    [100, 4, false],
    [10, 2, true],
  ];
  for (const [app, expected, fails] of rows) {
    const { deploy, use, autoscale, size, messages, clock } = await setUp(t);
    await deploy(2);
    await use(app, 0);
    const lost: MetricSpec = {
      type: 'External',
      external: { metric: { name: 'queue' }, target: { type: 'Value', value: '3' } },
    };
    await autoscale([ofContainer('app', 50), lost], {
      behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
    });
    await clock.advance(3_000);
    assert.equal(await size(), expected);
    const failures = (await messages()).filter((text) =>
      text.startsWith('FailedComputeMetricsReplicas'),
    );
    assert.equal(failures.length > 0, fails);
  }
});

test('case 6: five minutes pass before there are fewer', async (t) => {
  const { deploy, use, autoscale, size, clock } = await setUp(t);
  await deploy(4);
  await use(10, 0);
  await autoscale([ofContainer('app', 50)]);
  await clock.advance(290_000);
  assert.equal(await size(), 4);
  await clock.advance(30_000);
  assert.equal(await size(), 1);
});

test('cases 11 and 12: bounds hold at once, and nothing is scaled from nothing', async (t) => {
  const { deploy, autoscale, size, conditions, deployments, clock } = await setUp(t);
  await deploy(7);
  await autoscale([cpu(50)], { maxReplicas: 3 });
  await clock.advance(3_000);
  assert.equal(await size(), 3);
  await deployments.patch('web', 'merge', { spec: { replicas: 0 } });
  await clock.advance(20_000);
  assert.equal(await size(), 0);
  assert.equal((await conditions())['ScalingActive'], 'False ScalingDisabled');
});

test('what there was at first counts as recommended', async (t) => {
  const { deploy, use, autoscale, autoscalers, conditions, clock } = await setUp(t);
  await deploy(7);
  await use(10, 10);
  await autoscale([cpu(50)], { maxReplicas: 3 });
  await clock.advance(3_000);
  assert.equal((await autoscalers.get('h')).status?.currentReplicas, 7);
  await clock.advance(16_000);
  assert.equal((await autoscalers.get('h')).status?.currentReplicas, 3);
  assert.deepEqual(await conditions(), {
    AbleToScale: 'True ScaleDownStabilized',
    ScalingActive: 'True ValidMetricFound',
    ScalingLimited: 'True TooManyReplicas',
  });
});

test('two autoscalers of the same pods stand still', async (t) => {
  const { deploy, use, autoscale, autoscalers, size, conditions, clock } = await setUp(t);
  await deploy(2);
  await use(100, 100);
  const first = await autoscale([cpu(90)], { minReplicas: 2, maxReplicas: 2 });
  await autoscalers.create({ metadata: { name: 'i' }, spec: first.spec });
  await clock.advance(20_000);
  assert.equal((await conditions())['ScalingActive'], 'False AmbiguousSelector');
  assert.equal(await size(), 2);
});

test('what is measured: what came of each reconciliation and each metric', async (t) => {
  const { client, deploy, use, autoscale, autoscalers, size, clock } = await setUp(t);
  const { family, value } = metricValues(client);
  const counted = async (name: string) =>
    Object.fromEntries(
      (await family(`horizontal_pod_autoscaler_controller_${name}`)).map((series) => {
        const space = series.lastIndexOf(' ');
        return [series.slice(0, space), Number(series.slice(space + 1))];
      }),
    );
  await deploy(1);
  await use(100, 0);
  const target = { type: 'Value', value: '1' };
  const external = { metric: { name: 'queue' }, target };
  await autoscale([ofContainer('app', 50), { type: 'External', external }]);
  await clock.advance(5_000);
  assert.equal(await size(), 2);
  assert.deepEqual(await counted('metric_computation_total'), {
    '{action="scale_up",error="none",metric_type="ContainerResource"}': 1,
    '{action="none",error="internal",metric_type="External"}': 1,
  });
  assert.deepEqual(await counted('reconciliations_total'), {
    '{action="scale_up",error="internal"}': 1,
  });
  const seconds = 'horizontal_pod_autoscaler_controller_reconciliation_duration_seconds_count';
  assert.equal(await value(`${seconds}{action="scale_up",error="internal"}`), 1);
  assert.deepEqual(await counted('num_horizontal_pod_autoscalers'), { '': 1 });
  assert.deepEqual(await counted('desired_replicas'), {
    '{hpa_name="h",namespace="default"}': 2,
  });
  await autoscalers.delete('h');
  await clock.advance(1_000);
  assert.deepEqual(await counted('num_horizontal_pod_autoscalers'), { '': 0 });
  assert.deepEqual(await counted('desired_replicas'), {});
});
