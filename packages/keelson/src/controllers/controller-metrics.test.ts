// What /metrics shows of controllers, after they had something to do.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import type { CronJob, Job } from '@keelson/apimachinery/types/batch.v1';
import type { Endpoints, Node, Pod, Service } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import { addDevicePod, deviceResource } from '../testing/device-cluster.ts';
import { metricValues } from '../testing/metric-values.ts';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const batch = (resource: string) => ({ group: 'batch', version: 'v1', resource });
const podSpec = { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never' };

async function setUp(t: TestContext) {
  const { client, clock, leap } = await simulateCluster(t);
  return { client, clock, leap, ...metricValues(client) };
}

async function finishPod(client: Client, phase: 'Succeeded' | 'Failed'): Promise<void> {
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  for (const { metadata, status } of (await pods.list()).items)
    if (status?.phase === 'Pending')
      await pods.patch(
        metadata.name ?? '',
        'merge',
        { status: { phase } },
        { subresource: 'status' },
      );
}

test('every family is there once, with help and type', async (t) => {
  const { lines } = await setUp(t);
  const names = (await lines())
    .filter((line) => line.startsWith('# TYPE'))
    .map((l) => l.split(' ')[2]);
  assert.deepEqual(names, [...new Set(names)]);
  const wanted = [
    '# HELP workqueue_depth [BETA] Current depth of workqueue',
    '# TYPE workqueue_depth gauge',
    '# TYPE workqueue_adds_total counter',
    '# TYPE workqueue_queue_duration_seconds histogram',
    '# TYPE workqueue_work_duration_seconds histogram',
    '# TYPE workqueue_retries_total counter',
    '# TYPE workqueue_unfinished_work_seconds gauge',
    '# TYPE workqueue_longest_running_processor_seconds gauge',
    '# HELP job_controller_job_syncs_total [STABLE] The number of job syncs',
    '# TYPE node_collector_zone_size gauge',
    '# TYPE garbagecollector_controller_resources_sync_error_total counter',
  ];
  const all = new Set(await lines());
  assert.deepEqual(
    wanted.filter((line) => !all.has(line)),
    [],
  );
});

test('controllers that run', async (t) => {
  const { family } = await setUp(t);
  const running = await family('running_managed_controllers');
  const of = (name: string) => `{manager="kube-controller-manager",name="${name}"} 1`;
  assert.ok(running.includes(of('namespace-controller')));
  // Its gate is off.
  assert.ok(!running.includes(of('storage-version-migrator-controller')));
  assert.ok(!running.some((one) => one.includes('kube-scheduler')));
});

test('queues by name', async (t) => {
  const { value, lines } = await setUp(t);
  const queues = [
    'namespace',
    'serviceaccount',
    'root_ca_cert_publisher',
    'garbage_collector_attempt_to_delete',
  ];
  for (const name of queues) assert.equal(await value(`workqueue_depth{name="${name}"}`), 0, name);
  assert.ok(((await value('workqueue_adds_total{name="serviceaccount"}')) ?? 0) >= 4);
  const bounds = (await lines())
    .filter((line) =>
      line.startsWith('workqueue_work_duration_seconds_bucket{name="serviceaccount"'),
    )
    .map((line) => /le="([^"]+)"/.exec(line)?.[1]);
  const small = ['1e-08', '1e-07', '1e-06', '9.999999999999999e-06', '9.999999999999999e-05'];
  assert.deepEqual(bounds.slice(0, 5), small);
  assert.equal(bounds.at(-1), '+Inf');
});

