// A pod may be marked as about to be disrupted (condition DisruptionTarget) by somebody who then
// fails to delete it. After two minutes the mark is taken back: who counts disruptions must not
// count one that does not happen. KEP-3329.

import { isStatusError } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { podsResource } from '../machinery/resources.ts';
import { withPodCondition } from '../pods/pod-conditions.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { evictionTimeoutMs } from './budget-status.ts';

const disruptionTarget = 'DisruptionTarget';
/** The kubelet's own: it ends the pod itself. */
const byKubelet = 'TerminationByKubelet';

export function createStaleDisruptionReconciler(context: ControllerContext): Controller {
  const { client, informers, clock } = context;
  const pods = informers.informer<Pod>(podsResource);
  const staleInMs = (pod: Pod): number | undefined => {
    const condition = markOf(pod);
    if (condition === undefined) return undefined;
    return Date.parse(condition.lastTransitionTime ?? '') + evictionTimeoutMs - clock.now();
  };
  return createReconciler(context, {
    failure: 'stale disruption not taken back',
    queue: 'stale_pod_disruption',
    workers: 1,
    reads: [pods],
    subscribe: (queue) => {
      const enqueue = (pod: Pod) => markOf(pod) && queue.add(keyOf(pod));
      return [pods.addHandler({ onAdd: enqueue, onUpdate: enqueue })];
    },
    async reconcile(key, signal) {
      const { namespace, name } = parseKey(key);
      const pod = pods.store.get(namespace, name);
      const waitMs = pod && staleInMs(pod);
      if (pod === undefined || waitMs === undefined) return;
      if (waitMs > 0) return { requeueAfterMs: waitMs };
      const text = { type: disruptionTarget, status: 'False' };
      const mark = withPodCondition(pod, text, clock.now()).at(-1);
      // Who had marked it, and why, is not so any more.
      const conditions = [{ reason: null, message: null, ...mark }];
      try {
        await client
          .resource<Pod>(podsResource)
          .namespace(namespace)
          .patch(name, 'strategic', { status: { conditions } }, { subresource: 'status', signal });
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    },
  });
}

function markOf(pod: Pod) {
  if (pod.metadata.deletionTimestamp !== undefined || isPodFinished(pod)) return undefined;
  return pod.status?.conditions?.find(
    ({ type, status, reason }) =>
      type === disruptionTarget && status === 'True' && reason !== byKubelet,
  );
}
