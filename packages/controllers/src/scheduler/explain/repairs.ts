// What could be changed where a filter refuses a node, by plugin. Proposals only: each is put to the
// filters before anybody is told of it, so one that does not help costs nothing but time.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { isTolerated } from '../../pods/tolerations.ts';
import { changeNode, changePod, podLeaves, withSpec, type Change } from './change.ts';
import { repairAffinity, repairSpread } from './repair-affinity.ts';
import { repairNodeAffinity } from './repair-node-affinity.ts';
import { repairResources } from './repair-resources.ts';
import { leavingMax, type Refusal } from './refusal.ts';

type Repair = (refusal: Refusal) => readonly Change[];

const repairs: Readonly<Record<string, Repair>> = {
  SchedulingGates: ({ pod }) =>
    (pod.pod.spec.schedulingGates ?? []).map(({ name }) =>
      changePod(pod, `remove the scheduling gate ${name}`, (changed) =>
        withSpec(changed, {
          schedulingGates: (changed.spec.schedulingGates ?? []).filter((g) => g.name !== name),
        }),
      ),
    ),
  NodeUnschedulable: ({ node }) => [
    changeNode(node.name, `uncordon node ${node.name}`, (changed) => ({
      ...changed,
      spec: {
        ...changed.spec,
        unschedulable: false,
        // Whoever cordons has it tainted, and whoever uncordons has the taint removed.
        taints: (changed.spec?.taints ?? []).filter(({ key }) => key !== cordonTaint),
      },
    })),
  ],
  TaintToleration: repairTaints,
  NodeAffinity: repairNodeAffinity,
  NodePorts: repairPorts,
  NodeResourcesFit: repairResources,
  PodTopologySpread: repairSpread,
  InterPodAffinity: repairAffinity,
  VolumeRestrictions: (refusal) => [...repairClaims(refusal), ...withoutVolumes(refusal)],
  NodeVolumeLimits: withoutVolumes,
  VolumeBinding: withoutVolumes,
  VolumeZone: withoutVolumes,
};

const cordonTaint = 'node.kubernetes.io/unschedulable';

export function repairsOf(refusal: Refusal): readonly Change[] {
  return repairs[refusal.rejection.plugin]?.(refusal) ?? [];
}

function repairTaints({ pod, node }: Refusal): Change[] {
  const tolerations = pod.pod.spec.tolerations ?? [];
  const taint = node.hardTaints.find((candidate) => !isTolerated(candidate, tolerations));
  if (taint === undefined) return [];
  const { key, value = '', effect } = taint;
  const shown = `${key}${value === '' ? '' : `=${value}`}:${effect}`;
  const toleration =
    value === '' ? { key, operator: 'Exists', effect } : { key, operator: 'Equal', value, effect };
  return [
    changeNode(node.name, `remove the taint ${shown} from node ${node.name}`, (changed) => ({
      ...changed,
      spec: {
        ...changed.spec,
        taints: (changed.spec?.taints ?? []).filter(
          (other) => other.key !== key || other.effect !== effect,
        ),
      },
    })),
    changePod(pod, `add a toleration of the taint ${shown}`, (changed) =>
      withSpec(changed, { tolerations: [...(changed.spec.tolerations ?? []), toleration] }),
    ),
  ];
}

function repairPorts({ pod, node }: Refusal): Change[] {
  const changes: Change[] = [];
  for (const { port, protocol } of pod.hostPorts) {
    if (!node.ports.has(`${protocol}/${port}`)) continue;
    for (const other of node.pods.values())
      if (other.hostPorts.some((used) => used.port === port && used.protocol === protocol))
        changes.push(podLeaves(other, `it has host port ${port}`));
    changes.push(
      changePod(pod, `ask for no host port ${port}`, (changed) => withoutHostPort(changed, port)),
    );
  }
  return changes;
}

function withoutHostPort(pod: Pod, port: number): Pod {
  const without = (pod.spec.containers ?? []).map((container) => ({
    ...container,
    ...(container.ports !== undefined && {
      ports: container.ports.filter(({ hostPort }) => hostPort !== port),
    }),
  }));
  return withSpec(pod, { containers: without });
}

/** Whoever has a claim that only one pod may have. */
function repairClaims({ pod, cluster }: Refusal): Change[] {
  const changes: Change[] = [];
  for (const { pods } of cluster.nodes) {
    for (const other of pods.values()) {
      if (changes.length >= leavingMax) return changes;
      const shared = other.namespace === pod.namespace ? other.claimNames : [];
      const claim = pod.claimNames.find((name) => shared.includes(name));
      if (claim !== undefined) changes.push(podLeaves(other, `it uses the claim ${claim}`));
    }
  }
  return changes;
}

function withoutVolumes({ pod }: Refusal): Change[] {
  return (pod.pod.spec.volumes ?? []).flatMap((volume) => {
    const { name, persistentVolumeClaim, ephemeral } = volume;
    if (persistentVolumeClaim === undefined && ephemeral === undefined) return [];
    return changePod(pod, `leave out the volume ${name}`, (changed) =>
      withSpec(changed, {
        volumes: (changed.spec.volumes ?? []).filter((other) => other.name !== name),
      }),
    );
  });
}
