// A group of pods that is deleted goes when its pods have ended.

import assert from 'node:assert/strict';
import { describe, it, test, type TestContext } from 'node:test';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { PodGroup } from '@keelson/apimachinery/types/scheduling.k8s.io.v1alpha2';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const finalizer = 'scheduling.k8s.io/podgroup-protection';
const second = 1_000;

async function setUp(t: TestContext) {
  const { client, clock, warnings } = await simulateCluster(t, {
    featureGates: { GenericWorkload: true },
    runtimeConfig: 'scheduling.k8s.io/v1alpha2=true',
  });
  const groups = client
    .resource<PodGroup>({
      group: 'scheduling.k8s.io',
      version: 'v1alpha2',
      resource: 'podgroups',
    })
    .namespace('default');
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  await groups.create({
    metadata: { name: 'g' },
    spec: { schedulingPolicy: { basic: {} } },
  } as PodGroup);
  return {
    groups,
    pods,
    warnings,
    wait: (ms = second) => clock.advance(ms),
    isThere: async () => (await find(groups, 'g')) !== undefined,
    addPod: (name: string, group?: string) =>
      pods.create({
        metadata: { name },
        spec: {
          containers: [{ name: 'c', image: 'app' }],
          ...(group !== undefined && { schedulingGroup: { podGroupName: group } }),
        },
      }),
  };
}

describe('which pods keep a group that is deleted', () => {
  for (const [what, group, phase, isKept] of [
    ['one that waits', 'g', undefined, true],
    ['one that runs', 'g', 'Running', true],
    ['one that ended', 'g', 'Succeeded', false],
    ['one that failed', 'g', 'Failed', false],
    ['one of another group', 'h', 'Running', false],
    ['one of no group', undefined, 'Running', false],
  ] as const)
    it(what, async (t) => {
      const { addPod, groups, isThere, pods, wait, warnings } = await setUp(t);
      await addPod('p', group);
      if (phase !== undefined)
        await pods.patch('p', 'merge', { status: { phase } }, { subresource: 'status' });
      await wait();
      await groups.delete('g');
      await wait();
      assert.equal(await isThere(), isKept);
      assert.deepEqual(warnings, []);
    });
});

test('the last pod that ends or goes frees it', async (t) => {
  const { addPod, groups, isThere, pods, wait } = await setUp(t);
  for (const name of ['p', 'q']) await addPod(name, 'g');
  await groups.delete('g');
  const phase = { status: { phase: 'Failed' } };
  await pods.patch('p', 'merge', phase, { subresource: 'status' });
  await wait();
  assert.ok(await isThere());
  await pods.delete('q', { gracePeriodSeconds: 0 });
  await wait();
  assert.equal(await isThere(), false);
});

test('a finalizer that somebody took away is not given back', async (t) => {
  const { groups, wait } = await setUp(t);
  assert.deepEqual((await groups.get('g')).metadata.finalizers, [finalizer]);
  await groups.patch('g', 'merge', { metadata: { finalizers: ['example.com/held'] } });
  await wait(10 * second);
  assert.deepEqual((await groups.get('g')).metadata.finalizers, ['example.com/held']);
});
