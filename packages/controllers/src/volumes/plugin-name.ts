// What kube-controller-manager calls the plugin of a volume in metrics.

import type { PersistentVolume } from '@keelson/apimachinery/types/core.v1';

const plugins = [
  ['hostPath', 'kubernetes.io/host-path'],
  ['nfs', 'kubernetes.io/nfs'],
  ['local', 'kubernetes.io/local-volume'],
] as const;

/** Of sources that it has no plugin for any more. */
export const noVolumePlugin = 'N/A';

/** CSI drivers each by name. */
export function volumePluginName({ spec }: PersistentVolume): string {
  if (spec?.csi !== undefined) return `kubernetes.io/csi:${spec.csi.driver}`;
  return plugins.find(([source]) => spec?.[source] !== undefined)?.[1] ?? noVolumePlugin;
}
