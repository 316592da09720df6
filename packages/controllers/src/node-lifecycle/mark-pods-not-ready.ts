// Pods on a node that went silent get no traffic any more. Their phase stays: nobody knows it.

import { findCondition, isStatusError } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { ControllerContext } from '../machinery/controller.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { podsResource } from '../machinery/resources.ts';
import { withPodCondition } from '../pods/pod-conditions.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { podsOnNode } from '../pods/pods-by-node.ts';
import { isPodReady } from '../pods/pod-state.ts';

export interface PodMarker {
  readonly context: ControllerContext;
  readonly pods: Informer<Pod>;
  readonly events: EventRecorder;
}

const podKind = { apiVersion: 'v1', kind: 'Pod', resource: podsResource };

export async function markPodsNotReady(
  { context, pods, events }: PodMarker,
  nodeName: string,
  signal: AbortSignal,
): Promise<void> {
  for (const pod of podsOnNode(pods, nodeName).filter(isPodReady)) {
    const { namespace = '', name = '', uid = '' } = pod.metadata;
    const ready = findCondition(pod.status?.conditions, 'Ready');
    const [marked] = withPodCondition(
      { ...pod, status: { conditions: ready === undefined ? [] : [ready] } },
      { ...ready, type: 'Ready', status: 'False' },
      context.clock.now(),
    );
    const status = { conditions: marked === undefined ? [] : [{ ...marked }] };
    try {
      await context.client
        .resource<Pod>(podsResource)
        .namespace(namespace)
        .patch(name, 'strategic', { metadata: { uid }, status }, { subresource: 'status', signal });
    } catch (error) {
      // Another pod by now, or none.
      if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
      continue;
    }
    events.record(eventTarget(podKind, pod), {
      type: 'Warning',
      reason: 'NodeNotReady',
      message: 'Node is not ready',
    });
  }
}
