// What the scheduler writes into the status of a pod: why it has no node, and which node it is
// promised or about to get.

import { findCondition, formatTime, isStatusError, transitionTime } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import { podsResource } from '../machinery/resources.ts';

export interface PodScheduledUpdate {
  readonly reason: 'Unschedulable' | 'SchedulerError';
  readonly message: string;
  /** Absent: as it is. Empty: none any more. */
  readonly nominatedNodeName?: string;
}

/** Nothing is written when nothing would change, or the pod is gone. */
export async function writePodScheduled(
  client: Client,
  pod: Pod,
  { reason, message, nominatedNodeName }: PodScheduledUpdate,
  options: { readonly now: number; readonly signal: AbortSignal },
): Promise<void> {
  const known = findCondition(pod.status?.conditions, 'PodScheduled');
  const isSame = known?.status === 'False' && known.reason === reason && known.message === message;
  const before = pod.status?.nominatedNodeName ?? '';
  const isNominated = nominatedNodeName === undefined || nominatedNodeName === before;
  if (isSame && isNominated) return;
  const { generation } = pod.metadata;
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: transitionTime(known, 'False', formatTime(options.now)),
    reason,
    message,
    ...(generation !== undefined && { observedGeneration: generation }),
  };
  const status = {
    conditions: [condition],
    ...(!isNominated && { nominatedNodeName: nominatedNodeName === '' ? null : nominatedNodeName }),
  };
  const patch = { metadata: { uid: pod.metadata.uid ?? '' }, status };
  await patchPodStatus(client, pod, patch, options.signal);
}

/**
 * Where the pod is about to be (KEP-5278), for those who would otherwise make room for it elsewhere:
 * what comes before its binding may take long.
 */
export async function writeExpectedNode(
  client: Client,
  pod: Pod,
  nodeName: string,
  signal: AbortSignal,
): Promise<void> {
  if (pod.status?.nominatedNodeName === nodeName) return;
  const patch = {
    metadata: { uid: pod.metadata.uid ?? '' },
    status: { nominatedNodeName: nodeName },
  };
  await patchPodStatus(client, pod, patch, signal);
}

export async function patchPodStatus(
  client: Client,
  { metadata: { namespace = '', name = '' } }: Pod,
  patch: Parameters<ReturnType<Client['resource']>['patch']>[2],
  signal: AbortSignal,
): Promise<void> {
  const pods = client.resource<Pod>(podsResource).namespace(namespace);
  try {
    await pods.patch(name, 'strategic', patch, { subresource: 'status', signal });
  } catch (error) {
    // Another pod may have the name by now: its uid differs, which is a conflict.
    if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
  }
}
