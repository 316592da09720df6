// Binds a pod to a node: the one write that makes the scheduler's decision true.

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { Client } from '@keelson/client';
import { podsResource } from '../machinery/resources.ts';
import type { PodSummary } from './snapshot/pod-summary.ts';

interface Binding extends KubeObject {
  readonly target: { readonly apiVersion: string; readonly kind: string; readonly name: string };
}

/** False when the pod is not there any more. Throws what the server refused. */
export async function bindPod(
  client: Client,
  { namespace, name, uid }: PodSummary,
  nodeName: string,
  signal: AbortSignal,
): Promise<boolean> {
  const bindings = client.resource<Binding>(podsResource).namespace(namespace);
  const binding: Binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { namespace, name, uid },
    target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
  };
  try {
    // The answer is a Status, not an object with metadata of its own.
    await bindings.create(binding, { name, subresource: 'binding', signal });
    return true;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return false;
    throw error;
  }
}
