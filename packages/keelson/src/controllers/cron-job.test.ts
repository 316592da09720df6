import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { CronJob, Job } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { core, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';

const batch = (resource: string) => ({ group: 'batch', version: 'v1', resource });
const jobTemplate = {
  metadata: { labels: { from: 'cron' } },
  spec: {
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'app' }] } },
  },
};

async function setUp(t: TestContext, spec: object) {
  const simulated = await simulateCluster(t);
  const { client, clock } = simulated;
  const cronJobs = client.resource<CronJob>(batch('cronjobs')).namespace('default');
  const jobs = client.resource<Job>(batch('jobs')).namespace('default');
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const events = client.resource(core('events')).namespace('default');
  await cronJobs.create({
    metadata: { name: 'c' },
    spec: { schedule: '*/10 * * * *', jobTemplate, ...spec },
  } as CronJob);
  const minutes = (count: number) => clock.advance(count * 60_000);
  const status = async () => (await cronJobs.get('c')).status ?? {};
  const endAll = async (phase: string) => {
    for (const { metadata, status: of } of (await pods.list()).items)
      if (of?.phase === 'Pending')
        await pods.patch(
          metadata.name ?? '',
          'merge',
          { status: { phase } },
          { subresource: 'status' },
        );
    await clock.advance(10_000);
  };
  const reasons = async () =>
    new Set((await events.list()).items.map(({ reason }) => reason as string));
  return { ...simulated, cronJobs, jobs, pods, events, minutes, status, endAll, reasons };
}

test('a Job at each time of the schedule, named after it', async (t) => {
  const { jobs, minutes, status, clock, endAll, reasons, warnings } = await setUp(t, {});
  const expected = Math.floor(clock.now() / 600_000) * 10 + 10;
  assert.deepEqual(await namesIn(jobs), []);
  await minutes(11);
  assert.deepEqual(await namesIn(jobs), [`c-${expected}`]);
  const [job] = (await jobs.list()).items;
  const scheduled = new Date(expected * 60_000).toISOString().replace('.000Z', 'Z');
  assert.deepEqual(job?.metadata.labels, { from: 'cron' });
  assert.deepEqual(job?.metadata.annotations, {
    'batch.kubernetes.io/cronjob-scheduled-timestamp': scheduled,
  });
  assert.equal((await status()).active?.[0]?.name, `c-${expected}`);
  assert.equal((await status()).lastScheduleTime, scheduled);
  await endAll('Succeeded');
  assert.equal((await status()).active, undefined);
  assert.ok((await status()).lastSuccessfulTime !== undefined);
  await minutes(10);
  assert.deepEqual(await namesIn(jobs), [`c-${expected}`, `c-${expected + 10}`]);
  assert.ok((await reasons()).isSupersetOf(new Set(['SuccessfulCreate', 'SawCompletedJob'])));
  assert.deepEqual(warnings, []);
});

test('what happens when the last run still runs', async (t) => {
  const rows: [concurrencyPolicy: string, jobs: number, reason: string][] = [
    ['Allow', 3, 'SuccessfulCreate'],
    ['Forbid', 1, 'JobAlreadyActive'],
    ['Replace', 1, 'SuccessfulDelete'],
  ];
  for (const [concurrencyPolicy, count, reason] of rows) {
    const { jobs, minutes, status, reasons } = await setUp(t, { concurrencyPolicy });
    await minutes(31);
    assert.equal((await jobs.list()).items.length, count, concurrencyPolicy);
    assert.equal((await status()).active?.length, count, concurrencyPolicy);
    assert.ok((await reasons()).has(reason), concurrencyPolicy);
  }
});

test('the oldest Jobs that ended go', async (t) => {
  const { jobs, minutes, endAll } = await setUp(t, {
    successfulJobsHistoryLimit: 2,
    failedJobsHistoryLimit: 0,
    jobTemplate: { spec: { ...jobTemplate.spec, backoffLimit: 0 } },
  });
  for (let i = 0; i < 4; i++) {
    await minutes(10);
    await endAll('Succeeded');
  }
  const names = await namesIn(jobs);
  assert.equal(names.length, 2);
  await minutes(10);
  await endAll('Failed');
  assert.deepEqual(await namesIn(jobs), names);
});

test('a Job that no history may hold is told as deleted, not as completed', async (t) => {
  const rows: [limits: object, ends: string, told: string[], hasSucceeded: boolean][] = [
    [{}, 'Succeeded', ['SawCompletedJob'], true],
    [{ successfulJobsHistoryLimit: 0 }, 'Succeeded', ['SuccessfulDelete'], true],
    [{ failedJobsHistoryLimit: 0 }, 'Failed', ['SuccessfulDelete'], false],
    [{ failedJobsHistoryLimit: 1 }, 'Failed', ['SawCompletedJob'], false],
  ];
  for (const [limits, phase, expected, hasSucceeded] of rows) {
    const { minutes, endAll, status, events } = await setUp(t, {
      ...limits,
      jobTemplate: { spec: { ...jobTemplate.spec, backoffLimit: 0 } },
    });
    await minutes(10);
    await endAll(phase);
    const told = (await events.list()).items
      .filter(({ involvedObject: of }) => (of as { kind?: string }).kind === 'CronJob')
      .map(({ reason }) => reason)
      .filter((reason) => reason !== 'SuccessfulCreate');
    assert.deepEqual(told, expected, JSON.stringify(limits));
    const { active, lastSuccessfulTime } = await status();
    assert.deepEqual([active, lastSuccessfulTime !== undefined], [undefined, hasSucceeded]);
  }
});