test('Jobs: syncs, pods and ends', async (t) => {
  const { client, clock, value } = await setUp(t);
  const jobs = client.resource<Job>(batch('jobs')).namespace('default');
  const rules = [
    { action: 'FailJob' as const, onExitCodes: { operator: 'In' as const, values: [1] } },
  ];
  const template = { spec: podSpec };
  await jobs.create({ metadata: { name: 'good' }, spec: { template } });
  await clock.advance(5_000);
  const created =
    'job_controller_job_syncs_total{action="pods_created",completion_mode="NonIndexed",result="success"}';
  assert.equal(await value(created), 1);
  await finishPod(client, 'Succeeded');
  await clock.advance(5_000);
  const mode = 'completion_mode="NonIndexed"';
  assert.equal(
    await value(`job_controller_job_pods_finished_total{${mode},result="succeeded"}`),
    1,
  );
  const ended = (reason: string, result: string) =>
    value(`job_controller_jobs_finished_total{${mode},reason="${reason}",result="${result}"}`);
  assert.equal(await ended('CompletionsReached', 'succeeded'), 1);
  const made = (reason: string, status = 'succeeded') =>
    value(`job_controller_job_pods_creation_total{reason="${reason}",status="${status}"}`);
  assert.equal(await made('new'), 1);
  const tracked = (event: string) =>
    value(`job_controller_terminated_pods_tracking_finalizer_total{event="${event}"}`);
  assert.deepEqual([await tracked('add'), await tracked('delete')], [1, 1]);

  await jobs.create({ metadata: { name: 'bad' }, spec: { template, podFailurePolicy: { rules } } });
  await clock.advance(5_000);
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const [pod] = (await pods.list({ labelSelector: 'job-name=bad' })).items;
  const state = { terminated: { exitCode: 1 } };
  const containerStatuses = [
    { name: 'c', state, ready: false, restartCount: 0, image: 'i', imageID: '' },
  ];
  const patch = { status: { phase: 'Failed', containerStatuses } };
  await pods.patch(pod?.metadata.name ?? '', 'merge', patch, { subresource: 'status' });
  await clock.advance(5_000);
  assert.equal(await ended('PodFailurePolicy', 'failed'), 1);
  const handled = 'job_controller_pod_failures_handled_by_failure_policy_total{action="FailJob"}';
  assert.equal(await value(handled), 1);
});

test('indexes of Jobs, pods that are made again, and Jobs of others', async (t) => {
  const { client, clock, value } = await setUp(t);
  const jobs = client.resource<Job>(batch('jobs')).namespace('default');
  const template = { spec: podSpec };
  const spec = { template, completionMode: 'Indexed', completions: 2, parallelism: 1 };
  await jobs.create({ metadata: { name: 'j' }, spec: { ...spec, backoffLimitPerIndex: 0 } });
  await clock.advance(5_000);
  await finishPod(client, 'Failed');
  await clock.advance(15_000);
  await finishPod(client, 'Succeeded');
  await clock.advance(5_000);
  const indexes = (status: string) =>
    value(`job_controller_job_finished_indexes_total{backoffLimit="perIndex",status="${status}"}`);
  assert.deepEqual([await indexes('failed'), await indexes('succeeded')], [1, 1]);
  const made = (reason: string) =>
    value(`job_controller_job_pods_creation_total{reason="${reason}",status="succeeded"}`);
  assert.equal(await made('new'), 1);
  assert.equal(await made('recreate_terminating_or_failed'), 1);

  await jobs.create({ metadata: { name: 'k' }, spec: { template, managedBy: 'example.com/k' } });
  await clock.advance(5_000);
  const left = 'job_controller_jobs_by_external_controller_total';
  assert.equal(await value(`${left}{controller_name="example.com/k"}`), 1);
});

test('how old the pods are that go when there are too many', async (t) => {
  const { client, clock, value } = await setUp(t);
  const sets = client
    .resource<KubeObject>({ group: 'apps', version: 'v1', resource: 'replicasets' })
    .namespace('default');
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: podSpec.containers } };
  const spec = { replicas: 3, selector: { matchLabels: labels }, template };
  await sets.create({ metadata: { name: 'r' }, spec } as KubeObject);
  await clock.advance(5_000);
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  for (const { metadata } of (await pods.list()).items)
    await pods.patch(metadata.name ?? '', 'merge', { status }, { subresource: 'status' });
  await sets.patch('r', 'merge', { spec: { replicas: 1 } });
  await clock.advance(5_000);
  const ratio = 'replicaset_controller_sorting_deletion_age_ratio';
  assert.equal(await value(`${ratio}_count`), 2);
  assert.equal(await value(`${ratio}_bucket{le="1"}`), 2);
});

