import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { createCluster } from './index.ts';
import { core } from './testing/simulated-cluster.ts';

const controllers: string[] = [];
const later = () => new Promise((resolve) => setImmediate(resolve));

test('a check that holds is made once, and its result is returned', async () => {
  await using cluster = await createCluster({ controllers });
  let checks = 0;
  const answer = await cluster.eventually(() => {
    checks++;
    return 'there';
  });
  assert.deepEqual([answer, checks], ['there', 1]);
});

test('a check that fails is made again after writes, and without', async () => {
  await using cluster = await createCluster({ controllers });
  const maps = cluster.client().resource(core('configmaps')).namespace('default');
  const waiting = cluster.eventually(() => maps.get('late'), { timeoutMs: 60_000 });
  await maps.create({ metadata: { name: 'late' } });
  assert.equal((await waiting).metadata.name, 'late');

  let isThere = false;
  const told = cluster.eventually(() => assert.ok(isThere), { timeoutMs: 60_000 });
  await later();
  isThere = true;
  await told;
});

test('when time is up, the last failure is thrown', async () => {
  const clock = createSimulatedClock();
  await using cluster = await createCluster({ controllers, clock });
  let checks = 0;
  const check = () => {
    throw new Error(`failure ${++checks}`);
  };
  const outcome = assert.rejects(cluster.eventually(check, { timeoutMs: 1_000 }), (error) => {
    assert.equal((error as Error).message, `failure ${checks}`);
    return checks > 2;
  });
  await clock.advance(2_000);
  await outcome;
});

test('a cluster that is closed ends the waiting', async () => {
  const cluster = await createCluster({ controllers });
  const reason = new Error('not yet');
  const outcome = assert.rejects(
    cluster.eventually(() => Promise.reject(reason), { timeoutMs: 60_000 }),
    { message: 'the cluster was closed meanwhile', cause: reason },
  );
  await cluster.close();
  await outcome;
  await assert.rejects(
    cluster.eventually(() => {}),
    /the cluster is closed/,
  );
});
