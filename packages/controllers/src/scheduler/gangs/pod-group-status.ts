// Tells in the status of a pod group whether its pods could be placed together. One that once could
// stays so: pods that come later are told of in their own status.

import { findCondition, formatTime, isStatusError, transitionTime } from '@keelson/apimachinery';
import type { PodGroup } from '@keelson/apimachinery/types/scheduling.k8s.io.v1alpha2';
import { errorText } from '../../machinery/controller.ts';
import { podGroupsResource } from '../../machinery/resources.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import type { GroupTools } from './group-attempt.ts';
import { groupNameOf } from './pod-group-tracker.ts';

export interface GroupScheduled {
  readonly status: 'True' | 'False';
  readonly reason: 'Scheduled' | 'Unschedulable' | 'SchedulerError';
  readonly message: string;
}

const type = 'PodGroupScheduled';

/** What cannot be written is written with the next attempt. */
export async function writeGroupScheduled(
  { groups, context: { client, clock, log } }: GroupTools,
  { namespace, pod }: PodSummary,
  scheduled: GroupScheduled,
  signal: AbortSignal,
): Promise<void> {
  const name = groupNameOf(pod) ?? '';
  const group = groups.group(namespace, name);
  if (group === undefined) return;
  const { conditions = [] } = group.status ?? {};
  const known = findCondition(conditions, type);
  const { status, reason, message } = scheduled;
  if (known?.status === 'True' && status !== 'True') return;
  if (known?.status === status && known.reason === reason && known.message === message) return;
  const { generation } = group.metadata;
  const condition = {
    type,
    status,
    reason,
    message,
    lastTransitionTime: transitionTime(known, status, formatTime(clock.now())),
    ...(generation !== undefined && { observedGeneration: generation }),
  };
  const others = conditions.filter((other) => other.type !== type);
  const patch = { status: { conditions: [...others, condition].map((one) => ({ ...one })) } };
  const resource = client.resource<PodGroup>(podGroupsResource).namespace(namespace);
  try {
    await resource.patch(name, 'merge', patch as never, { subresource: 'status', signal });
  } catch (error) {
    if (!signal.aborted && !isStatusError(error, 'NotFound'))
      log.warn('status of a pod group not written', { error: errorText(error) });
  }
}
