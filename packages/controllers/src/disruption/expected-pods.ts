// How many pods there should be of those that a budget selects: the sizes of what controls them,
// added up. Deployments, ReplicaSets, StatefulSets and ReplicationControllers are known; any other
// kind is asked through its scale subresource.

import {
  formatGroupResource,
  isStatusError,
  type KubeObject,
  type OwnerReference,
} from '@keelson/apimachinery';
import type { Deployment, ReplicaSet, StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod, ReplicationController } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import type { ControllerContext } from '../machinery/controller.ts';
import { controllerOf } from '../machinery/ownership.ts';
import { createResourceMapping, type ResourceMapping } from '../machinery/resource-mapping.ts';
import {
  deploymentsResource,
  replicaSetsResource,
  replicationControllersResource,
  statefulSetsResource,
} from '../machinery/resources.ts';

export interface ExpectedPods {
  readonly count: number;
  /** Pods that nothing controls, and that count for nothing. */
  readonly unmanaged: readonly Pod[];
}

/** What controls a pod is not there, or of a kind that has no size: asking again is of no use. */
export class NoScaleError extends Error {}

export interface ExpectedPodsCounter {
  readonly reads: readonly ReturnType<ControllerContext['informers']['informer']>[];
  /** Throws NoScaleError, UnknownKindError and what requests throw. */
  count(pods: readonly Pod[], signal: AbortSignal): Promise<ExpectedPods>;
}

type Scale = readonly [uid: string, replicas: number];
interface ScaledObject extends KubeObject {
  spec: { replicas?: number };
}

export function createExpectedPodsCounter({
  client,
  informers,
}: ControllerContext): ExpectedPodsCounter {
  const deployments = informers.informer<Deployment>(deploymentsResource);
  const replicaSets = informers.informer<ReplicaSet>(replicaSetsResource);
  const statefulSets = informers.informer<StatefulSet>(statefulSetsResource);
  const controllers = informers.informer<ReplicationController>(replicationControllersResource);
  const mapping = createResourceMapping(client.discovery);
  const known = new Map<string, typeof deployments | typeof replicaSets | typeof statefulSets>([
    ['apps/Deployment', deployments],
    ['apps/ReplicaSet', replicaSets],
    ['apps/StatefulSet', statefulSets],
    ['/ReplicationController', controllers as unknown as typeof statefulSets],
  ]);

  const inStore = (owner: OwnerReference, namespace: string): KubeObject | undefined => {
    const group = owner.apiVersion.includes('/') ? owner.apiVersion.split('/')[0] : '';
    const found = known.get(`${group}/${owner.kind}`)?.store.get(namespace, owner.name);
    return found?.metadata.uid === owner.uid ? found : undefined;
  };
  const scaleOf = async (pod: Pod, owner: OwnerReference, signal: AbortSignal) => {
    const { namespace = '' } = pod.metadata;
    const direct = inStore(owner, namespace);
    if (direct === undefined) return fromServer({ client, mapping }, owner, namespace, signal);
    // A ReplicaSet of a Deployment has its size only for the moment.
    const above = controllerOf(direct);
    const top = (above && inStore(above, namespace)) ?? direct;
    const { replicas = 1 } = (top as ScaledObject).spec;
    return [top.metadata.uid ?? '', replicas] as const;
  };

  return {
    reads: [deployments, replicaSets, statefulSets, controllers],
    async count(pods, signal) {
      const scales = new Map<string, number>();
      const seen = new Set<string>();
      const unmanaged: Pod[] = [];
      for (const pod of pods) {
        const owner = controllerOf(pod);
        if (owner === undefined) unmanaged.push(pod);
        if (owner === undefined || seen.has(owner.uid)) continue;
        const scale = await scaleOf(pod, owner, signal);
        if (scale === undefined)
          throw new NoScaleError(
            `found no controllers for pod ${JSON.stringify(pod.metadata.name)}`,
          );
        seen.add(owner.uid);
        scales.set(...scale);
      }
      const count = [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
      return { count, unmanaged };
    },
  };
}

async function fromServer(
  { client, mapping }: { readonly client: Client; readonly mapping: ResourceMapping },
  owner: OwnerReference,
  namespace: string,
  signal: AbortSignal,
): Promise<Scale | undefined> {
  const resource = await mapping.resourceOf(owner, signal);
  if (!resource.subresources.includes('scale'))
    throw new NoScaleError(
      `${formatGroupResource(resource)} does not implement the scale subresource`,
    );
  try {
    const scale = await client
      .resource<ScaledObject>(resource)
      .namespace(namespace)
      .get(owner.name, { subresource: 'scale', signal });
    return scale.metadata.uid === owner.uid ? [owner.uid, scale.spec.replicas ?? 0] : undefined;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}
