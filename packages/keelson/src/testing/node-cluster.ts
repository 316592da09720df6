// A cluster of two simulated nodes in simulated time, and one pod on the first of them.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import type { Node, Pod, PodSpec } from '@keelson/apimachinery/types/core.v1';
import type { ClusterOptions } from '../create-cluster.ts';
import { core, find, simulateCluster } from './simulated-cluster.ts';

export const seconds = 1_000;

export async function setUpNodes(t: TestContext, options: ClusterOptions = {}) {
  const simulated = await simulateCluster(t, { nodes: 2, ...options });
  const { client, clock } = simulated;
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const nodes = client.resource<Node>(core('nodes'));
  const events = client.resource<KubeObject>(core('events')).namespace('default');
  await client.resource(core('serviceaccounts')).namespace('default').get('default');
  const state = async () => {
    const pod = await find(pods, 'p');
    return pod === undefined ? 'gone' : stateOf(pod);
  };
  return {
    ...simulated,
    pods,
    nodes,
    events,
    run: async (spec: Partial<PodSpec>, simulate: Record<string, string> = {}) => {
      const annotations = Object.fromEntries(
        Object.entries(simulate).map(([key, value]) => [`keelson.dev/simulate-${key}`, value]),
      );
      const container = { name: 'app', image: 'app:1' };
      await pods.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', annotations },
        spec: { nodeName: 'node-1', containers: [container], ...spec },
      });
    },
    /** `Running app=running(0)`: the phase, and each container with its restarts. */
    state,
    /** What the state is so many seconds from now. */
    follow: async (at: Readonly<Record<number, string>>) => {
      let now = 0;
      for (const after of Object.keys(at)
        .map(Number)
        .toSorted((a, b) => a - b)) {
        await clock.advance((after - now) * seconds);
        now = after;
        assert.equal(await state(), at[after], `after ${after} s`);
      }
    },
    /** `Reason: message` in their order, without repetitions. */
    said: async () =>
      (await events.list()).items
        .filter(({ involvedObject }) => (involvedObject as KubeObject).kind === 'Pod')
        .map(({ reason, message }) => `${String(reason)}: ${String(message)}`),
    wait: (ms: number) => clock.advance(ms),
  };
}

function stateOf({ status = {} }: Pod): string {
  const all = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  const containers = all.map(({ name, state = {}, restartCount, ready }) => {
    const { waiting, running, terminated } = state;
    const what =
      waiting?.reason ??
      (running && (ready ? 'ready' : 'running')) ??
      `${terminated?.reason}/${terminated?.exitCode}`;
    return `${name}=${what}(${restartCount})`;
  });
  const why = status.reason === undefined ? [] : [status.reason];
  return [status.phase, ...why, ...containers].join(' ');
}

/** A container of the pod. */
export const main = (more: object = {}) => ({ name: 'app', image: 'app:1', ...more });
