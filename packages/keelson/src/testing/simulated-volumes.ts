// A cluster for tests of how claims and volumes come together and part, without classes: volumes of
// 5 Gi on a node's path, claims of 1 Gi.

import type { TestContext } from 'node:test';
import type {
  Event,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { ClusterOptions } from '../create-cluster.ts';
import { core, simulateCluster } from './simulated-cluster.ts';

/** Those that have to do with volumes, and what their pods need. */
const controllers = [
  'persistentvolume-binder-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'volumeattributesclass-protection-controller',
  'ephemeral-volume-controller',
  'serviceaccount-controller',
  'kube-scheduler',
];

export async function simulateVolumes(t: TestContext, options: ClusterOptions = {}) {
  const { client, clock } = await simulateCluster(t, { controllers, ...options });
  const volumes = client.resource<PersistentVolume>(core('persistentvolumes'));
  const claims = client
    .resource<PersistentVolumeClaim>(core('persistentvolumeclaims'))
    .namespace('default');
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const classes = client.resource({
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'storageclasses',
  });
  const events = client.resource<Event>(core('events')).namespace('default');
  const settle = () => clock.advance(1_000);
  return {
    client,
    clock,
    volumes,
    claims,
    pods,
    classes,
    settle,
    addVolume: (name: string, spec: object = {}, metadata: object = {}) =>
      volumes.create({
        metadata: { name, ...metadata },
        spec: {
          capacity: { storage: '5Gi' },
          accessModes: ['ReadWriteOnce'],
          ...('csi' in spec || 'nfs' in spec || 'iscsi' in spec
            ? {}
            : { hostPath: { path: '/x' } }),
          ...spec,
        },
      }),
    addClaim: (name: string, spec: object = {}, metadata: object = {}) =>
      claims.create({
        metadata: { name, ...metadata },
        spec: {
          storageClassName: '',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          ...spec,
        },
      }),
    /** `about: type reason message` of what was told, once each. */
    async told() {
      await settle();
      const texts = (await events.list()).items
        .filter(({ involvedObject }) => involvedObject.kind !== 'Node')
        .map(
          ({ involvedObject, type, reason, message }) =>
            `${involvedObject.name}: ${type} ${reason} ${message}`,
        );
      return [...new Set(texts)].toSorted();
    },
  };
}
