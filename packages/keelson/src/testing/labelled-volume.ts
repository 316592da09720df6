// A bound volume of a driver that can label at the mount, and pods that want it labelled, for tests.

import type { PersistentVolume, Pod } from '@keelson/apimachinery/types/core.v1';
import type { CSIDriver } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Client } from '@keelson/client';
import { core } from './simulated-cluster.ts';

const driverName = 'disk.example.com';
export const csiDriversResource = {
  group: 'storage.k8s.io',
  version: 'v1',
  resource: 'csidrivers',
};
const accessModes = ['ReadWriteMany'];
const storage = { storage: '1Gi' };

/** The driver, a volume for each namespace that has the same disk behind it, and a claim `data`. */
export async function addLabelledVolume(
  client: Client,
  namespaces: readonly string[] = ['default'],
): Promise<void> {
  const driver: CSIDriver = { metadata: { name: driverName }, spec: { seLinuxMount: true } };
  await client.resource<CSIDriver>(csiDriversResource).create(driver);
  for (const namespace of namespaces) {
    const volume: PersistentVolume = {
      metadata: { name: `of-${namespace}` },
      spec: {
        accessModes,
        capacity: storage,
        storageClassName: '',
        csi: { driver: driverName, volumeHandle: 'disk-1' },
        claimRef: { namespace, name: 'data' },
      },
    };
    await client.resource<PersistentVolume>(core('persistentvolumes')).create(volume);
    const spec = {
      accessModes,
      storageClassName: '',
      volumeName: `of-${namespace}`,
      resources: { requests: storage },
    };
    await client
      .resource(core('persistentvolumeclaims'))
      .namespace(namespace)
      .create({ metadata: { name: 'data' }, spec } as never);
  }
}

export async function addLabelledPod(
  client: Client,
  name: string,
  securityContext: NonNullable<Pod['spec']['securityContext']>,
  namespace = 'default',
): Promise<void> {
  const pod: Pod = {
    metadata: { name },
    spec: {
      securityContext,
      containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
    },
  };
  await client.resource<Pod>(core('pods')).namespace(namespace).create(pod);
}
