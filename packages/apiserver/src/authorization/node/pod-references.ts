// What a pod needs from its namespace, and a volume of secrets: everything that the kubelet of its
// node must be able to read. A missing reference here is a pod that does not start, a reference too
// many is a secret in the wrong hands, so the list is that of k8s.io/kubernetes/pkg/api/v1/pod and
// pkg/api/v1/persistentvolume.

import type { KubeObject } from '@keelson/apimachinery';

export type ReferencedKind =
  | 'secret'
  | 'configmap'
  | 'serviceaccount'
  | 'persistentvolumeclaim'
  | 'resourceclaim';

export interface Reference {
  readonly kind: ReferencedKind;
  readonly name: string;
}

interface Named {
  readonly name?: string;
}
interface Container {
  readonly env?: readonly {
    readonly valueFrom?: { readonly secretKeyRef?: Named; readonly configMapKeyRef?: Named };
  }[];
  readonly envFrom?: readonly { readonly secretRef?: Named; readonly configMapRef?: Named }[];
}
interface WithSecretRef {
  readonly secretRef?: Named;
}
interface Volume extends Named {
  readonly secret?: { readonly secretName?: string };
  readonly configMap?: Named;
  readonly persistentVolumeClaim?: { readonly claimName?: string };
  readonly ephemeral?: object;
  readonly projected?: {
    readonly sources?: readonly { readonly secret?: Named; readonly configMap?: Named }[];
  };
  readonly azureFile?: { readonly secretName?: string };
  readonly csi?: { readonly nodePublishSecretRef?: Named };
  readonly cephfs?: WithSecretRef;
  readonly cinder?: WithSecretRef;
  readonly flexVolume?: WithSecretRef;
  readonly rbd?: WithSecretRef;
  readonly scaleIO?: WithSecretRef;
  readonly iscsi?: WithSecretRef;
  readonly storageos?: WithSecretRef;
}
interface PodSpec {
  readonly nodeName?: string;
  readonly serviceAccountName?: string;
  readonly imagePullSecrets?: readonly Named[];
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly ephemeralContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly resourceClaims?: readonly (Named & { readonly resourceClaimName?: string })[];
}
interface PodStatus {
  readonly resourceClaimStatuses?: readonly (Named & { readonly resourceClaimName?: string })[];
  readonly extendedResourceClaimStatus?: { readonly resourceClaimName?: string };
}

/** Empty for a pod without a node. */
export function nodeNameOfPod(pod: KubeObject): string {
  return (pod['spec'] as PodSpec | undefined)?.nodeName ?? '';
}

/** Every object of the pod's namespace that its node may use because of it; each once. */
export function podReferences(pod: KubeObject): Reference[] {
  const spec = (pod['spec'] ?? {}) as PodSpec;
  const found = new Map<string, Reference>();
  const add = (kind: ReferencedKind, name: string | undefined) => {
    if (name) found.set(`${kind}/${name}`, { kind, name });
  };
  add('serviceaccount', spec.serviceAccountName);
  for (const { name } of spec.imagePullSecrets ?? []) add('secret', name);
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec;
  for (const container of [...initContainers, ...containers, ...ephemeralContainers])
    addOfContainer(container, add);
  for (const volume of spec.volumes ?? []) addOfVolume(volume, pod.metadata.name ?? '', add);
  addClaims(spec, (pod['status'] ?? {}) as PodStatus, add);
  return [...found.values()];
}

type Add = (kind: ReferencedKind, name: string | undefined) => void;

function addOfContainer({ env = [], envFrom = [] }: Container, add: Add): void {
  for (const { secretRef, configMapRef } of envFrom) {
    add('secret', secretRef?.name);
    add('configmap', configMapRef?.name);
  }
  for (const { valueFrom } of env) {
    add('secret', valueFrom?.secretKeyRef?.name);
    add('configmap', valueFrom?.configMapKeyRef?.name);
  }
}

function addOfVolume(volume: Volume, podName: string, add: Add): void {
  const { cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos } = volume;
  for (const source of [cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos])
    add('secret', source?.secretRef?.name);
  add('secret', volume.secret?.secretName);
  add('secret', volume.azureFile?.secretName);
  add('secret', volume.csi?.nodePublishSecretRef?.name);
  add('configmap', volume.configMap?.name);
  for (const { secret, configMap } of volume.projected?.sources ?? []) {
    add('secret', secret?.name);
    add('configmap', configMap?.name);
  }
  add('persistentvolumeclaim', volume.persistentVolumeClaim?.claimName);
  if (volume.ephemeral) add('persistentvolumeclaim', `${podName}-${volume.name}`);
}

/** Claims by name, and those made from templates by what the status says they are called. */
function addClaims({ resourceClaims = [] }: PodSpec, status: PodStatus, add: Add): void {
  for (const { name, resourceClaimName } of resourceClaims) {
    const made = status.resourceClaimStatuses?.find((s) => s.name === name);
    add('resourceclaim', resourceClaimName ?? made?.resourceClaimName);
  }
  add('resourceclaim', status.extendedResourceClaimStatus?.resourceClaimName);
}

interface NamespacedName extends Named {
  readonly namespace?: string;
}
interface PersistentVolumeSpec {
  readonly claimRef?: NamespacedName;
  readonly azureFile?: { readonly secretName?: string; readonly secretNamespace?: string };
  readonly csi?: {
    readonly nodePublishSecretRef?: NamespacedName;
    readonly nodeStageSecretRef?: NamespacedName;
    readonly nodeExpandSecretRef?: NamespacedName;
  };
  readonly cephfs?: { readonly secretRef?: NamespacedName };
  readonly cinder?: { readonly secretRef?: NamespacedName };
  readonly flexVolume?: { readonly secretRef?: NamespacedName };
  readonly rbd?: { readonly secretRef?: NamespacedName };
  readonly scaleIO?: { readonly secretRef?: NamespacedName };
  readonly iscsi?: { readonly secretRef?: NamespacedName };
  readonly storageos?: { readonly secretRef?: NamespacedName };
}

/**
 * `namespace/name` of the claim that a volume is bound to, and of the secrets that kubelets need to
 * mount it.
 */
export function volumeReferences(
  volume: KubeObject,
): { readonly claim: string; readonly secrets: readonly string[] } | undefined {
  const spec = (volume['spec'] ?? {}) as PersistentVolumeSpec;
  const claim = spec.claimRef;
  if (!claim?.name) return undefined;
  const { azureFile, csi } = spec;
  const references = [
    { name: azureFile?.secretName, namespace: azureFile?.secretNamespace },
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodeExpandSecretRef,
    spec.cephfs?.secretRef,
    spec.cinder?.secretRef,
    spec.flexVolume?.secretRef,
    spec.rbd?.secretRef,
    spec.scaleIO?.secretRef,
    spec.iscsi?.secretRef,
    spec.storageos?.secretRef,
  ];
  return {
    claim: `${claim.namespace}/${claim.name}`,
    secrets: references.flatMap((ref) =>
      ref?.name ? [`${ref.namespace || claim.namespace}/${ref.name}`] : [],
    ),
  };
}