test('a run that the status forgot is found again, though it is over', async (t) => {
  const { cronJobs, jobs, minutes, endAll, status } = await setUp(t, {});
  await minutes(10);
  await endAll('Succeeded');
  const [name] = await namesIn(jobs);
  const { lastScheduleTime } = await status();
  const forgotten = { status: { lastScheduleTime: null } };
  await cronJobs.patch('c', 'merge', forgotten, { subresource: 'status' });
  await minutes(1);
  assert.deepEqual(await namesIn(jobs), [name]);
  const after = await status();
  assert.deepEqual([after.lastScheduleTime, after.active], [lastScheduleTime, undefined]);
});

test('suspended, it starts nothing; afterwards only the last run that was missed', async (t) => {
  const { jobs, cronJobs, minutes } = await setUp(t, { suspend: true });
  await minutes(35);
  assert.deepEqual(await namesIn(jobs), []);
  await cronJobs.patch('c', 'merge', { spec: { suspend: false } });
  await minutes(1);
  assert.equal((await namesIn(jobs)).length, 1);
});

test('a run that is later than its deadline is left out', async (t) => {
  const { jobs, cronJobs, minutes } = await setUp(t, {
    suspend: true,
    startingDeadlineSeconds: 60,
  });
  await minutes(35);
  await cronJobs.patch('c', 'merge', { spec: { suspend: false } });
  await minutes(1);
  assert.deepEqual(await namesIn(jobs), []);
  await minutes(5);
  assert.equal((await namesIn(jobs)).length, 1);
});

test('a new schedule does not make up for what it would have run before', async (t) => {
  const { jobs, cronJobs, minutes } = await setUp(t, { schedule: '0 0 1 1 *' });
  await minutes(15);
  await cronJobs.patch('c', 'merge', { spec: { schedule: '*/10 * * * *' } });
  await minutes(1);
  assert.deepEqual(await namesIn(jobs), []);
  await minutes(10);
  assert.equal((await namesIn(jobs)).length, 1);
});

test('a schedule that never comes is told, not tried', async (t) => {
  const { jobs, minutes, reasons, warnings } = await setUp(t, { schedule: '0 0 31 2 *' });
  await minutes(10);
  assert.deepEqual(await namesIn(jobs), []);
  assert.ok((await reasons()).has('InvalidSchedule'));
  assert.deepEqual(warnings, []);
});

test('a schedule that turns into one that never comes is told at once', async (t) => {
  const { jobs, cronJobs, minutes, clock, reasons } = await setUp(t, {});
  await cronJobs.patch('c', 'merge', { spec: { schedule: '0 0 31 2 *' } });
  await clock.advance(1_000);
  assert.deepEqual(await reasons(), new Set(['InvalidSchedule']));
  await minutes(30);
  assert.deepEqual(await namesIn(jobs), []);
});

test('with Forbid at most one Job is active, whatever happens to Jobs and pods', async (t) => {
  const step = fc.record({
    what: fc.constantFrom('succeed', 'fail', 'delete', 'suspend', 'resume', 'nothing'),
    waitMs: fc.constantFrom(1_000, 20_000, 61_000, 130_000),
  });
  const { jobs, cronJobs, clock, endAll, warnings } = await setUp(t, {
    schedule: '* * * * *',
    concurrencyPolicy: 'Forbid',
    jobTemplate: { spec: { ...jobTemplate.spec, backoffLimit: 0 } },
  });
  const [steps = []] = fc.sample(fc.array(step, { minLength: 40, maxLength: 40 }), {
    seed: 3,
    numRuns: 1,
  });
  const isActive = ({ status }: Job) =>
    !status?.conditions?.some(({ type }) => type === 'Complete' || type === 'Failed');
  for (const { what, waitMs } of steps) {
    if (what === 'succeed') await endAll('Succeeded');
    if (what === 'fail') await endAll('Failed');
    if (what === 'suspend' || what === 'resume')
      await cronJobs.patch('c', 'merge', { spec: { suspend: what === 'suspend' } });
    if (what === 'delete')
      for (const { metadata } of (await jobs.list()).items.slice(0, 1))
        await jobs.delete(metadata.name ?? '', { propagationPolicy: 'Background' });
    await clock.advance(waitMs);
    const active = (await jobs.list()).items.filter(isActive);
    assert.ok(active.length <= 1, `${active.length} active`);
    const known = (await cronJobs.get('c')).status?.active ?? [];
    assert.deepEqual(
      known.map(({ name }) => name),
      active.map(({ metadata }) => metadata.name),
    );
  }
  assert.deepEqual(warnings, []);
});
