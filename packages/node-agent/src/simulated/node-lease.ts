// The lease of a node, which says that it lives: written over as long as nobody else writes it, else
// read again.

import { formatMicroTime, isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import { nodeOwner } from './node-registration.ts';

export interface NodeLease {
  renew(node: Node | undefined): Promise<void>;
}

const durationSeconds = 40;
/** A quarter of the duration, as kubelets do. */
export const leaseRenewMs = 10_000;
const namespace = 'kube-node-lease';

export function createNodeLease(client: Client, name: string, now: () => number): NodeLease {
  const leases = client
    .resource({ group: 'coordination.k8s.io', version: 'v1', resource: 'leases' })
    .namespace(namespace);
  let known: KubeObject | undefined;
  const write = async (node: Node | undefined) => {
    const owners = node === undefined ? {} : { ownerReferences: [nodeOwner(node)] };
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: known?.metadata ?? { name, namespace, ...owners },
      spec: {
        holderIdentity: name,
        leaseDurationSeconds: durationSeconds,
        renewTime: formatMicroTime(now()),
      },
    };
    known = known === undefined ? await leases.create(lease) : await leases.update(lease);
  };
  return {
    async renew(node) {
      try {
        await write(node);
      } catch (error) {
        const isThere = isStatusError(error, 'AlreadyExists') || isStatusError(error, 'Conflict');
        if (!isThere && !isStatusError(error, 'NotFound')) throw error;
        known = isThere ? await leases.get(name) : undefined;
        await write(node);
      }
    },
  };
}
