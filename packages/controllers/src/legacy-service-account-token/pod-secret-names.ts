// The names of all Secrets of its namespace that a pod uses: to pull images, in volumes of every
// kind, and in the environment of its containers.

import type { Pod, Volume } from '@keelson/apimachinery/types/core.v1';

export function podSecretNames({ spec }: Pod): ReadonlySet<string> {
  const { initContainers = [], ephemeralContainers = [] } = spec ?? {};
  const containers = spec?.containers ?? [];
  const names = [
    ...(spec?.imagePullSecrets ?? []).map(({ name }) => name),
    ...(spec?.volumes ?? []).flatMap(volumeSecrets),
    ...[...containers, ...initContainers, ...ephemeralContainers].flatMap(
      ({ env = [], envFrom = [] }) => [
        ...envFrom.map(({ secretRef }) => secretRef?.name),
        ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ],
    ),
  ];
  return new Set(names.filter((name) => name !== undefined));
}

function volumeSecrets(volume: Volume): (string | undefined)[] {
  const { azureFile, cephfs, csi, flexVolume, iscsi, projected, rbd, scaleIO, storageos } = volume;
  const references = [cephfs, flexVolume, iscsi, rbd, scaleIO, storageos].map(
    (source) => source?.secretRef?.name,
  );
  return [
    volume.secret?.secretName,
    azureFile?.secretName,
    csi?.nodePublishSecretRef?.name,
    ...(projected?.sources ?? []).map(({ secret }) => secret?.name),
    ...references,
  ];
}
