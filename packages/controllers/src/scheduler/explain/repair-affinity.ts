// Where other pods are in the way, or not there: required affinity and anti-affinity of the pod and of
// others, and constraints of topology spread.

import type { Affinity, TopologySpreadConstraint } from '@keelson/apimachinery/types/core.v1';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import { changePod, podLeaves, withSpec, type Change } from './change.ts';
import { labelNode } from './repair-node-affinity.ts';
import { leavingMax, type Refusal } from './refusal.ts';

export function repairAffinity(refusal: Refusal): Change[] {
  const { pod, rejection } = refusal;
  const [reason = ''] = rejection.reasons;
  if (reason.includes('existing pods anti-affinity'))
    return neighbours(refusal, (other) =>
      other.antiAffinity.length > 0 ? 'it wants no such pod near it' : undefined,
    );
  if (!reason.includes('anti-affinity')) return dropTerms(pod, 'podAffinity');
  const unwanted = ({ labels }: PodSummary) =>
    pod.antiAffinity.some(({ selector }) => selector.matches(labels))
      ? 'the pod wants no such pod near it'
      : undefined;
  return [...neighbours(refusal, unwanted), ...dropTerms(pod, 'podAntiAffinity')];
}

/** Pods for which there is a reason to leave: of the node itself first, then of all others. */
function neighbours(
  { node, cluster }: Refusal,
  whyOf: (other: PodSummary) => string | undefined,
): Change[] {
  const others = cluster.nodes.filter(({ name }) => name !== node.name);
  const changes: Change[] = [];
  for (const { pods } of [node, ...others]) {
    for (const other of pods.values()) {
      if (changes.length >= leavingMax) return changes;
      const why = whyOf(other);
      if (why !== undefined) changes.push(podLeaves(other, why));
    }
  }
  return changes;
}

/** One required term less, or none at all. */
function dropTerms(pod: PodSummary, kind: 'podAffinity' | 'podAntiAffinity'): Change[] {
  const terms = pod.pod.spec.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const what = kind === 'podAffinity' ? 'pod affinity' : 'pod anti-affinity';
  return terms.map(({ topologyKey }, dropped) =>
    changePod(pod, `require no ${what} by ${topologyKey}`, (changed) => {
      const affinity: Affinity = changed.spec.affinity ?? {};
      const kept = terms.filter((_, at) => at !== dropped);
      const less = { ...affinity[kind], requiredDuringSchedulingIgnoredDuringExecution: kept };
      return withSpec(changed, { affinity: { ...affinity, [kind]: less } });
    }),
  );
}

/** Values of a topology that are proposed for a node. */
const valuesMax = 4;
/** How far a skew is raised in search of one that suffices. */
const skewStepsMax = 8;

export function repairSpread({ pod, node, cluster }: Refusal): Change[] {
  const constraints = pod.pod.spec.topologySpreadConstraints ?? [];
  return constraints.flatMap((constraint, at): Change[] => {
    const { topologyKey, maxSkew, whenUnsatisfiable } = constraint;
    if (whenUnsatisfiable !== 'DoNotSchedule') return [];
    const change = (text: string, more: Partial<TopologySpreadConstraint>) =>
      changePod(pod, text, (changed) =>
        withSpec(changed, {
          topologySpreadConstraints: (changed.spec.topologySpreadConstraints ?? []).map(
            (other, i) => (i === at ? { ...other, ...more } : other),
          ),
        }),
      );
    const loosen = change(`only prefer to be spread by ${topologyKey} (ScheduleAnyway)`, {
      whenUnsatisfiable: 'ScheduleAnyway',
    });
    if (node.labels[topologyKey] === undefined) {
      const values = [...cluster.valuesOf(topologyKey).keys(), node.name].slice(0, valuesMax);
      return [...values.map((value) => labelNode(node, [[topologyKey, value]])), loosen];
    }
    const skews = Array.from({ length: skewStepsMax }, (_, i) => maxSkew + i + 1);
    const raised = skews.map((skew) => ({
      ...change(`raise maxSkew by ${topologyKey} from ${maxSkew} to ${skew}`, { maxSkew: skew }),
      series: `maxSkew ${at}`,
    }));
    return [...raised, loosen];
  });
}