test('CronJobs and times to live: how late they are', async (t) => {
  const { client, clock, value } = await setUp(t);
  const jobTemplate = { spec: { ttlSecondsAfterFinished: 10, template: { spec: podSpec } } };
  const cronJobs = client.resource<CronJob>(batch('cronjobs')).namespace('default');
  const spec = { schedule: '* * * * *', jobTemplate };
  await cronJobs.create({ metadata: { name: 'c' }, spec });
  await clock.advance(70_000);
  await cronJobs.patch('c', 'merge', { spec: { suspend: true } });
  const skew = 'cronjob_controller_job_creation_skew_duration_seconds';
  assert.equal(await value(`${skew}_count`), 1);
  assert.equal(await value(`${skew}_bucket{le="1"}`), 1);
  await finishPod(client, 'Succeeded');
  await clock.advance(30_000);
  const deletion = 'ttl_after_finished_controller_job_deletion_duration_seconds_count';
  assert.equal(await value(deletion), 1);
});

test('nodes by zone, evictions, slices and published certificates', async (t) => {
  const { client, clock, value } = await setUp(t);
  const labels = { 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': 'z' };
  const nodes = client.resource<Node>(core('nodes'));
  for (const name of ['a', 'b']) await nodes.create({ metadata: { name, labels }, spec: {} });
  const conditions = [{ type: 'Ready', status: 'True' }];
  await nodes.patch('a', 'merge', { status: { conditions } }, { subresource: 'status' });
  await clock.advance(10_000);
  const zone = 'zone="r:\0:z"';
  assert.equal(await value(`node_collector_zone_size{${zone}}`), 2);
  assert.equal(await value(`node_collector_unhealthy_nodes_in_zone{${zone}}`), 1);
  assert.equal(await value(`node_collector_zone_health{${zone}}`), 50);
  assert.equal((await value('root_ca_cert_publisher_sync_total{code="200"}')) !== undefined, true);

  const spec = { selector: { app: 'web' }, ports: [{ port: 80 }] };
  const services = client.resource<Service>(core('services')).namespace('default');
  await services.create({ metadata: { name: 's' }, spec });
  await clock.advance(5_000);
  assert.equal(await value('endpoint_slice_controller_num_endpoint_slices'), 1);
  assert.equal(await value('endpoint_slice_controller_endpoints_desired'), 0);
  assert.equal(await value('endpoint_slice_controller_changes{operation="create"}'), 1);
  await services.delete('s');
  await clock.advance(5_000);
  assert.equal(await value('endpoint_slice_controller_num_endpoint_slices'), 0);

  const taints = [{ key: 'k', effect: 'NoExecute' as const }];
  await client
    .resource<Pod>(core('pods'))
    .namespace('default')
    .create({
      metadata: { name: 'p' },
      spec: { ...podSpec, nodeName: 'a' } as Pod['spec'],
    });
  await nodes.patch('a', 'merge', { spec: { taints } });
  await clock.advance(5_000);
  assert.equal(await value('taint_eviction_controller_pod_deletions_total'), 1);
});

test('endpoints that come and go, and how traffic is distributed', async (t) => {
  const { client, clock, value, family } = await setUp(t);
  const services = client.resource<Service>(core('services')).namespace('default');
  const ports = [{ port: 80 }];
  await services.create({
    metadata: { name: 's' },
    spec: { selector: { app: 'web' }, ports, trafficDistribution: 'PreferClose' },
  });
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  await client.resource(core('nodes')).create({ metadata: { name: 'n' } });
  const spec = { ...podSpec, nodeName: 'n' };
  await pods.create({ metadata: { name: 'p', labels: { app: 'web' } }, spec });
  const status = { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] };
  await pods.patch('p', 'merge', { status }, { subresource: 'status' });
  await clock.advance(5_000);
  const named = (name: string) => `endpoint_slice_controller_${name}`;
  assert.equal(await value(`${named('endpoints_added_per_sync')}_sum`), 1);
  assert.equal(await value(`${named('endpoints_removed_per_sync')}_sum`), 0);
  assert.deepEqual(await family(named('services_count_by_traffic_distribution')), [
    '{traffic_distribution="PreferClose"} 1',
  ]);
  const changed = named('endpointslices_changed_per_sync');
  const distribution = 'topology="Disabled",traffic_distribution="PreferClose"';
  assert.ok(((await value(`${changed}_sum{${distribution}}`)) ?? 0) >= 1);
  await pods.delete('p', { gracePeriodSeconds: 0 });
  await clock.advance(5_000);
  assert.equal(await value(`${named('endpoints_removed_per_sync')}_sum`), 1);
});

