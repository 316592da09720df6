// Pods (k8s.io/kubernetes/pkg/registry/core/pod): how one is made, changed and ended.

import { copyJson, formatTime } from '@keelson/apimachinery';
import type { Pod, PodCondition } from '@keelson/apimachinery/types/core.v1';
import { dns1123Label, nameIsDns1123Subdomain } from '../../validation/names.ts';
import { syncServiceAccount } from '../pod-spec/defaults.ts';
import { dropDisabledPodFields } from '../pod-spec/disabled-fields.ts';
import { podSpecOptions, podUpdateOptions } from '../pod-spec/options.ts';
import { podWarnings } from '../pod-spec/warnings.ts';
import type { DeleteRequest, Strategy } from '../../strategy.ts';
import { syncAppArmor } from './app-armor-sync.ts';
import { defaultPod } from './defaults.ts';
import { ephemeralContainersStrategy } from './ephemeral-containers.ts';
import { fillLabelKeySelectors } from './generated-selectors.ts';
import { advancePodGeneration } from './pod-metadata.ts';
import { computeQosClass } from './quality-of-service.ts';
import { resizeStrategy } from './resize.ts';
import { podStatusStrategy } from './status-strategy.ts';
import { podCells, podRowConditions } from './table.ts';
import { validatePodUpdate } from './update-validation.ts';
import { validatePodCreate } from './validation.ts';

/**
 * Warnings about annotations that preparing a pod turns into fields, so that they cannot be seen
 * later.
 */
const annotationWarnings = new WeakMap<Pod, string[]>();

export const podStrategy: Strategy<Pod> = {
  nameRule: nameIsDns1123Subdomain,
  applyDefaults: defaultPod,

  prepareForCreate(pod, { features, nowMs }) {
    pod.metadata.generation = 1;
    syncServiceAccount(pod.spec);
    pod.status = { phase: 'Pending', qosClass: computeQosClass(pod, features) };
    dropDisabledPodFields(pod.spec, undefined, features);
    if ((pod.spec.schedulingGates ?? []).length > 0)
      pod.status.conditions = [gatedCondition(nowMs)];
    fillLabelKeySelectors(pod, features);
    annotationWarnings.set(pod, syncAppArmor(pod, features));
  },
  validate(pod, { features }) {
    return validatePodCreate(pod, podSpecOptions(features, { isPod: true }));
  },
  warningsOnCreate(pod, { features }) {
    return [
      ...(annotationWarnings.get(pod) ?? []),
      ...hostnameWarnings(pod),
      ...podWarnings(pod.spec, pod.metadata.annotations, features),
    ];
  },

  prepareForUpdate(pod, old, { features }) {
    syncServiceAccount(pod.spec);
    pod.status = copyJson(old.status);
    dropDisabledPodFields(pod.spec, old.spec, features);
    advancePodGeneration(pod, old);
  },
  validateUpdate(pod, old, { features }) {
    const options = podUpdateOptions(features, old);
    return validatePodUpdate(pod, old, options);
  },

  checkGracefulDelete(pod, request) {
    request.gracePeriodSeconds = gracePeriod(pod, request);
    return true;
  },
  returnDeletedObject: true,

  tableCells: podCells,
  tableConditions: podRowConditions,
  fieldValues: podFieldValues,
  resetFields: [['status']],
  subresources: {
    status: podStatusStrategy,
    ephemeralcontainers: ephemeralContainersStrategy,
    resize: resizeStrategy,
  },
};

const gatedCondition = (nowMs: number): PodCondition => ({
  type: 'PodScheduled',
  status: 'False',
  lastProbeTime: null,
  lastTransitionTime: formatTime(nowMs),
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
});

function hostnameWarnings({ metadata: { name = '' } }: Pod): string[] {
  const problems = dns1123Label(name);
  if (problems.length === 0) return [];
  return [
    `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
  ];
}

/**
 * A pod that no kubelet runs, or that has ended, goes at once; a negative period counts as one
 * second.
 */
function gracePeriod(pod: Pod, request: DeleteRequest): number {
  const ended = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
  if (!pod.spec.nodeName || ended) return 0;
  const period = request.gracePeriodSeconds ?? Number(pod.spec.terminationGracePeriodSeconds ?? 0);
  return period < 0 ? 1 : period;
}

function podFieldValues({ spec, status = {} }: Pod): Record<string, string> {
  return {
    'spec.nodeName': spec.nodeName ?? '',
    'spec.restartPolicy': spec.restartPolicy ?? '',
    'spec.schedulerName': spec.schedulerName ?? '',
    'spec.serviceAccountName': spec.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec.hostNetwork ?? false),
    'status.phase': status.phase ?? '',
    'status.podIP': status.podIPs?.[0]?.ip ?? '',
    // COMPAT: the label is known, but never has a value.
    'status.podIPs': '',
    'status.nominatedNodeName': status.nominatedNodeName ?? '',
  };
}
