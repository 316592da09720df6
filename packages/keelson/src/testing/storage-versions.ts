// A cluster that serves StorageVersions, and servers that report in which version they store.

import type { KubeObject } from '@keelson/apimachinery';
import type { StorageVersion } from '@keelson/apimachinery/types/internal.apiserver.k8s.io.v1alpha1';
import type { Client } from '@keelson/client';
import type { ClusterOptions } from '../create-cluster.ts';

export const withStorageVersions = {
  featureGates: { StorageVersionAPI: true },
  runtimeConfig: 'internal.apiserver.k8s.io/v1alpha1=true',
} as const satisfies ClusterOptions;

export const storageVersionsResource = {
  group: 'internal.apiserver.k8s.io',
  version: 'v1alpha1',
  resource: 'storageversions',
};
export const storageVersion = 'apps.deployments';

/** `reports`: the version that each server stores Deployments in. */
export async function reportStorageVersions(
  client: Client,
  reports: Readonly<Record<string, string>>,
): Promise<void> {
  const versions = client.resource<StorageVersion>(storageVersionsResource);
  const created = await versions.create({ metadata: { name: storageVersion }, spec: {} });
  const storageVersions = Object.entries(reports).map(([apiServerID, version]) => ({
    apiServerID,
    encodingVersion: version,
    decodableVersions: [version],
  }));
  const [first, ...others] = Object.values(reports);
  const isCommon = first !== undefined && others.every((version) => version === first);
  const status = { storageVersions, ...(isCommon && { commonEncodingVersion: first }) };
  await versions.update({ ...created, status }, { subresource: 'status' });
}

/** The Lease that says that a server lives; another `component` is no API server. */
export async function addIdentity(
  client: Client,
  name: string,
  component = 'kube-apiserver',
): Promise<void> {
  const labels = { 'apiserver.kubernetes.io/identity': component };
  await client
    .resource<KubeObject>({ group: 'coordination.k8s.io', version: 'v1', resource: 'leases' })
    .namespace('kube-system')
    .create({ metadata: { name, labels }, spec: { holderIdentity: name } } as KubeObject);
}
