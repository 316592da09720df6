// Deletes a pod that must not stay where it is.

import { isStatusError } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { ControllerContext } from '../machinery/controller.ts';
import { podsResource } from '../machinery/resources.ts';
import { withPodCondition } from './pod-conditions.ts';

/**
 * With the condition DisruptionTarget, which comes first: whoever counts failures of the pod must
 * see why it ended. False when the pod was gone, or another one has its name.
 */
export async function disruptPod(
  { client, clock }: Pick<ControllerContext, 'client' | 'clock'>,
  pod: Pod,
  why: { readonly reason: string; readonly message: string },
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const pods = client.resource<Pod>(podsResource).namespace(namespace);
  const text = { type: 'DisruptionTarget', status: 'True', ...why };
  const condition = withPodCondition(pod, text, clock.now()).at(-1);
  const patch = { metadata: { uid }, status: { conditions: [{ ...condition }] } };
  try {
    await pods.patch(name, 'strategic', patch, { subresource: 'status', signal });
    await pods.delete(name, { preconditions: { uid }, signal });
    return true;
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
    return false;
  }
}
