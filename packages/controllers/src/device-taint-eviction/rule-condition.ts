// What a DeviceTaintRule says of the evictions that it brings about: the condition
// EvictionInProgress. A rule without effect says what it would do, once.

import type { DeviceTaintRule } from '@keelson/apimachinery/types/resource.k8s.io.v1beta2';
import type { Condition } from '@keelson/apimachinery/types/meta.v1';

export const conditionType = 'EvictionInProgress';

export interface RuleCounts {
  /** Pods that have to go or, of a rule without effect, would have to. */
  readonly pendingPods: number;
  /** Namespaces of those. */
  readonly namespaces: number;
  readonly publishedDevices: number;
  readonly allocatedDevices: number;
  /** By this controller. */
  readonly evictedPods: number;
}

/** COMPAT: texts as Kubernetes has them, with the blanks at the end of sentences. */
export function ruleCondition(
  { metadata, spec }: DeviceTaintRule,
  counts: RuleCounts,
): Omit<Condition, 'lastTransitionTime'> {
  const told = toldByEffect(spec.taint.effect, counts);
  const { evictedPods } = counts;
  const evicted =
    evictedPods > 0 ? [`${pods(evictedPods)} evicted since starting the controller.`] : [];
  return {
    type: conditionType,
    status: told.reason === 'PodsPendingEviction' ? 'True' : 'False',
    reason: told.reason,
    message: [told.message, ...evicted].filter(Boolean).join(' '),
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
  };
}

function toldByEffect(effect: string, counts: RuleCounts): { reason: string; message: string } {
  const { pendingPods, namespaces, publishedDevices, allocatedDevices, evictedPods } = counts;
  switch (effect) {
    case 'NoExecute': {
      if (pendingPods === 0)
        return { reason: evictedPods > 0 ? 'Completed' : 'NotStarted', message: '' };
      const need = pendingPods === 1 ? 'needs' : 'need';
      const message = `${pods(pendingPods)} ${need} to be evicted in ${spaces(namespaces)}.`;
      return { reason: 'PodsPendingEviction', message };
    }
    case 'None': {
      const message = [
        `${devices(publishedDevices, 'published')} selected.`,
        `${devices(allocatedDevices, 'allocated')} selected.`,
        `${pods(pendingPods)} would be evicted in ${spaces(namespaces)} if the effect was NoExecute.`,
        'This information will not be updated again. Recreate the DeviceTaintRule to trigger an update.',
      ];
      return { reason: 'NoEffect', message: message.join(' ') };
    }
    default: {
      const message = 'Eviction only happens for the NoExecute effect.';
      return { reason: 'OtherEffect', message };
    }
  }
}

const pods = (count: number) => `${count} ${count === 1 ? 'pod' : 'pods'}`;
const devices = (count: number, which: string) =>
  `${count} ${which} ${count === 1 ? 'device' : 'devices'}`;
const spaces = (count: number) => (count === 1 ? '1 namespace' : `${count} different namespaces`);
