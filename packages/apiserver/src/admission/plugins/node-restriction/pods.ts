// Pods of a node: mirror pods, which show the static pods that it runs of its own accord; the
// status of pods that run on it; and their eviction.

import { statusErrors, type OwnerReference } from '@keelson/apimachinery';
import type { Pod, Volume } from '@keelson/apimachinery/types/core.v1';
import { isMirrorPod, mirrorPodAnnotation } from '../../../authorization/mirror-pod.ts';
import { nodeNameOfPod, podReferences } from '../../../authorization/node/pod-references.ts';
import { isSemanticallyEqual } from '../../../registry/validation/equality.ts';
import { asKind } from '../../request-match.ts';
import { existing, nameOf, type NodeRequest } from './request.ts';

export function admitPod(request: NodeRequest): void {
  const { subresource } = request.attributes;
  switch (subresource) {
    case '':
      return admitMirrorPod(request);
    case 'status':
      return admitPodStatus(request);
    case 'eviction':
      return admitEviction(request);
    default:
      throw request.refuse(
        `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`,
      );
  }
}

function admitMirrorPod(request: NodeRequest): void {
  const { nodeName, attributes, dependencies, refuse } = request;
  const who = `node ${JSON.stringify(nodeName)}`;
  switch (attributes.operation) {
    case 'CREATE':
      return admitNewMirrorPod(request, who);
    case 'DELETE': {
      const pod = existing(dependencies.pods, 'pods', attributes);
      if (nodeNameOfPod(pod) !== nodeName)
        throw refuse(`${who} can only delete pods with spec.nodeName set to itself`);
      return;
    }
    default:
      throw refuse(
        `unexpected operation ${JSON.stringify(attributes.operation)}, ${who} can only create and delete mirror pods`,
      );
  }
}

function admitNewMirrorPod(request: NodeRequest, who: string): void {
  const { nodeName, attributes, dependencies, refuse } = request;
  const object = attributes.object ?? { metadata: {} };
  if (!isMirrorPod(object))
    throw refuse(
      `pod does not have ${JSON.stringify(mirrorPodAnnotation)} annotation, ${who} can only create mirror pods`,
    );
  if (nodeNameOfPod(object) !== nodeName)
    throw refuse(`${who} can only create pods with spec.nodeName set to itself`);
  const { ownerReferences = [] } = object.metadata;
  const problem = ownerProblem(ownerReferences, nodeName);
  if (problem !== undefined) throw refuse(`${who} ${problem}`);
  const node = dependencies.nodes.get('', nodeName);
  if (node === undefined) throw statusErrors.notFound({ group: '', resource: 'nodes' }, nodeName);
  const [owner] = ownerReferences;
  if (owner?.uid !== node.metadata.uid)
    throw refuse(`node ${nodeName} UID mismatch: expected ${owner?.uid} got ${node.metadata.uid}`);
  const referenced = referencedObjects(asKind<Pod>(object));
  if (typeof referenced === 'object')
    throw refuse(`error checking mirror pod for API references: ${referenced.problem}`);
  if (referenced !== undefined)
    throw refuse(`${who} can not create pods that reference ${referenced}`);
}

function ownerProblem(owners: readonly OwnerReference[], nodeName: string): string | undefined {
  if (owners.length > 1) return 'can only create pods with a single owner reference set to itself';
  const [owner] = owners;
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== nodeName)
    return 'can only create pods with an owner reference set to itself';
  if (owner.controller !== true)
    return 'can only create pods with a controller owner reference set to itself';
  return owner.blockOwnerDeletion === true
    ? 'must not set blockOwnerDeletion on an owner reference'
    : undefined;
}

/**
 * The first kind of API object that a static pod refers to; it must do without any. SECURITY: a
 * kind of volume that is not known here may refer to anything.
 */
