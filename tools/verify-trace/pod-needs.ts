// What pods and volumes refer to by name, found by the names of fields rather than by their types: the
// whole object is walked, and the API's own conventions say what a field means.

import type { StoredObject } from './recorded-log.ts';

/** Names of the kind that the pod refers to, in its own namespace. */
export function namesInPod(pod: StoredObject, kind: string): string[] {
  const spec = (pod['spec'] ?? {}) as Readonly<Record<string, unknown>>;
  switch (kind) {
    case 'serviceaccount':
      return textsOf([spec['serviceAccountName']]);
    case 'persistentvolumeclaim':
      return claimsOfPod(pod);
    case 'resourceclaim':
      return resourceClaimsOfPod(pod);
    case 'secret':
      return [...namesUnder(spec, secretFields), ...nameOfEach(spec['imagePullSecrets'])];
    default:
      return namesUnder(spec, configFields);
  }
}

/** Field names whose value names a Secret or ConfigMap, in `name` or as a `secretName`. */
const secretFields = new Set([
  'secretRef',
  'secretKeyRef',
  'secret',
  'nodePublishSecretRef',
  'azureFile',
]);
const configFields = new Set(['configMapRef', 'configMapKeyRef', 'configMap']);

function namesUnder(value: unknown, fields: ReadonlySet<string>): string[] {
  if (Array.isArray(value)) return value.flatMap((member) => namesUnder(member, fields));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([field, member]) => {
    const below = namesUnder(member, fields);
    if (!fields.has(field) || typeof member !== 'object' || member === null) return below;
    const { name, secretName } = member as { name?: unknown; secretName?: unknown };
    return [...textsOf([secretName, field === 'azureFile' ? undefined : name]), ...below];
  });
}

export function claimsOfPod(pod: StoredObject): string[] {
  const { volumes = [] } = (pod['spec'] ?? {}) as {
    volumes?: readonly {
      name?: string;
      persistentVolumeClaim?: { claimName?: string };
      ephemeral?: object;
    }[];
  };
  return volumes.flatMap(({ name, persistentVolumeClaim, ephemeral }) => [
    ...textsOf([persistentVolumeClaim?.claimName]),
    // The claim of an ephemeral volume is called after pod and volume.
    ...(ephemeral === undefined || ephemeral === null ? [] : [`${pod.metadata.name}-${name}`]),
  ]);
}

function resourceClaimsOfPod(pod: StoredObject): string[] {
  type Claim = { readonly name?: string; readonly resourceClaimName?: string };
  const spec = (pod['spec'] ?? {}) as { resourceClaims?: readonly Claim[] };
  const status = (pod['status'] ?? {}) as {
    resourceClaimStatuses?: readonly Claim[];
    extendedResourceClaimStatus?: Claim;
  };
  const made = (name: string | undefined) =>
    status.resourceClaimStatuses?.find((claim) => claim.name === name)?.resourceClaimName;
  return textsOf([
    ...(spec.resourceClaims ?? []).map((claim) => claim.resourceClaimName ?? made(claim.name)),
    status.extendedResourceClaimStatus?.resourceClaimName,
  ]);
}

/** `namespace/name` of the Secrets with which a bound volume is mounted. */
export function secretsOfVolume(volume: StoredObject): string[] {
  const spec = (volume['spec'] ?? {}) as Readonly<Record<string, unknown>>;
  const { namespace: home, name } = (spec['claimRef'] ?? {}) as {
    namespace?: string;
    name?: string;
  };
  if (!name) return [];
  return Object.values(spec).flatMap((source) => {
    if (typeof source !== 'object' || source === null) return [];
    const { secretName, secretNamespace } = source as {
      secretName?: string;
      secretNamespace?: string;
    };
    const named = secretName ? [`${secretNamespace || home}/${secretName}`] : [];
    const references = Object.entries(source).flatMap(([field, value]) => {
      if (!volumeSecretFields.has(field)) return [];
      const reference = (value ?? {}) as { namespace?: string; name?: string };
      return reference.name ? [`${reference.namespace || home}/${reference.name}`] : [];
    });
    return [...named, ...references];
  });
}

/** Those that kubelets use; those of controllers are none of theirs. */
const volumeSecretFields = new Set([
  'secretRef',
  'nodePublishSecretRef',
  'nodeStageSecretRef',
  'nodeExpandSecretRef',
]);

function nameOfEach(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return textsOf(list.map((member) => (member as { name?: unknown } | null)?.name));
}

function textsOf(values: readonly unknown[]): string[] {
  return values.filter((value) => typeof value === 'string' && value !== '') as string[];
}
