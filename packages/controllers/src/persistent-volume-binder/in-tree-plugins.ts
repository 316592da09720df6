// The volume plugins that kube-controller-manager has, or had before CSI drivers took their work
// over. None makes volumes here; one can say that a volume is deleted, two can empty a volume.

import type { PersistentVolume } from '@keelson/apimachinery/types/core.v1';
import { noVolumePlugin, volumePluginName } from '../volumes/plugin-name.ts';

const prefix = 'kubernetes.io/';

/** Plugins that CSI drivers have taken over. */
const migrated: Readonly<Record<string, string>> = {
  'kubernetes.io/aws-ebs': 'ebs.csi.aws.com',
  'kubernetes.io/azure-disk': 'disk.csi.azure.com',
  'kubernetes.io/azure-file': 'file.csi.azure.com',
  'kubernetes.io/cinder': 'cinder.csi.openstack.org',
  'kubernetes.io/gce-pd': 'pd.csi.storage.gke.io',
  'kubernetes.io/portworx-volume': 'pxd.portworx.com',
  'kubernetes.io/vsphere-volume': 'csi.vsphere.vmware.com',
};

const hostPathPlugin = 'kubernetes.io/host-path';

/** Plugins that are there, and neither make nor delete volumes. */
const otherPlugins: ReadonlySet<string> = new Set([
  'kubernetes.io/nfs',
  'kubernetes.io/local-volume',
  'kubernetes.io/csi',
]);

/** Any other name is that of somebody outside of Kubernetes. */
export function isInTree(plugin: string): boolean {
  return plugin.startsWith(prefix);
}

/** The CSI driver that has taken the plugin over. */
export function migratedTo(plugin: string): string | undefined {
  return Object.hasOwn(migrated, plugin) ? migrated[plugin] : undefined;
}

/** Why no volume of this provisioner can be made; undefined when the plugin could make one. */
export function provisionerProblem(plugin: string): string | undefined {
  return problemByName(plugin, 'provisionable');
}

/** Why the volume cannot be deleted; undefined when the hostPath plugin can. */
export function deleterProblem(volume: PersistentVolume, provisioner: string): string | undefined {
  if (provisioner !== '') return problemByName(provisioner, 'deletable');
  const plugin = volumePluginName(volume);
  if (plugin === hostPathPlugin) return undefined;
  const what = plugin === noVolumePlugin ? 'volume' : 'deletable volume';
  const name = JSON.stringify(volume.metadata.name ?? '');
  return `error getting deleter volume plugin for volume ${name}: no ${what} plugin matched`;
}

function problemByName(plugin: string, ability: string): string | undefined {
  if (plugin === hostPathPlugin) return undefined;
  return otherPlugins.has(plugin)
    ? `no ${ability} volume plugin matched`
    : `no volume plugin matched name: ${plugin}`;
}
