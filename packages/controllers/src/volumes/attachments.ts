// Attachments of volumes of CSI drivers: by which names nodes and kubelets know them, which are a
// volume's, and whether it needs any.

import { createHash } from 'node:crypto';
import type { PersistentVolume } from '@keelson/apimachinery/types/core.v1';
import type { CSIDriver, VolumeAttachment } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Informer } from '@keelson/client';

/** In `volumesAttached` and `volumesInUse` of nodes; undefined for a volume of no CSI driver. */
export function nodeVolumeName({ spec }: PersistentVolume): string | undefined {
  return spec?.csi && `kubernetes.io/csi/${spec.csi.driver}^${spec.csi.volumeHandle}`;
}

/** COMPAT: of the VolumeAttachment, which kubelets look for by this name. */
export function attachmentName({ spec }: PersistentVolume, nodeName: string): string {
  const { volumeHandle = '', driver = '' } = spec?.csi ?? {};
  const hash = createHash('sha256').update(`${volumeHandle}${driver}${nodeName}`);
  return `csi-${hash.digest('hex')}`;
}

/** A driver without CSIDriver object attaches. */
export function needsAttachment(
  { spec }: PersistentVolume,
  driverOf: (name: string) => CSIDriver | undefined,
): boolean {
  return spec?.csi !== undefined && driverOf(spec.csi.driver)?.spec.attachRequired !== false;
}

const byVolume = 'attachment-volume';

export const volumeNameOf = ({ spec }: VolumeAttachment): string =>
  spec.source.persistentVolumeName ?? '';

/** Lets `attachmentsOf` find them; any number of controllers may ask for it. */
export function indexByVolume(attachments: Pick<Informer<VolumeAttachment>, 'addIndex'>): void {
  attachments.addIndex(byVolume, (one) => [volumeNameOf(one)]);
}
export function attachmentsOf(
  attachments: Pick<Informer<VolumeAttachment>, 'store'>,
  volumeName: string,
): readonly VolumeAttachment[] {
  return attachments.store.byIndex(byVolume, volumeName);
}
