// Whether and when a pod must leave its devices: it is on a node, and a claim that is reserved for
// it has to be given up.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Informer } from '@keelson/client';
import { earliest, evictionOf, type Eviction, type Taints } from './eviction-time.ts';

/** The earliest of its claims; undefined when it may stay. */
export function evictionOfPod(
  pod: Pod,
  claims: Pick<Informer<ResourceClaim>, 'store'>,
  taints: () => Taints,
): Eviction | undefined {
  const { namespace = '', uid = '' } = pod.metadata;
  if ((pod.spec.nodeName ?? '') === '') return undefined;
  return earliest(
    claimNamesOf(pod).map((name) => {
      const { status } = claims.store.get(namespace, name) ?? {};
      const isOurs = status?.reservedFor?.some((user) => user.uid === uid) === true;
      if (!isOurs || status.allocation === undefined) return undefined;
      return evictionOf(status.allocation, taints());
    }),
  );
}

function claimNamesOf({ spec, status }: Pod): readonly string[] {
  return (spec.resourceClaims ?? []).flatMap(
    ({ name, resourceClaimName }) =>
      resourceClaimName ??
      status?.resourceClaimStatuses?.find((made) => made.name === name)?.resourceClaimName ??
      [],
  );
}
