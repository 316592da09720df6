import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JsonObject } from '@keelson/apimachinery';
import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { ClusterOptions } from '../create-cluster.ts';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const jobsResource = { group: 'batch', version: 'v1', resource: 'jobs' };
const indexKey = 'batch.kubernetes.io/job-completion-index';
const tracking = 'batch.kubernetes.io/job-tracking';
const template = {
  spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'app' }] },
};

async function setUp(t: TestContext, spec: object, options: ClusterOptions = {}) {
  const simulated = await simulateCluster(t, options);
  const { client, clock } = simulated;
  const jobs = client.resource<Job>(jobsResource).namespace('default');
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const events = client.resource(core('events')).namespace('default');
  const settle = () => clock.advance(5_000);
  await jobs.create({ metadata: { name: 'work' }, spec: { template, ...spec } } as Job);
  await settle();
  const status = async () => (await jobs.get('work')).status ?? {};
  /** Pods that did not end, those with the lowest index first. */
  const running = async () =>
    (await pods.list()).items
      .filter(({ status: of }) => of?.phase !== 'Succeeded' && of?.phase !== 'Failed')
      .toSorted((a, b) => Number(indexOf(a)) - Number(indexOf(b)));
  const end = async (pod: Pod | undefined, phase: string, code = phase === 'Failed' ? 1 : 0) => {
    const finishedAt = new Date(clock.now()).toISOString().replace(/\.\d+Z/, 'Z');
    const change = { status: { phase, ...terminated(code, finishedAt) } };
    await pods.patch(pod?.metadata.name ?? '', 'strategic', change, { subresource: 'status' });
    await settle();
  };
  const conditions = async () =>
    (await status()).conditions?.map(({ type, status: is, reason }) => `${type}=${is}:${reason}`);
  const reasons = async () => {
    await settle();
    return new Set((await events.list()).items.map(({ reason }) => reason as string));
  };
  return { ...simulated, jobs, pods, events, settle, status, running, end, conditions, reasons };
}

const indexOf = (pod: Pod | undefined) => pod?.metadata.annotations?.[indexKey];
const terminated = (exitCode: number, finishedAt: string): JsonObject => ({
  containerStatuses: [
    {
      name: 'c',
      image: 'app',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode, finishedAt } },
    },
  ],
});

test('as many pods as completions ask for, never more at a time than may run', async (t) => {
  const { status, running, end, conditions, pods, warnings } = await setUp(t, {
    completions: 3,
    parallelism: 2,
  });
  for (const left of [2, 2, 1]) {
    assert.equal((await running()).length, left);
    await end((await running())[0], 'Succeeded');
  }
  assert.deepEqual(await conditions(), [
    'SuccessCriteriaMet=True:CompletionsReached',
    'Complete=True:CompletionsReached',
  ]);
  const { succeeded, active, failed, completionTime } = await status();
  assert.deepEqual([succeeded, active, failed], [3, undefined, undefined]);
  assert.ok(completionTime !== undefined);
  const all = (await pods.list()).items;
  assert.equal(all.length, 3);
  assert.ok(all.every(({ metadata }) => metadata.finalizers === undefined));
  assert.deepEqual(warnings, []);
});

test('a pod that is deleted while it runs has failed, and is counted before it goes', async (t) => {
  const { status, running, pods, clock, settle } = await setUp(t, {});
  const [first] = await running();
  assert.deepEqual(first?.metadata.finalizers, [tracking]);
  await pods.delete(first?.metadata.name ?? '', { gracePeriodSeconds: 0 });
  await settle();
  assert.equal((await status()).failed, 1);
  assert.equal(await find(pods, first?.metadata.name ?? ''), undefined);
  await clock.advance(10_000);
  assert.equal((await running()).length, 1);
});