function referencedObjects(pod: Pod): string | { readonly problem: string } | undefined {
  const { spec } = pod;
  if (spec?.serviceAccountName) return 'serviceaccounts';
  const kinds = new Set(podReferences(asKind(pod)).map((reference) => reference.kind));
  if (kinds.has('secret')) return 'secrets';
  if (kinds.has('configmap')) return 'configmaps';
  if ((spec?.resourceClaims ?? []).length > 0) return 'resourceclaims';
  for (const [i, volume] of (spec?.volumes ?? []).entries()) {
    const found = referencedByVolume(volume);
    if (found === unknownSource) return { problem: `unknown volume type for volume #${i}` };
    if (found !== undefined) return found;
  }
  return undefined;
}

const volumeObjects: Readonly<Record<string, string>> = {
  configMap: 'configmaps (via configmap volumes)',
  secret: 'secrets (via secret volumes)',
  csi: 'csidrivers (via CSI volumes)',
  glusterfs: 'endpoints (via glusterFS volumes)',
  persistentVolumeClaim: 'persistentvolumeclaims',
  ephemeral: 'persistentvolumeclaims (via ephemeral volumes)',
  azureFile: 'secrets (via azureFile volumes)',
};
const projectedObjects: Readonly<Record<string, string>> = {
  configMap: 'configmaps (via projected volumes)',
  secret: 'secrets (via projected volumes)',
  serviceAccountToken: 'serviceaccounts (via projected volumes)',
  clusterTrustBundle: 'clustertrustbundles',
  podCertificate: 'podcertificates',
};

/** Volumes and projected sources that refer to no object of the API. */
const ownSources: ReadonlySet<string> = new Set(
  `name awsElasticBlockStore azureDisk cephfs cinder downwardAPI emptyDir fc flexVolume flocker
  gcePersistentDisk gitRepo hostPath image iscsi nfs photonPersistentDisk portworxVolume projected
  quobyte rbd scaleIO storageos vsphereVolume`.split(/\s+/),
);
const unknownSource = 'unknown';

function referencedByVolume(volume: Volume): string | undefined {
  const found = referencedBy(volume, volumeObjects);
  if (found !== undefined) return found;
  for (const source of volume.projected?.sources ?? []) {
    const projected = referencedBy(source, projectedObjects);
    if (projected !== undefined) return projected;
  }
  return undefined;
}

function referencedBy(source: object, known: Readonly<Record<string, string>>): string | undefined {
  for (const [key, value] of Object.entries(source)) {
    if (!value) continue;
    if (Object.hasOwn(known, key)) return known[key];
    if (!ownSources.has(key)) return unknownSource;
  }
  return undefined;
}

function admitPodStatus({ nodeName, attributes, refuse }: NodeRequest): void {
  const { operation, object, oldObject } = attributes;
  const who = `node ${JSON.stringify(nodeName)}`;
  if (operation !== 'UPDATE' || object === undefined || oldObject === undefined)
    throw refuse(`unexpected operation ${JSON.stringify(operation)}`);
  if (nodeNameOfPod(oldObject) !== nodeName)
    throw refuse(`${who} can only update pod status for pods with spec.nodeName set to itself`);
  const labels = (o: typeof object) => o.metadata.labels ?? {};
  if (!isSemanticallyEqual(labels(object), labels(oldObject)))
    throw refuse(`${who} cannot update labels through pod status`);
  const [status, old] = [asKind<Pod>(object).status, asKind<Pod>(oldObject).status];
  // COMPAT: the misspelling is upstream's.
  if (!isSemanticallyEqual(status?.resourceClaimStatuses, old?.resourceClaimStatuses))
    throw refuse(`${who} cannot update resource claim statues`);
  if (!isSemanticallyEqual(status?.extendedResourceClaimStatus, old?.extendedResourceClaimStatus))
    throw refuse(`${who} cannot update extended resource claim status`);
}

function admitEviction({ nodeName, attributes, dependencies, refuse }: NodeRequest): void {
  const { operation, namespace } = attributes;
  if (operation !== 'CREATE') throw refuse(`unexpected operation ${operation}`);
  const name = nameOf(attributes);
  if (name === '') throw refuse('could not determine pod from request data');
  const pod = existing(dependencies.pods, 'pods', { namespace, name });
  if (nodeNameOfPod(pod) !== nodeName)
    throw refuse(`node ${nodeName} can only evict pods with spec.nodeName set to itself`);
}
