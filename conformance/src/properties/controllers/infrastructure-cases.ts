// Cases of the controllers of nodes, volumes and services, and of the scheduler.

import { compareQuantities, isConditionTrue, parseQuantity } from '@keelson/apimachinery';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { VolumeAttachment } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { ServiceCIDR } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import type { StorageVersion } from '@keelson/apimachinery/types/internal.apiserver.k8s.io.v1alpha1';
import type { StorageVersionMigration } from '@keelson/apimachinery/types/storagemigration.k8s.io.v1beta1';
import type { Client } from '@keelson/client';
import type { ControllerCase } from './controller-case.ts';
import { keyOf, type Look } from './look.ts';

const slices = 'discovery.k8s.io/endpointslices';
const claims = '/persistentvolumeclaims';
const attachments = 'storage.k8s.io/volumeattachments';
const serviceName = 'kubernetes.io/service-name';
const migrationsResource = {
  group: 'storagemigration.k8s.io',
  resource: 'storageversionmigrations',
};
const podGroups = 'scheduling.k8s.io/podgroups';
const migrations = 'storagemigration.k8s.io/storageversionmigrations';
const storageVersions = 'internal.apiserver.k8s.io/storageversions';
const managedBy = 'endpointslice.kubernetes.io/managed-by';

export const infrastructureCases = {
  'endpoints-controller': { kinds: ['/services', '/endpoints', '/pods'] },
  'endpointslice-controller': {
    kinds: ['/services', slices, '/pods'],
    *wrong(look) {
      const services = new Set(look.of('/services').map(keyOf));
      for (const slice of look.of(slices)) {
        const { namespace, labels = {} } = slice.metadata;
        if (labels[managedBy] !== 'endpointslice-controller.k8s.io') continue;
        if (!services.has(`${namespace}/${labels[serviceName]}`))
          yield `${keyOf(slice)} is of a Service that is gone`;
      }
    },
  },
  'endpointslice-mirroring-controller': { kinds: ['/services', '/endpoints', slices] },
  'podgroup-protection-controller': {
    kinds: [podGroups, '/pods'],
    *wrong(look) {
      const used = new Set(
        look
          .of<Pod>('/pods')
          .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
          .map(
            ({ metadata, spec }) => `${metadata.namespace}/${spec?.schedulingGroup?.podGroupName}`,
          ),
      );
      for (const group of look.of(podGroups)) {
        const { deletionTimestamp, finalizers = [] } = group.metadata;
        const isHeld = finalizers.includes('scheduling.k8s.io/podgroup-protection');
        if (deletionTimestamp !== undefined && isHeld && !used.has(keyOf(group)))
          yield `${keyOf(group)} is kept, and has no pods`;
      }
    },
  },
  'node-ipam-controller': { kinds: ['/nodes'] },
  'node-lifecycle-controller': { kinds: ['/nodes', '/pods'] },
  'taint-eviction-controller': { kinds: ['/nodes', '/pods'] },
  'device-taint-eviction-controller': {
    kinds: ['resource.k8s.io/resourceslices', 'resource.k8s.io/resourceclaims', '/pods', '/nodes'],
  },
  'selinux-warning-controller': {
    kinds: ['/pods', claims, '/persistentvolumes', 'storage.k8s.io/csidrivers'],
  },
  'ttl-controller': { kinds: ['/nodes'] },
  'pod-garbage-collector-controller': {
    kinds: ['/pods', '/nodes'],
    *wrong(look) {
      const nodes = new Set(look.of('/nodes').map(({ metadata }) => metadata.name));
      for (const pod of look.of<Pod>('/pods')) {
        const { nodeName = '' } = pod.spec ?? {};
        if (nodeName !== '' && !nodes.has(nodeName)) yield `${keyOf(pod)} is on no node`;
      }
    },
  },
  'persistentvolume-binder-controller': {
    kinds: ['/persistentvolumes', claims, 'storage.k8s.io/storageclasses'],
    *wrong(look) {
      const volumes = look.of<PersistentVolume>('/persistentvolumes');
      const bound = volumes.flatMap(({ spec }) => spec?.claimRef?.uid ?? []);
      for (const { metadata, status } of look.of<PersistentVolumeClaim>(claims)) {
        const count = bound.filter((uid) => uid === metadata.uid).length;
        if (status?.phase === 'Bound' && count !== 1)
          yield `${metadata.namespace}/${metadata.name} is bound to ${count} volumes`;
      }
    },
  },
  'ephemeral-volume-controller': { kinds: ['/pods', claims] },
  'persistentvolume-expander-controller': {
    kinds: [claims, '/persistentvolumes', 'storage.k8s.io/storageclasses'],
  },
  'persistentvolume-attach-detach-controller': {
    kinds: [attachments, '/persistentvolumes', claims, '/pods', '/nodes'],
    wrong: leftAttachments,
  },
  'simulated-volume-attacher': {
    kinds: [attachments, '/persistentvolumes'],
    wrong: leftAttachments,
  },
  'simulated-volume-resizer': {
    kinds: [claims, '/persistentvolumes', 'storage.k8s.io/storageclasses'],
    *wrong(look) {
      const ours = new Set(
        look
          .of<PersistentVolume>('/persistentvolumes')
          .filter(({ spec }) => spec?.csi?.driver === 'disk.simulated.keelson.dev')
          .map(({ spec }) => spec?.claimRef?.uid),
      );
      for (const { metadata, spec, status } of look.of<PersistentVolumeClaim>(claims)) {
        const asked = parseQuantity(spec?.resources?.requests?.['storage'] ?? '0');
        const has = parseQuantity(status?.capacity?.['storage'] ?? '0');
        const asksForMore = status?.phase === 'Bound' && compareQuantities(asked, has) > 0;
        const isToldOf = status?.conditions?.some(({ type }) => /Resiz/.test(type));
        if (ours.has(metadata.uid) && asksForMore && isToldOf !== true)
          yield `${metadata.namespace}/${metadata.name} waits, and does not say for what`;
      }
    },
  },
  'snapshot-controller': {
    kinds: [claims, '/persistentvolumes', 'storage.k8s.io/storageclasses'],
    prepare: takeSnapshot,
    lives: [
      // A claim that went before it was bound to the volume that was made for it.
      [82229, 697604, 258515, 196456, 754388, 985196, 316016, 625188, 529439, 396814, 188021],
    ],
  },
  'simulated-volume-snapshotter': {
    kinds: [claims, '/persistentvolumes'],
    prepare: takeSnapshot,
  },
  'simulated-volume-provisioner': { kinds: [claims, 'storage.k8s.io/storageclasses', '/pods'] },
  'service-cidr-controller': {
    kinds: ['networking.k8s.io/servicecidrs', '/services'],
    *wrong(look) {
      for (const { metadata, status } of look.of<ServiceCIDR>('networking.k8s.io/servicecidrs')) {
        const isReady = status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
        const isStaying = metadata.deletionTimestamp === undefined;
        if (isReady !== isStaying) yield `${metadata.name} is ready: ${isReady}`;
        if (!metadata.finalizers?.includes('networking.k8s.io/service-cidr-finalizer'))
          yield `${metadata.name} is not protected`;
      }
    },
  },
  'storageversion-garbage-collector-controller': {
    kinds: [storageVersions, 'coordination.k8s.io/leases'],
    *wrong(look) {
      const living = new Set(
        look
          .of('coordination.k8s.io/leases')
          .filter(({ metadata }) => metadata.namespace === 'kube-system')
          .map(({ metadata }) => metadata.name),
      );
      for (const { metadata, status } of look.of<StorageVersion>(storageVersions))
        for (const { apiServerID } of status?.storageVersions ?? [])
          if (!living.has(apiServerID)) yield `${metadata.name} is told by ${apiServerID}`;
    },
  },
  'storage-version-migrator-controller': {
    kinds: [migrations, '/configmaps', '/pods', 'apps/deployments'],
    async prepare(client) {
      const resources = [
        { group: '', resource: 'configmaps' },
        { group: '', resource: 'pods' },
        { group: 'example.com', resource: 'nothings' },
      ];
      for (const [i, resource] of resources.entries())
        await client
          .resource({ ...migrationsResource, version: 'v1beta1' })
          .create({ metadata: { name: `of-${i}` }, spec: { resource } });
    },
    *wrong(look) {
      for (const { metadata, status } of look.of<StorageVersionMigration>(migrations)) {
        const hasEnded = ['Succeeded', 'Failed'].some((type) =>
          isConditionTrue(status?.conditions, type),
        );
        if (!hasEnded) yield `${metadata.name} has not ended`;
      }
    },
  },
  'resourceclaim-controller': {
    kinds: ['resource.k8s.io/resourceclaims', 'resource.k8s.io/resourceclaimtemplates', '/pods'],
  },
  'kube-scheduler': { kinds: ['/pods', '/nodes', 'scheduling.k8s.io/priorityclasses'] },
} as const satisfies Readonly<Record<string, ControllerCase>>;