test('each failure doubles the wait, until the limit ends the Job', async (t) => {
  const { running, end, clock, conditions, status, reasons } = await setUp(t, { backoffLimit: 2 });
  for (const waitMs of [10_000, 20_000]) {
    const failedAt = clock.now();
    await end((await running())[0], 'Failed');
    await clock.advance(failedAt + waitMs - 2_000 - clock.now());
    assert.equal((await running()).length, 0);
    await clock.advance(4_000);
    assert.equal((await running()).length, 1);
  }
  await end((await running())[0], 'Failed');
  assert.deepEqual(await conditions(), [
    'FailureTarget=True:BackoffLimitExceeded',
    'Failed=True:BackoffLimitExceeded',
  ]);
  assert.equal((await status()).failed, 3);
  assert.ok((await reasons()).has('BackoffLimitExceeded'));
});

test('indexed pods know their index, and each index succeeds once', async (t) => {
  const { running, end, status, pods, clock } = await setUp(t, {
    completions: 4,
    parallelism: 2,
    completionMode: 'Indexed',
  });
  const [zero, one] = await running();
  assert.deepEqual([indexOf(zero), indexOf(one)], ['0', '1']);
  assert.equal(zero?.spec.hostname, 'work-0');
  assert.match(zero?.metadata.name ?? '', /^work-0-[a-z0-9]{5}$/);
  assert.equal(zero?.metadata.labels?.[indexKey], '0');
  assert.equal(zero?.spec.containers?.[0]?.env?.[0]?.name, 'JOB_COMPLETION_INDEX');
  await end(one, 'Succeeded');
  assert.deepEqual((await running()).map(indexOf), ['0', '2']);
  await end(zero, 'Failed');
  assert.equal((await status()).completedIndexes, '1');
  await clock.advance(10_000);
  assert.deepEqual((await running()).map(indexOf), ['0', '2']);
  while ((await running()).length > 0) await end((await running())[0], 'Succeeded');
  assert.equal((await status()).completedIndexes, '0-3');
  assert.equal((await status()).succeeded, 4);
  assert.equal((await pods.list()).items.length, 5);
});

