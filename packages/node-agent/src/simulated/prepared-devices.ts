// The devices that a node has prepared for its pods, as the checkpoint of a kubelet has them: those of a
// claim are prepared once, for the first pod that uses it, and given up after the last one. Pods that
// were set up before the node's kubelet was started anew are not set up again. Drivers are simulated
// like everything else: they need no time and fail never.

import type { ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { PodRecord } from './pod-record.ts';

export type DriverMethod = 'NodePrepareResources' | 'NodeUnprepareResources';

export interface DriverCalls {
  readonly driver: string;
  readonly method: DriverMethod;
  readonly count: number;
}

export interface PreparedDevices {
  /** The pod may use these claims, which are allocated. */
  use(record: PodRecord, claims: readonly ResourceClaim[]): void;
  /** The pod has ended, or is gone. */
  release(podUid: string): void;
  /** Calls of drivers since the kubelet was started. */
  calls(): readonly DriverCalls[];
  /** Prepared claims by driver. */
  inUse(): ReadonlyMap<string, number>;
}

interface PreparedClaim {
  readonly drivers: ReadonlySet<string>;
  /** Uids of pods. */
  readonly users: Set<string>;
}

export function createPreparedDevices(): PreparedDevices {
  const prepared = new Map<string, PreparedClaim>();
  const counts = new Map<string, DriverCalls>();
  /** A driver is called once for all claims of a pod. */
  const call = (method: DriverMethod, claims: readonly PreparedClaim[]) => {
    for (const driver of new Set(claims.flatMap(({ drivers }) => [...drivers]))) {
      const key = `${method} ${driver}`;
      counts.set(key, { driver, method, count: (counts.get(key)?.count ?? 0) + 1 });
    }
  };
  return {
    use(record, claims) {
      const added: PreparedClaim[] = [];
      for (const { metadata, status } of claims) {
        const { uid = '' } = metadata;
        const known = prepared.get(uid);
        known?.users.add(record.uid);
        if (known !== undefined) continue;
        const results = status?.allocation?.devices?.results ?? [];
        const drivers = new Set(results.map(({ driver }) => driver));
        const claim = { drivers, users: new Set([record.uid]) };
        prepared.set(uid, claim);
        added.push(claim);
      }
      if (!wasSetUp(record)) call('NodePrepareResources', added);
    },
    release(podUid) {
      const unused: PreparedClaim[] = [];
      for (const [uid, claim] of prepared) {
        if (!claim.users.delete(podUid) || claim.users.size > 0) continue;
        prepared.delete(uid);
        unused.push(claim);
      }
      call('NodeUnprepareResources', unused);
    },
    calls: () => [...counts.values()],
    inUse() {
      const claims = new Map<string, number>();
      for (const { drivers } of prepared.values())
        for (const driver of drivers) claims.set(driver, (claims.get(driver) ?? 0) + 1);
      return claims;
    },
  };
}

/** Containers start after the devices are prepared. */
function wasSetUp({ pod: { status } }: PodRecord): boolean {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.some(({ containerID = '' }) => containerID !== '');
}
