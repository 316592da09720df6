// A node asks for certificates of pods that run on it: the request must agree with the pod, its
// service account and the node in every name and uid. What is missing or has another uid may only
// have not arrived here yet, so these are failures to try again, not refusals.

import { quoteGo, statusErrors, type KubeObject } from '@keelson/apimachinery';
import { isMirrorPod } from '../../../authorization/mirror-pod.ts';
import { nodeNameOfPod } from '../../../authorization/node/pod-references.ts';
import type { NodeRequest } from './request.ts';

interface Spec {
  readonly nodeName?: string;
  readonly nodeUID?: string;
  readonly podName?: string;
  readonly podUID?: string;
  readonly serviceAccountName?: string;
  readonly serviceAccountUID?: string;
}

export function admitPodCertificateRequest(request: NodeRequest): void {
  const { nodeName, attributes, dependencies, refuse } = request;
  const { operation, subresource, namespace, object } = attributes;
  if (!dependencies.features.enabled('PodCertificateRequest'))
    throw refuse('PodCertificateRequest feature gate is disabled');
  if (operation !== 'CREATE') throw refuse(`unexpected operation ${operation}`);
  if (subresource !== '') throw refuse(`unexpected subresource ${subresource}`);
  const spec = (object?.['spec'] ?? {}) as Spec;
  if (spec.nodeName !== nodeName)
    throw refuse(
      `PodCertificateRequest.Spec.NodeName=${quoteGo(spec.nodeName ?? '')}, which is not the requesting node ${quoteGo(nodeName)}`,
    );
  sameUid(dependencies.nodes.get('', nodeName), spec.nodeUID, `node ${quoteGo(nodeName)}`);
  const podKey = quoteGo(`${namespace}/${spec.podName ?? ''}`);
  const pod = dependencies.pods.get(namespace, spec.podName ?? '');
  sameUid(pod, spec.podUID, `pod ${podKey}`);
  if (nodeNameOfPod(pod) !== spec.nodeName)
    throw refuse(
      `pod ${podKey} is not running on node ${quoteGo(spec.nodeName)} named in the PodCertificateRequest`,
    );
  if (isMirrorPod(pod)) throw refuse(`pod ${podKey} is a mirror pod`);
  const { serviceAccountName: running = '' } = pod['spec'] as Spec;
  const wanted = spec.serviceAccountName ?? '';
  if (wanted !== running)
    throw refuse(
      `PodCertificateRequest for pod ${podKey} contains serviceAccountName (${quoteGo(wanted)}) that differs from running pod (${quoteGo(running)})`,
    );
  const account = dependencies.serviceAccounts.get(namespace, wanted);
  sameUid(account, spec.serviceAccountUID, `service account ${quoteGo(`${namespace}/${wanted}`)}`);
}

function sameUid(
  object: KubeObject | undefined,
  uid: string | undefined,
  what: string,
): asserts object is KubeObject {
  if (object === undefined) throw statusErrors.internalError(`${what} was not found`);
  if (object.metadata.uid !== uid)
    throw statusErrors.internalError(
      `${what} has the UID ${quoteGo(object.metadata.uid ?? '')}, not ${quoteGo(uid ?? '')}`,
    );
}
