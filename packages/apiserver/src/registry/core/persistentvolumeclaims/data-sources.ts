// `dataSource` and `dataSourceRef` of a claim say the same; the newer one takes any kind
// (KEP-1495).

import type { PersistentVolumeClaimSpec } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';

/** Drops what `dataSource` cannot mean and copies the one that is set to the other. */
export function synchronizeDataSources(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec | undefined,
  features: Features,
): void {
  if (isForeign(spec) && !(old && isForeign(old))) {
    if (!features.enabled('CrossNamespaceVolumeDataSource')) delete spec.dataSourceRef;
  }
  // COMPAT: other kinds were always ignored in the old field.
  if (!old?.dataSource && !old?.dataSourceRef && !isClaimOrSnapshot(spec)) delete spec.dataSource;
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && !dataSourceRef) {
    spec.dataSourceRef = { ...dataSource };
  } else if (dataSourceRef && !dataSource && !dataSourceRef.namespace) {
    const { apiGroup, kind, name } = dataSourceRef;
    spec.dataSource = apiGroup === undefined ? { kind, name } : { apiGroup, kind, name };
  }
}

function isForeign({ dataSourceRef }: PersistentVolumeClaimSpec): boolean {
  return Boolean(dataSourceRef?.namespace);
}

function isClaimOrSnapshot({ dataSource }: PersistentVolumeClaimSpec): boolean {
  const { apiGroup, kind = '' } = dataSource ?? {};
  if (kind === 'PersistentVolumeClaim') return !apiGroup;
  return kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io';
}
