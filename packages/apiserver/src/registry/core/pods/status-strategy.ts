// `pods/status`: everything but the status stays as it is.

import { copyJson } from '@keelson/apimachinery';
import type { Pod, PodStatus } from '@keelson/apimachinery/types/core.v1';
import { podUpdateOptions } from '../pod-spec/options.ts';
import type { SubresourceStrategy } from '../../strategy.ts';
import { validatePodStatusUpdate } from './status-validation.ts';

export const podStatusStrategy: SubresourceStrategy<Pod> = {
  prepareForUpdate(pod, old) {
    pod.spec = copyJson(old.spec);
    delete pod.metadata.deletionTimestamp;
    // Old kubelets corrupt owner references, which breaks garbage collection.
    pod.metadata.ownerReferences = copyJson(old.metadata.ownerReferences);
    const status: PodStatus = (pod.status ??= {});
    status.qosClass ||= old.status?.qosClass;
    syncPodIps(pod);
    keepObservedGenerations(status, old.status ?? {});
  },
  validateUpdate(pod, old, { features }) {
    const options = podUpdateOptions(features, old);
    return validatePodStatusUpdate(pod, old, { options, features });
  },
  resetFields: [['spec'], ['metadata', 'deletionTimestamp'], ['metadata', 'ownerReferences']],
};

/** `podIP` is the old form of the first of `podIPs`; old kubelets send only that, and it wins. */
export function syncPodIps(pod: Pod): void {
  const { status } = pod;
  if (!status) return;
  const first = status.podIPs?.[0]?.ip;
  if (status.podIP && status.podIP !== first) status.podIPs = [{ ip: status.podIP }];
  else if (first !== undefined) status.podIP = first;
}

/** Writers that know nothing of observed generations do not remove them (KEP-5067). */
function keepObservedGenerations(status: PodStatus, old: PodStatus): void {
  if (!status.observedGeneration && old.observedGeneration) {
    status.observedGeneration = old.observedGeneration;
  }
  const byType = new Map<string, (number | bigint | undefined)[]>();
  for (const { type, observedGeneration } of old.conditions ?? []) {
    byType.set(type, [...(byType.get(type) ?? []), observedGeneration]);
  }
  for (const condition of status.conditions ?? []) {
    const before = byType.get(condition.type)?.shift();
    if (!condition.observedGeneration && before) condition.observedGeneration = before;
  }
}
