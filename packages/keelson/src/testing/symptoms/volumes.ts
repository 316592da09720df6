// What is missed without the controllers of volumes and their claims, and the parts of the simulated
// driver.

import type { KubeObject } from '@keelson/apimachinery';
import type { PersistentVolumeClaim, Pod } from '@keelson/apimachinery/types/core.v1';
import { addLabelledPod, addLabelledVolume } from '../labelled-volume.ts';
import { core } from '../simulated-cluster.ts';
import { podSpec, stateOf, type Scene, type Symptom } from './symptom.ts';

const classes = { group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses' };
const claims = core('persistentvolumeclaims');
const provisioner = 'disk.simulated.keelson.dev';
const claimSpec = {
  storageClassName: 'c',
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: '1Gi' } },
};

function addClaim(scene: Scene, spec: object = {}) {
  return scene.in(claims).create({ metadata: { name: 'data' }, spec: { ...claimSpec, ...spec } });
}
const claimOf = (scene: Scene) => scene.in<PersistentVolumeClaim>(claims).get('data');
async function claimPhase(scene: Scene): Promise<string> {
  return (await claimOf(scene)).status?.phase ?? '';
}
/** Bound, and then asked to be twice as large. */
async function growClaim(scene: Scene): Promise<void> {
  await scene.client
    .resource(classes)
    .create({ metadata: { name: 'c' }, provisioner, allowVolumeExpansion: true });
  await addClaim(scene, { volumeMode: 'Block' });
  await scene.pass(5_000);
  const patch = { spec: { resources: { requests: { storage: '2Gi' } } } };
  await scene.in(claims).patch('data', 'merge', patch);
}
async function runWithVolume(scene: Scene): Promise<void> {
  await scene.client.resource(classes).create({ metadata: { name: 'c' }, provisioner });
  await addClaim(scene);
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
  await scene.in(core('pods')).create({ metadata: { name: 'p' }, spec: { ...podSpec, volumes } });
}
const ofSnapshots = (resource: string) => ({
  group: 'snapshot.storage.k8s.io',
  version: 'v1',
  resource,
});
const snapshots = ofSnapshots('volumesnapshots');
const contents = ofSnapshots('volumesnapshotcontents');
type VolumeSnapshot = KubeObject & { readonly status?: { readonly readyToUse?: boolean } };

async function takeSnapshot(scene: Scene): Promise<void> {
  await scene.client.resource(classes).create({ metadata: { name: 'c' }, provisioner });
  await addClaim(scene);
  await scene.client
    .resource(ofSnapshots('volumesnapshotclasses'))
    .create({ metadata: { name: 'c' }, driver: provisioner, deletionPolicy: 'Delete' });
  await scene.in(snapshots).create({
    metadata: { name: 's' },
    spec: { source: { persistentVolumeClaimName: 'data' }, volumeSnapshotClassName: 'c' },
  });
}
async function podPhase(scene: Scene): Promise<string> {
  return (await scene.in<Pod>(core('pods')).get('p')).status?.phase ?? '';
}
async function eventReason(scene: Scene, reason: string): Promise<string> {
  const { items } = await scene.in(core('events')).list();
  return items.some((event) => event['reason'] === reason) ? reason : 'nothing';
}

export const volumeSymptoms = {
  'selinux-warning-controller': {
    async act(scene) {
      await addLabelledVolume(scene.client);
      for (const level of ['s0:c1', 's0:c2'])
        await addLabelledPod(scene.client, level.replace(':', '-'), { seLinuxOptions: { level } });
    },
    see: (scene) => eventReason(scene, 'SELinuxLabelConflict'),
    with: 'SELinuxLabelConflict',
    without: 'nothing',
  },
  'persistentvolume-binder-controller': {
    async act(scene) {
      const { accessModes, storageClassName } = claimSpec;
      await scene.client.resource(core('persistentvolumes')).create({
        metadata: { name: 'v' },
        spec: {
          accessModes,
          storageClassName,
          capacity: { storage: '1Gi' },
          hostPath: { path: '/x' },
        },
      });
      await addClaim(scene);
    },
    see: claimPhase,
    with: 'Bound',
    without: 'Pending',
  },
  'ephemeral-volume-controller': {
    act: (scene) => {
      const ephemeral = { volumeClaimTemplate: { spec: claimSpec } };
      const spec = { ...podSpec, volumes: [{ name: 'data', ephemeral }] };
      return scene.in(core('pods')).create({ metadata: { name: 'p' }, spec });
    },
    see: (scene) => stateOf(scene.in(claims), 'p-data'),
    with: 'there',
    without: 'gone',
  },
  'simulated-volume-provisioner': {
    async act(scene) {
      await scene.client.resource(classes).create({ metadata: { name: 'c' }, provisioner });
      await addClaim(scene);
    },
    see: claimPhase,
    with: 'Bound',
    without: 'Pending',
  },
  'persistentvolume-expander-controller': {
    act: growClaim,
    see: (scene) => eventReason(scene, 'ExternalExpanding'),
    with: 'ExternalExpanding',
    without: 'nothing',
  },
  'persistentvolume-attach-detach-controller': {
    act: runWithVolume,
    see: (scene) => eventReason(scene, 'SuccessfulAttachVolume'),
    with: 'SuccessfulAttachVolume',
    without: 'nothing',
    options: { nodes: 1 },
  },
  'simulated-volume-attacher': {
    act: runWithVolume,
    see: podPhase,
    with: 'Running',
    without: 'Pending',
    options: { nodes: 1 },
  },
  'snapshot-controller': {
    act: takeSnapshot,
    see: async (scene) => `${(await scene.client.resource(contents).list()).items.length} contents`,
    with: '1 contents',
    without: '0 contents',
    options: { snapshots: true },
  },
  'simulated-volume-snapshotter': {
    act: takeSnapshot,
    async see(scene) {
      const { status } = await scene.in<VolumeSnapshot>(snapshots).get('s');
      return status?.readyToUse === true ? 'ready' : 'not ready';
    },
    with: 'ready',
    without: 'not ready',
    options: { snapshots: true },
  },
  'simulated-volume-resizer': {
    act: growClaim,
    see: async (scene) => (await claimOf(scene)).status?.capacity?.['storage'] ?? '',
    with: '2Gi',
    without: '1Gi',
  },
} as const satisfies Record<string, Symptom>;