test('with a limit per index the others go on', async (t) => {
  const { running, end, status, conditions, clock } = await setUp(t, {
    completions: 2,
    parallelism: 2,
    completionMode: 'Indexed',
    backoffLimitPerIndex: 1,
  });
  await end((await running())[0], 'Failed');
  await clock.advance(10_000);
  const [again] = await running();
  assert.equal(indexOf(again), '0');
  assert.equal(again?.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'], '1');
  await end(again, 'Failed');
  assert.equal((await status()).failedIndexes, '0');
  assert.equal((await running()).length, 1);
  await end((await running())[0], 'Succeeded');
  assert.deepEqual(await conditions(), [
    'FailureTarget=True:FailedIndexes',
    'Failed=True:FailedIndexes',
  ]);
  assert.deepEqual([(await status()).failed, (await status()).succeeded], [2, 1]);
});

test('more failed indexes than allowed end all', async (t) => {
  const { running, end, conditions, status } = await setUp(t, {
    completions: 3,
    parallelism: 3,
    completionMode: 'Indexed',
    backoffLimitPerIndex: 0,
    maxFailedIndexes: 0,
  });
  await end((await running())[1], 'Failed');
  assert.deepEqual(await conditions(), [
    'FailureTarget=True:MaxFailedIndexesExceeded',
    'Failed=True:MaxFailedIndexesExceeded',
  ]);
  assert.deepEqual([(await status()).failedIndexes, (await running()).length], ['1', 0]);
});

const rule = (action: string, code: number) => ({
  action,
  onExitCodes: { operator: 'In', values: [code] },
});

test('the failure policy decides what a failure means', async (t) => {
  const rows: [policy: string, failed: number | undefined, ends: boolean][] = [
    ['FailJob', 1, true],
    ['Ignore', undefined, false],
    ['Count', 1, true],
  ];
  for (const [action, failed, ends] of rows) {
    const { running, end, status, conditions } = await setUp(t, {
      backoffLimit: 0,
      podFailurePolicy: { rules: [rule(action, 42)] },
    });
    await end((await running())[0], 'Failed', 42);
    assert.equal((await status()).failed, failed, action);
    assert.equal((await conditions())?.length, ends ? 2 : undefined, action);
  }
});

test('the success policy ends a Job before all have succeeded', async (t) => {
  const { running, end, conditions, status } = await setUp(t, {
    completions: 3,
    parallelism: 3,
    completionMode: 'Indexed',
    successPolicy: { rules: [{ succeededIndexes: '1-2', succeededCount: 1 }] },
  });
  await end((await running())[0], 'Succeeded');
  assert.equal(await conditions(), undefined);
  await end((await running())[1], 'Succeeded');
  assert.deepEqual(await conditions(), [
    'SuccessCriteriaMet=True:SuccessPolicy',
    'Complete=True:SuccessPolicy',
  ]);
  assert.deepEqual([(await running()).length, (await status()).completedIndexes], [0, '0,2']);
});

test('a deadline ends a Job without any event', async (t) => {
  const { clock, conditions, running } = await setUp(t, { activeDeadlineSeconds: 60 });
  assert.equal(await conditions(), undefined);
  await clock.advance(62_000);
  assert.deepEqual(await conditions(), [
    'FailureTarget=True:DeadlineExceeded',
    'Failed=True:DeadlineExceeded',
  ]);
  assert.equal((await running()).length, 0);
});

test('a suspended Job has no pods, and none of them counts as failed', async (t) => {
  const { jobs, conditions, running, status, settle, reasons, warnings } = await setUp(t, {
    parallelism: 2,
    completions: 2,
  });
  await jobs.patch('work', 'merge', { spec: { suspend: true } });
  await settle();
  assert.equal((await running()).length, 0);
  assert.deepEqual(await conditions(), ['Suspended=True:JobSuspended']);
  assert.equal((await status()).failed, undefined);
  await jobs.patch('work', 'merge', { spec: { suspend: false } });
  await settle();
  assert.equal((await running()).length, 2);
  assert.deepEqual(warnings, []);
  assert.deepEqual(await conditions(), ['Suspended=False:JobResumed']);
  assert.ok((await reasons()).isSupersetOf(new Set(['Suspended', 'Resumed'])));
});

test('a suspended Job has not started, from the release on that lets it change', async (t) => {
  const rows: [options: ClusterOptions, startsAnew: boolean][] = [
    [{}, true],
    [{ emulatedVersion: '1.35' }, false],
    [{ featureGates: { MutableSchedulingDirectivesForSuspendedJobs: false } }, false],
  ];
  for (const [options, startsAnew] of rows) {
    const { jobs, status, settle, running, warnings } = await setUp(t, {}, options);
    const { startTime: first = '' } = await status();
    assert.notEqual(first, '');
    await jobs.patch('work', 'merge', { spec: { suspend: true } });
    await settle();
    assert.equal((await status()).startTime, startsAnew ? undefined : first);
    await settle();
    await jobs.patch('work', 'merge', { spec: { suspend: false } });
    await settle();
    assert.ok(((await status()).startTime ?? '') > first);
    assert.equal((await running()).length, 1);
    assert.deepEqual(warnings, []);
  }
});

test('more successes than asked for are told', async (t) => {
  const { pods, jobs, clock, events, status } = await setUp(t, { parallelism: 2, completions: 2 });
  await jobs.patch('work', 'merge', { spec: { parallelism: 0 } });
  const done = { status: { phase: 'Succeeded' } };
  const labels = (await jobs.get('work')).spec.template.metadata?.labels ?? {};
  for (const name of ['one', 'two', 'three']) {
    await pods.create({ metadata: { name, labels }, spec: template.spec } as Pod);
    await pods.patch(name, 'merge', done, { subresource: 'status' });
  }
  await clock.advance(10_000);
  assert.equal((await status()).succeeded, 3);
  const told = (await events.list()).items.find(({ reason }) => reason === 'TooManySucceededPods');
  const message = 'Too many succeeded pods running after completion count reached';
  assert.deepEqual([told?.type, told?.message], ['Warning', message]);
});

test('a Job that ends while it is suspended has started then', async (t) => {
  const { jobs, pods, settle, conditions, status, warnings } = await setUp(t, { suspend: true });
  const labels = (await jobs.get('work')).spec.template.metadata?.labels ?? {};
  await pods.create({ metadata: { name: 'orphan', labels }, spec: template.spec } as Pod);
  const done = { status: { phase: 'Succeeded' } };
  await pods.patch('orphan', 'merge', done, { subresource: 'status' });
  await settle();
  assert.deepEqual((await conditions())?.slice(1), [
    'SuccessCriteriaMet=True:CompletionsReached',
    'Complete=True:CompletionsReached',
  ]);
  assert.notEqual((await status()).startTime, undefined);
  assert.deepEqual(warnings, []);
});

test('fewer pods may run: the rest goes and does not count', async (t) => {
  const { jobs, running, status, settle } = await setUp(t, { parallelism: 3, completions: 3 });
  await jobs.patch('work', 'merge', { spec: { parallelism: 1 } });
  await settle();
  assert.equal((await running()).length, 1);
  assert.deepEqual([(await status()).active, (await status()).failed], [1, undefined]);
});

test('a replacement waits until the old pod has really ended, if so wanted', async (t) => {
  const { pods, running, status, clock } = await setUp(t, { podReplacementPolicy: 'Failed' });
  const [first] = await running();
  const node = { apiVersion: 'v1', kind: 'Binding', target: { kind: 'Node', name: 'n' } };
  const name = first?.metadata.name ?? '';
  await pods.create(
    { ...node, metadata: { name } } as unknown as Pod,
    {
      name,
      subresource: 'binding',
    } as object,
  );
  await pods.delete(name);
  await clock.advance(30_000);
  assert.equal((await running()).length, 1);
  assert.deepEqual([(await status()).active, (await status()).terminating], [undefined, 1]);
});

test('whoever else manages the Job is left alone', async (t) => {
  const { running, status } = await setUp(t, { managedBy: 'example.com/other' });
  assert.deepEqual([(await running()).length, await status()], [0, {}]);
});

test('pods of a Job that is gone can be deleted', async (t) => {
  const { jobs, pods, clock } = await setUp(t, { parallelism: 3, completions: 3 });
  await jobs.delete('work', { propagationPolicy: 'Background' });
  await clock.advance(30_000);
  assert.equal((await pods.list()).items.length, 0);
});

test('pods that a Job leaves behind lose its finalizer', async (t) => {
  for (const propagationPolicy of ['Orphan', 'Background'] as const) {
    const { jobs, pods, clock } = await setUp(t, { parallelism: 3, completions: 3 });
    for (const { metadata } of (await pods.list()).items.slice(0, 2))
      await pods.patch(metadata.name ?? '', 'merge', { metadata: { ownerReferences: null } });
    await jobs.delete('work', { propagationPolicy });
    await clock.advance(30_000);
    const left = (await pods.list()).items.map(({ metadata }) => metadata.finalizers ?? []);
    assert.deepEqual(left.flat(), [], propagationPolicy);
    assert.equal(left.length, propagationPolicy === 'Orphan' ? 3 : 2);
  }
});

test('orphans that match are adopted with the finalizer', async (t) => {
  const { jobs, pods, settle } = await setUp(t, { suspend: true });
  const labels = { app: 'own' };
  await pods.create({ metadata: { name: 'orphan', labels }, spec: template.spec });
  const spec = {
    manualSelector: true,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, ...template },
  };
  await jobs.create({ metadata: { name: 'adopts' }, spec });
  await settle();
  const { metadata } = await pods.get('orphan');
  assert.equal(metadata.ownerReferences?.[0]?.name, 'adopts');
  assert.deepEqual(metadata.finalizers, [tracking]);
  assert.equal((await pods.list()).items.length, 1);
});

test('a Job and its pods go when their time to live is over', async (t) => {
  const { jobs, pods, running, end, clock } = await setUp(t, { ttlSecondsAfterFinished: 60 });
  await end((await running())[0], 'Succeeded');
  await clock.advance(50_000);
  assert.ok((await find(jobs, 'work')) !== undefined);
  await clock.advance(30_000);
  assert.equal(await find(jobs, 'work'), undefined);
  assert.equal((await pods.list()).items.length, 0);
});