/** Nobody has said that these nodes may be attached to, and where no node uses a volume it goes. */
function* leftAttachments(look: Look): Iterable<string> {
  const inUse = new Set(
    look.of<Node>('/nodes').flatMap(({ status }) => status?.volumesInUse ?? []),
  );
  for (const { metadata, spec } of look.of<VolumeAttachment>(attachments)) {
    const isOurs = metadata.name?.startsWith('csi-') === true;
    if (isOurs && metadata.deletionTimestamp === undefined && inUse.size === 0)
      yield `${spec.source.persistentVolumeName} is attached, and nobody wants it`;
  }
}

/** Of a claim that users change and delete. */
async function takeSnapshot(client: Client): Promise<void> {
  const provisioner = 'disk.simulated.keelson.dev';
  const of = (group: string, resource: string) => ({ group, version: 'v1', resource });
  const snapshotGroup = 'snapshot.storage.k8s.io';
  const named = (name: string) => ({ metadata: { name } });
  await client
    .resource(of('storage.k8s.io', 'storageclasses'))
    .create({ ...named('simulated'), provisioner });
  await client
    .resource(of(snapshotGroup, 'volumesnapshotclasses'))
    .create({ ...named('simulated'), driver: provisioner, deletionPolicy: 'Delete' });
  const spec = {
    storageClassName: 'simulated',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
  };
  const claim = { ...named('a'), spec };
  await client.resource(of('', 'persistentvolumeclaims')).namespace('one').create(claim);
  const source = { persistentVolumeClaimName: 'a' };
  const snapshot = { ...named('s'), spec: { source, volumeSnapshotClassName: 'simulated' } };
  await client.resource(of(snapshotGroup, 'volumesnapshots')).namespace('one').create(snapshot);
}
