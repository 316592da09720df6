// The ConfigMaps, Secrets and claims that a pod cannot start without. The node reads them as
// itself, so that it finds only what the Node authorizer lets it, and says of those that are
// missing what a kubelet says.

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { Container, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import type { ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { readDeviceClaims } from './pod-device-claims.ts';
import { containersOf } from './pod-record.ts';
import {
  failedMounts,
  hasKey,
  singular,
  unboundClaim,
  type Lookup,
  type ReferencedResource,
  type UnboundClaim,
} from './volume-references.ts';

export interface ReferenceProblems {
  /** Without it no volume is mounted. */
  readonly claim: UnboundClaim | undefined;
  /** Of each volume that cannot be mounted now, as the pod calls it, what is said of it. */
  readonly mounts: ReadonlyMap<string, string>;
  /** Volumes, as the pod calls them, that are not attached to the node yet. */
  readonly unattached: readonly string[];
  /** The claims whose devices can be prepared, or why they cannot. */
  readonly devices: readonly ResourceClaim[] | string;
  /** By container. */
  readonly config: ReadonlyMap<string, string>;
}

export interface ReferenceReader {
  inspect(pod: Pod): Promise<ReferenceProblems>;
}

/** What was there is believed to be there for so long. */
const believedMs = 30_000;
const believedMax = 10_000;

export interface ReferenceReaderOptions {
  /** Acts as the node. */
  readonly client: Client;
  readonly now: () => number;
  readonly unattached: (pod: Pod) => readonly string[];
}

export function createReferenceReader({
  client,
  now,
  unattached,
}: ReferenceReaderOptions): ReferenceReader {
  const believed = new Map<string, { readonly until: number; readonly object: KubeObject }>();
  const read = async (resource: ReferencedResource, namespace: string, name: string) => {
    const key = `${resource}/${namespace}/${name}`;
    const found = believed.get(key);
    if (found !== undefined && found.until > now()) return found.object;
    const all = client.resource({ group: '', version: 'v1', resource });
    try {
      const object = await all.namespace(namespace).get(name);
      if (believed.size >= believedMax) believed.clear();
      // A claim is there before it is bound.
      if (resource !== 'persistentvolumeclaims')
        believed.set(key, { until: now() + believedMs, object });
      return object;
    } catch (error) {
      believed.delete(key);
      if (isStatusError(error, 'NotFound')) return undefined;
      throw error;
    }
  };
  return {
    async inspect(pod) {
      const namespace = pod.metadata?.namespace ?? '';
      const lookup: Lookup = (resource, name) => read(resource, namespace, name);
      const config = new Map<string, string>();
      for (const { container } of containersOf(pod)) {
        const problem = await problemOfEnvironment(container, namespace, lookup);
        if (problem !== undefined) config.set(container.name, problem);
      }
      const claim = await unboundClaim(pod, lookup);
      const mounts = await failedMounts(pod, lookup);
      // What was allocated a moment ago is no reason to believe that it still is.
      const claimOf = (name: string) => readClaim(client, namespace, name);
      const devices = await readDeviceClaims(pod, claimOf);
      return { claim, mounts, unattached: unattached(pod), devices, config };
    },
  };
}

async function readClaim(
  client: Client,
  namespace: string,
  name: string,
): Promise<ResourceClaim | undefined> {
  const claims = { group: 'resource.k8s.io', version: 'v1', resource: 'resourceclaims' };
  try {
    return await client.resource<ResourceClaim>(claims).namespace(namespace).get(name);
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

async function problemOfEnvironment(
  { env = [], envFrom = [] }: Container,
  namespace: string,
  lookup: Lookup,
): Promise<string | undefined> {
  for (const { configMapRef, secretRef } of envFrom) {
    const [resource, ref] = configMapRef
      ? (['configmaps', configMapRef] as const)
      : (['secrets', secretRef] as const);
    const name = ref?.name ?? '';
    if (ref === undefined || ref.optional === true) continue;
    if ((await lookup(resource, name)) === undefined)
      return `${singular[resource]} "${name}" not found`;
  }
  for (const { valueFrom } of env) {
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
    const [resource, ref] = configMapKeyRef
      ? (['configmaps', configMapKeyRef] as const)
      : (['secrets', secretKeyRef] as const);
    if (ref === undefined || ref.optional === true) continue;
    const name = ref.name ?? '';
    const found = await lookup(resource, name);
    if (found === undefined) return `${singular[resource]} "${name}" not found`;
    if (!hasKey(found, ref.key)) {
      const kind = resource === 'configmaps' ? 'ConfigMap' : 'Secret';
      return `couldn't find key ${ref.key} in ${kind} ${namespace}/${name}`;
    }
  }
  return undefined;
}
