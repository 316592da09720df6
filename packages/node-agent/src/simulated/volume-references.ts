// What the volumes of a pod need from the API: the ConfigMaps and Secrets that are written into
// them, with the keys that are asked for, and claims that are bound.

import type { KubeObject } from '@keelson/apimachinery';
import type { KeyToPath, Pod, Volume } from '@keelson/apimachinery/types/core.v1';
import { claimNameOf } from '@keelson/controllers';

export type ReferencedResource = 'configmaps' | 'secrets' | 'persistentvolumeclaims';
/** `undefined` when there is no such object in the namespace of the pod. */
export type Lookup = (
  resource: ReferencedResource,
  name: string,
) => Promise<KubeObject | undefined>;

export const singular = { configmaps: 'configmap', secrets: 'secret' } as const;

/** Each volume that cannot be mounted now, as the pod calls it, with what a kubelet says of it. */
export async function failedMounts({ spec }: Pod, lookup: Lookup): Promise<Map<string, string>> {
  const failed = new Map<string, string>();
  for (const volume of spec?.volumes ?? []) {
    const why = await problemOf(volume, lookup);
    if (why !== undefined)
      failed.set(volume.name, `MountVolume.SetUp failed for volume "${volume.name}" : ${why}`);
  }
  return failed;
}

async function problemOf(volume: Volume, lookup: Lookup): Promise<string | undefined> {
  for (const { resource, name, items } of objectsOf(volume)) {
    const found = await lookup(resource, name);
    if (found === undefined) return `${singular[resource]} "${name}" not found`;
    const missing = items.find(({ key }) => !hasKey(found, key));
    if (missing === undefined) continue;
    return resource === 'secrets'
      ? `references non-existent secret key: ${missing.key}`
      : `configmap references non-existent config key: ${missing.key}`;
  }
  return undefined;
}

export function hasKey(object: KubeObject, key: string): boolean {
  return ['data', 'binaryData'].some((field) =>
    Object.hasOwn((object[field] as object) ?? {}, key),
  );
}

interface Wanted {
  readonly resource: 'configmaps' | 'secrets';
  readonly name: string;
  readonly items: readonly KeyToPath[];
}

interface Source {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

/** Without those that are optional. */
function objectsOf({ configMap, secret, projected }: Volume): Wanted[] {
  const wanted: Wanted[] = [];
  const add = (resource: Wanted['resource'], source: Source | undefined) => {
    const { name = '', items = [], optional = false } = source ?? {};
    if (!optional && name !== '') wanted.push({ resource, name, items });
  };
  add('configmaps', configMap);
  if (secret !== undefined) {
    const { secretName: name, ...rest } = secret;
    add('secrets', { ...rest, ...(name !== undefined && { name }) });
  }
  for (const source of projected?.sources ?? []) {
    add('configmaps', source.configMap);
    add('secrets', source.secret);
  }
  return wanted;
}

export interface UnboundClaim {
  /** As the pod calls it. */
  readonly volume: string;
  readonly why: string;
}

/** The first claim without which nothing of the pod is mounted. */
export async function unboundClaim(pod: Pod, lookup: Lookup): Promise<UnboundClaim | undefined> {
  const namespace = pod.metadata?.namespace ?? '';
  for (const volume of pod.spec?.volumes ?? []) {
    const claim = claimNameOf(pod, volume);
    if (claim === undefined) continue;
    const found = await lookup('persistentvolumeclaims', claim);
    const status = found?.['status'] as { readonly phase?: string } | undefined;
    if (status?.phase === 'Bound') continue;
    const why =
      found === undefined
        ? `failed to fetch PVC from API server: persistentvolumeclaims "${claim}" not found`
        : 'PVC is not bound';
    return { volume: volume.name, why: `error processing PVC ${namespace}/${claim}: ${why}` };
  }
  return undefined;
}
