// Takes API servers that are gone out of StorageVersions (KEP-2339): each server that reports in
// which version it stores a resource has a Lease in kube-system, and what no living server reports
// any more must not keep the others from agreeing. A StorageVersion that nobody reports goes.

import { isStatusError } from '@keelson/apimachinery';
import type { Lease } from '@keelson/apimachinery/types/coordination.k8s.io.v1';
import type {
  ServerStorageVersion,
  StorageVersion,
} from '@keelson/apimachinery/types/internal.apiserver.k8s.io.v1alpha1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { leasesResource } from '../machinery/resources.ts';
import { agreedStatus } from './agreed-status.ts';

const storageVersionsResource = {
  group: 'internal.apiserver.k8s.io',
  version: 'v1alpha1',
  resource: 'storageversions',
};
const leaseNamespace = 'kube-system';
const identityLabel = 'apiserver.kubernetes.io/identity';
const byServer = 'server';

export function createStorageVersionGarbageCollector(context: ControllerContext): Controller {
  const { informers } = context;
  const versions = informers.informer<StorageVersion>(storageVersionsResource);
  const leases = informers.informer<Lease>(leasesResource);
  versions.addIndex(byServer, (version) => serversOf(version).map((server) => server.apiServerID));
  const isKnown = ({ apiServerID }: ServerStorageVersion) =>
    isIdentity(leases.store.get(leaseNamespace, apiServerID));
  return createReconciler(context, {
    failure: 'storage version not cleaned up',
    queue: 'storage_version_garbage_collector_storageversions',
    workers: 1,
    reads: [versions, leases],
    subscribe(queue) {
      const enqueue = ({ metadata }: StorageVersion) => queue.add(metadata.name ?? '');
      const onLeaseDelete = (lease: Lease) => {
        const { namespace, name = '' } = lease.metadata;
        if (namespace === leaseNamespace && isIdentity(lease))
          versions.store.byIndex(byServer, name).forEach(enqueue);
      };
      return [
        versions.addHandler({ onAdd: enqueue, onUpdate: enqueue }),
        leases.addHandler({ onDelete: onLeaseDelete }),
      ];
    },
    async reconcile(name, signal) {
      const version = versions.store.get('', name);
      if (version === undefined) return;
      const servers = serversOf(version);
      if (servers.every(isKnown)) return;
      const living: ServerStorageVersion[] = [];
      for (const server of servers)
        if (isKnown(server) || (await isAlive(context, server.apiServerID, signal)))
          living.push(server);
      if (living.length < servers.length) await write(context, version, living, signal);
    },
  });
}

function serversOf({ status }: StorageVersion): readonly ServerStorageVersion[] {
  return status?.storageVersions ?? [];
}

function isIdentity(lease: Lease | undefined): boolean {
  return lease?.metadata.labels?.[identityLabel] === 'kube-apiserver';
}

/** The cache may be behind. */
async function isAlive(
  { client }: ControllerContext,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  const leases = client.resource<Lease>(leasesResource).namespace(leaseNamespace);
  try {
    return isIdentity(await leases.get(id, { signal }));
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
    return false;
  }
}

async function write(
  { client, clock }: ControllerContext,
  version: StorageVersion,
  living: readonly ServerStorageVersion[],
  signal: AbortSignal,
): Promise<void> {
  const versions = client.resource<StorageVersion>(storageVersionsResource);
  const { name = '', uid = '' } = version.metadata;
  try {
    if (living.length > 0) {
      const status = agreedStatus(version, living, clock.now());
      await versions.update({ ...version, status }, { subresource: 'status', signal });
    } else await versions.delete(name, { preconditions: { uid }, signal });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}