test('Endpoints that are mirrored', async (t) => {
  const { client, clock, value } = await setUp(t);
  const inDefault = <T extends KubeObject>(resource: string) =>
    client.resource<T>(core(resource)).namespace('default');
  await inDefault('services').create({ metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } });
  const endpoints = inDefault<Endpoints>('endpoints');
  const subset = (...ips: string[]) => [
    { addresses: ips.map((ip) => ({ ip })), ports: [{ port: 80 }] },
  ];
  await endpoints.create({ metadata: { name: 's' }, subsets: subset('10.0.0.1', '10.0.0.2') });
  await clock.advance(5_000);
  const named = (name: string) => `endpoint_slice_mirroring_controller_${name}`;
  assert.equal(await value(named('endpoints_desired')), 2);
  assert.equal(await value(named('num_endpoint_slices')), 1);
  assert.equal(await value(named('desired_endpoint_slices')), 1);
  assert.equal(await value(`${named('changes')}{operation="create"}`), 1);
  assert.equal(await value(`${named('endpoints_added_per_sync')}_sum`), 2);
  await endpoints.patch('s', 'merge', { subsets: subset('10.0.0.2') });
  await clock.advance(5_000);
  assert.equal(await value(`${named('endpoints_removed_per_sync')}_sum`), 1);
  assert.equal(await value(`${named('endpoints_updated_per_sync')}_sum`), 0);
  assert.equal(await value(`${named('addresses_skipped_per_sync')}_sum`), 0);
  assert.ok(((await value(`${named('endpoints_sync_duration')}_count`)) ?? 0) >= 2);
  await endpoints.delete('s');
  await clock.advance(5_000);
  assert.equal(await value(named('endpoints_desired')), 0);
  assert.equal(await value(named('num_endpoint_slices')), 0);
});

test('claims of devices, by how they came and whether they have them', async (t) => {
  const { client, clock, value, family } = await setUp(t);
  await addDevicePod(client);
  const template = { spec: { devices: { requests: [] } } };
  await client
    .resource<KubeObject>(deviceResource('resourceclaimtemplates'))
    .namespace('default')
    .create({ metadata: { name: 't' }, spec: template } as KubeObject);
  await client
    .resource<Pod>(core('pods'))
    .namespace('default')
    .create({
      metadata: { name: 'q' },
      spec: { ...podSpec, resourceClaims: [{ name: 'g', resourceClaimTemplateName: 't' }] },
    });
  await clock.advance(10_000);
  const name = 'resourceclaim_controller_resource_claims';
  const all = await family(name);
  assert.ok(all.includes('{admin_access="false",allocated="true",source=""} 1'), all.join('\n'));
  assert.equal(all.filter((one) => one.includes('source="resource_claim_template"')).length, 1);
  const creates = 'resourceclaim_controller_creates_total';
  assert.equal(await value(`${creates}{admin_access="false",status="success"}`), 1);
});
