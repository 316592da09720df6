// Pods that want one volume labelled differently are told so.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Event } from '@keelson/apimachinery/types/core.v1';
import {
  addLabelledPod,
  addLabelledVolume,
  csiDriversResource,
} from '../testing/labelled-volume.ts';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const at = (level: string) => ({ seLinuxOptions: { level } });

async function setUp(t: TestContext, namespaces: readonly string[] = ['default']) {
  const controllers = ['*', 'selinux-warning-controller'];
  const { client, clock } = await simulateCluster(t, { controllers });
  for (const name of namespaces)
    if (name !== 'default')
      await client.resource(core('namespaces')).create({ metadata: { name } });
  await clock.advance(1_000);
  await addLabelledVolume(client, namespaces);
  await clock.advance(1_000);
  return {
    client,
    clock,
    async told(namespace = 'default') {
      const events = client.resource<Event>(core('events')).namespace(namespace);
      return (await events.list()).items
        .filter(({ source }) => source?.component === 'selinux_warning')
        .map(({ type, reason, involvedObject }) => `${type} ${reason} ${involvedObject.name}`)
        .toSorted();
    },
    async conflicts() {
      const bytes = await client.send({ method: 'GET', path: '/metrics' });
      return Buffer.from(bytes)
        .toString()
        .split('\n')
        .filter((line) => line.startsWith('selinux_warning_controller_selinux_volume_conflict{'));
    },
  };
}

test('two labels: both pods are told, and the metric says so until one is gone', async (t) => {
  const { client, clock, told, conflicts } = await setUp(t);
  await addLabelledPod(client, 'a', at('s0:c1'));
  await clock.advance(1_000);
  assert.deepEqual(await told(), []);
  await addLabelledPod(client, 'b', at('s0:c2'));
  await addLabelledPod(client, 'same', at('s0:c1'));
  await clock.advance(1_000);
  const normal = (name: string) => `Normal SELinuxLabelConflict ${name}`;
  // `b` hears of both others.
  assert.deepEqual(await told(), ['a', 'b', 'b', 'same'].map(normal));
  assert.deepEqual(
    (await conflicts()).filter((line) => line.includes('pod1_name="a"')),
    [
      'selinux_warning_controller_selinux_volume_conflict{property="SELinuxLabel",pod1_namespace="default",pod1_name="a",pod1_value=":::s0:c1",pod2_namespace="default",pod2_name="b",pod2_value=":::s0:c2"} 1',
    ],
  );
  assert.equal((await conflicts()).length, 4);
  await client.resource(core('pods')).namespace('default').delete('b');
  await clock.advance(60_000);
  assert.deepEqual(await conflicts(), []);
});

test('two policies, across namespaces', async (t) => {
  const { client, clock, told, conflicts } = await setUp(t, ['default', 'other']);
  await addLabelledPod(client, 'a', at('s0:c1'));
  const recursive = { ...at('s0:c2'), seLinuxChangePolicy: 'Recursive' };
  await addLabelledPod(client, 'b', recursive, 'other');
  await clock.advance(1_000);
  assert.deepEqual(await told(), ['Normal SELinuxChangePolicyConflict a']);
  assert.deepEqual(await told('other'), ['Normal SELinuxChangePolicyConflict b']);
  assert.equal((await conflicts()).length, 2);
});

test('a driver that cannot label at the mount leaves nothing to tell', async (t) => {
  const { client, clock, told, conflicts } = await setUp(t);
  const drivers = client.resource(csiDriversResource);
  await drivers.patch('disk.example.com', 'merge', { spec: { seLinuxMount: false } });
  await clock.advance(1_000);
  await addLabelledPod(client, 'a', at('s0:c1'));
  await addLabelledPod(client, 'b', at('s0:c2'));
  await clock.advance(1_000);
  assert.deepEqual(await told(), []);
  await drivers.patch('disk.example.com', 'merge', { spec: { seLinuxMount: true } });
  await clock.advance(1_000);
  assert.ok((await told()).includes('Normal SELinuxLabelConflict a'));
  await drivers.delete('disk.example.com');
  await clock.advance(1_000);
  assert.deepEqual(await conflicts(), []);
});
