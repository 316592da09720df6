import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

test('/metrics tells what the scheduler does, under kube-scheduler’s names', async (t) => {
  const { client, clock } = await simulateCluster(t);
  const nodes = client.resource<Node>(core('nodes'));
  const allocatable = { cpu: '4', memory: '8Gi', pods: '110' };
  const conditions = [{ type: 'Ready', status: 'True' }];
  await nodes.create({ metadata: { name: 'a' }, spec: {}, status: { allocatable, conditions } });
  await nodes.patch('a', 'merge', { spec: { taints: null } });
  await clock.advance(2_000);
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const addPod = (name: string, spec: object) =>
    pods.create({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } });
  const asking = (cpu: string) => ({
    containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }],
  });
  await addPod('placed', {});
  await addPod('large', asking('9'));
  await addPod('gated', { schedulingGates: [{ name: 'example.com/wait' }] });
  await addPod('foreign', { schedulerName: 'other' });
  await clock.advance(1_000);
  const text = (await client.send({ method: 'GET', path: '/metrics' })).toString();
  const value = (series: string) => {
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  const result = (name: string, outcome: string) =>
    value(`${name}{profile="default-scheduler",result="${outcome}"}`);
  const pending = (queue: string) => value(`scheduler_pending_pods{queue="${queue}"}`);
  assert.deepEqual(
    {
      scheduled: result('scheduler_schedule_attempts_total', 'scheduled'),
      measured: result('scheduler_scheduling_attempt_duration_seconds_count', 'scheduled'),
      errors: result('scheduler_schedule_attempts_total', 'error'),
      pending: ['active', 'backoff', 'unschedulable', 'gated'].map(pending),
      added: value('scheduler_queue_incoming_pods_total{event="UnscheduledPodAdd",queue="active"}'),
      gated: value('scheduler_queue_incoming_pods_total{event="UnscheduledPodAdd",queue="gated"}'),
      sli: value('scheduler_pod_scheduling_sli_duration_seconds_count{attempts="1"}'),
      attempts: value('scheduler_pod_scheduling_attempts_count'),
      unschedulable: value(
        'scheduler_unschedulable_pods{plugin="NodeResourcesFit",profile="default-scheduler"}',
      ),
      gates: value(
        'scheduler_unschedulable_pods{plugin="SchedulingGates",profile="default-scheduler"}',
      ),
      nodes: value('scheduler_cache_size{type="nodes"}'),
      pods: value('scheduler_cache_size{type="pods"}'),
      victims: value('scheduler_preemption_victims_count'),
    },
    {
      scheduled: 1,
      measured: 1,
      errors: undefined,
      pending: [0, 0, 1, 1],
      added: 2,
      gated: 1,
      sli: 1,
      attempts: 1,
      unschedulable: 1,
      gates: 1,
      nodes: 1,
      pods: 1,
      victims: undefined,
    },
  );
  // The pod that nothing can help was tried, and so was preemption, as often as it was tried.
  const tried = result('scheduler_schedule_attempts_total', 'unschedulable') ?? 0;
  assert.ok(tried >= 1);
  assert.equal(value('scheduler_preemption_attempts_total'), tried);
  const point = (name: string, status: string) =>
    value(
      `scheduler_framework_extension_point_duration_seconds_count{extension_point="${name}",profile="default-scheduler",status="${status}"}`,
    );
  assert.deepEqual(
    [point('Bind', 'Success'), point('Filter', 'Success'), point('Filter', 'Unschedulable')],
    [1, 1, tried],
  );
  assert.ok(
    (value(
      'scheduler_plugin_evaluation_total{extension_point="Filter",plugin="NodeResourcesFit",profile="default-scheduler"}',
    ) ?? 0) >= 2,
  );
  for (const [name, type] of [
    ['scheduler_schedule_attempts_total', 'counter'],
    ['scheduler_pending_pods', 'gauge'],
    ['scheduler_framework_extension_point_duration_seconds', 'histogram'],
    ['scheduler_plugin_execution_duration_seconds', 'histogram'],
  ])
    assert.ok(text.includes(`# TYPE ${name} ${type}\n`), name);
});
