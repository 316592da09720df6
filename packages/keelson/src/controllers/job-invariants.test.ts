import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '@keelson/apimachinery';
import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

// Whatever happens to pods and Job, and whenever: never more pods than may run, each index at most
// once, every pod that ended counted once, and in the end the Job ends.

const jobsResource = { group: 'batch', version: 'v1', resource: 'jobs' };
const indexKey = 'batch.kubernetes.io/job-completion-index';
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'app' }] } };

const chaos = fc.oneof(
  { weight: 4, arbitrary: fc.constant('succeed' as const) },
  { weight: 3, arbitrary: fc.constant('fail' as const) },
  fc.constantFrom('delete', 'suspend', 'resume', 'narrow', 'widen', 'orphan'),
);
const step = fc.record({
  what: chaos,
  which: fc.nat(20),
  waitMs: fc.constantFrom(0, 50, 1_500, 12_000),
});
const shape = fc.record({
  completions: fc.integer({ min: 1, max: 6 }),
  parallelism: fc.integer({ min: 1, max: 4 }),
  isIndexed: fc.boolean(),
  isPerIndex: fc.boolean(),
});

test('random lives of Jobs', async (t) => {
  const runs = fc.sample(fc.tuple(shape, fc.array(step, { minLength: 5, maxLength: 15 })), {
    seed: 7,
    numRuns: 25,
  });
  const { client, clock, warnings } = await simulateCluster(t);
  const jobs = client.resource<Job>(jobsResource).namespace('default');
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  for (const [
    run,
    [{ completions, parallelism, isIndexed, isPerIndex }, steps],
  ] of runs.entries()) {
    const name = `job-${run}`;
    const labelSelector = `batch.kubernetes.io/job-name=${name}`;
    const ofJob = async () => (await pods.list({ labelSelector })).items;
    const isRunning = ({ status, metadata }: Pod) =>
      status?.phase === 'Pending' && metadata.deletionTimestamp === undefined;
    const running = async () => (await ofJob()).filter(isRunning);
    const setPhase = (pod: Pod, phase: string) =>
      pods.patch(
        pod.metadata.name ?? '',
        'merge',
        { status: { phase } },
        { subresource: 'status' },
      );
    const change = (spec: JsonValue) => jobs.patch(name, 'merge', { spec });
    let most = parallelism;
    let narrowest = parallelism;
    const check = async () => {
      const alive = await running();
      assert.ok(alive.length <= most, `${name}: ${alive.length} pods, allowed ${most}`);
      const indexes = alive.map(({ metadata }) => metadata.annotations?.[indexKey]);
      if (isIndexed) assert.equal(new Set(indexes).size, indexes.length, `${name}: index twice`);
    };
    await jobs.create({
      metadata: { name },
      spec: {
        template,
        completions,
        parallelism,
        backoffLimit: 100,
        completionMode: isIndexed ? 'Indexed' : 'NonIndexed',
        ...(isIndexed && isPerIndex && { backoffLimitPerIndex: 20 }),
      },
    } as Job);
    for (const { what, which, waitMs } of steps) {
      const alive = await running();
      const pod = alive[which % Math.max(1, alive.length)];
      if (what === 'suspend' || what === 'resume') await change({ suspend: what === 'suspend' });
      if (what === 'narrow')
        await change({ parallelism: (narrowest = Math.max(1, narrowest - 1)) });
      if (what === 'widen') {
        await change({ parallelism: (narrowest = narrowest + 1) });
        most = Math.max(most, narrowest);
      }
      if (pod !== undefined) {
        if (what === 'succeed') await setPhase(pod, 'Succeeded');
        if (what === 'fail') await setPhase(pod, 'Failed');
        if (what === 'delete') await pods.delete(pod.metadata.name ?? '', {});
        if (what === 'orphan')
          await pods.patch(pod.metadata.name ?? '', 'merge', {
            metadata: { ownerReferences: null },
          });
      }
      await clock.advance(waitMs);
      await check();
    }
    const isOver = async () =>
      (await jobs.get(name)).status?.conditions?.some(({ type }) => type === 'Complete') === true;
    if (!(await isOver())) await change({ suspend: false });
    for (let i = 0; i < 60 && !(await isOver()); i++) {
      for (const pod of await running()) await setPhase(pod, 'Succeeded');
      await clock.advance(30_000);
      await check();
    }
    assert.ok(
      await isOver(),
      `${name} does not end: ${JSON.stringify((await jobs.get(name)).status)}`,
    );
    await clock.advance(5_000);
    const { status = {} } = await jobs.get(name);
    const ended = (await ofJob()).filter(({ status: of }) => of?.phase === 'Succeeded');
    if (isIndexed) assert.equal(status.succeeded, completions, name);
    else assert.equal(status.succeeded, ended.length, name);
    assert.equal(status.active ?? 0, 0, name);
    assert.deepEqual(status.uncountedTerminatedPods ?? {}, {}, name);
    for (const { metadata } of await ofJob()) assert.equal(metadata.finalizers, undefined, name);
  }
  assert.deepEqual(warnings, []);
});
