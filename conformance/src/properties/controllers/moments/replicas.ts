// Deployments, ReplicaSets and DaemonSets: never more than is wanted with the surge, never fewer
// in service than a rollout may take out.

import type { DaemonSet, Deployment, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import {
  fail,
  isActive,
  isEnding,
  isReady,
  keeperOf,
  lose,
  namespace,
  newImage,
  pick,
  run,
  set,
  take,
  template,
  vanish,
  type Scenario,
} from './scenario.ts';

const group = 'apps';
const deployments = { group, version: 'v1', resource: 'deployments' };
const replicaSets = { group, version: 'v1', resource: 'replicasets' };
const daemonSets = { group, version: 'v1', resource: 'daemonsets' };
const nodes = { group: '', version: 'v1', resource: 'nodes' };
const selector = { matchLabels: { app: 'x' } };

const images = ['one', 'two', 'three'];

const rollout: Scenario = {
  name: 'a rollout keeps within its surge, and as many in service as it has to',
  kinds: ['apps/deployments', 'apps/replicasets', '/pods'],
  start(random) {
    const replicas = 4;
    const [maxSurge, maxUnavailable] = pick(
      [
        [1, 0],
        [2, 1],
        [0, 2],
      ] as const,
      random,
    );
    return {
      begin: (client) =>
        client
          .resource<Deployment>(deployments)
          .namespace(namespace)
          .create({
            metadata: { name: 'web' },
            spec: {
              replicas,
              selector,
              template: template(),
              strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
            },
          }),
      moves: [
        newImage({ resource: deployments, name: 'web' }, images),
        run,
        run,
        run,
        run,
        run,
        lose,
        take,
        vanish,
      ],
      wrong({ id, object, before }, scene) {
        if (id !== 'apps/replicasets') return undefined;
        const sets = scene.of<ReplicaSet>('apps/replicasets');
        const wanted = sets.reduce((sum, { spec }) => sum + (spec?.replicas ?? 1), 0);
        if (wanted > replicas + maxSurge)
          return `${wanted} pods are wanted of ${replicas} and ${maxSurge} more`;
        const sizeOf = (set: unknown) => (set as ReplicaSet | undefined)?.spec?.replicas ?? 0;
        if (sizeOf(object) >= sizeOf(before)) return undefined;
        const inService = scene.of<Pod>('/pods').filter((pod) => isReady(pod) && !isEnding(pod));
        const own = inService.filter((pod) => keeperOf(pod) === object.metadata.uid).length;
        // Those that are not in service go first.
        const taken = Math.max(0, own - sizeOf(object));
        const left = inService.length - taken;
        return taken > 0 && left < replicas - maxUnavailable
          ? `${left} are left in service of ${replicas}, ${maxUnavailable} may be missing`
          : undefined;
      },
    };
  },
};

const replicaSet: Scenario = {
  name: 'a ReplicaSet has no more pods than it wants when it makes one',
  kinds: ['apps/replicasets', '/pods'],
  start: () => ({
    begin: (client) =>
      client
        .resource<ReplicaSet>(replicaSets)
        .namespace(namespace)
        .create({
          metadata: { name: 'web' },
          spec: { replicas: 3, selector, template: template() },
        }),
    moves: [
      set({ resource: replicaSets, name: 'web' }, 'replicas', [0, 1, 3, 5]),
      run,
      run,
      fail,
      take,
      take,
      vanish,
    ],
    wrong({ id, type }, scene) {
      if (id !== '/pods' || type !== 'ADDED') return undefined;
      const wanted = scene.of<ReplicaSet>('apps/replicasets')[0]?.spec?.replicas ?? 0;
      const there = scene.of<Pod>('/pods').filter(isActive).length;
      return there > wanted ? `${there} pods, and ${wanted} are wanted` : undefined;
    },
  }),
};

const nodeNames = ['n1', 'n2', 'n3'];
const daemonSet: Scenario = {
  name: 'a DaemonSet has one pod on a machine',
  kinds: ['apps/daemonsets', '/pods'],
  start: () => ({
    async begin(client) {
      for (const name of nodeNames) await client.resource(nodes).create({ metadata: { name } });
      await client
        .resource<DaemonSet>(daemonSets)
        .namespace(namespace)
        .create({
          metadata: { name: 'web' },
          spec: {
            selector,
            template: template(),
            updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
          },
        });
    },
    moves: [
      newImage({ resource: daemonSets, name: 'web' }, images),
      run,
      run,
      run,
      run,
      lose,
      fail,
      take,
      vanish,
      vanish,
    ],
    wrong({ id, object, type }, scene) {
      if (id !== '/pods' || type !== 'ADDED') return undefined;
      const machine = machineOf(object as unknown as Pod);
      const there = scene
        .of<Pod>('/pods')
        .filter((pod) => isActive(pod) && machineOf(pod) === machine);
      return there.length > 1 ? `${there.length} pods on ${machine}` : undefined;
    },
  }),
};

/** Which machine it was made for. */
function machineOf({ spec }: Pod): string | undefined {
  const terms =
    spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms?.[0]?.matchFields?.[0]?.values?.[0];
}

export const replicas: readonly Scenario[] = [rollout, replicaSet, daemonSet];
