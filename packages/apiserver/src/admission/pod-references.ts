// The secrets that a pod makes its node fetch, wherever it names them: to pull images, in the
// environment of containers of every kind, in volumes and for the drivers of volumes.
// Law: VisitPodSecretNames of k8s.io/kubernetes/pkg/api/pod.

import type { PodSpec, Volume } from '@keelson/apimachinery/types/core.v1';
import { allContainers, type AnyContainer } from '../registry/core/pod-spec/visit-containers.ts';

/** Names in the order of the pod; one that is named twice comes twice. */
export function secretNames(spec: PodSpec): string[] {
  return [
    ...(spec.imagePullSecrets ?? []).map(({ name = '' }) => name),
    ...allContainers(spec).flatMap((container) => [
      ...envFromSecrets(container),
      ...envSecrets(container).map((use) => use.secret),
    ]),
    ...(spec.volumes ?? []).flatMap(volumeSecrets),
  ].filter((name) => name !== '');
}

/** Secrets that single variables of a container take their value from. */
export function envSecrets(container: AnyContainer): { variable: string; secret: string }[] {
  return (container.env ?? []).flatMap(({ name, valueFrom }) => {
    const reference = valueFrom?.secretKeyRef;
    return reference === undefined ? [] : [{ variable: name, secret: reference.name ?? '' }];
  });
}

/** Secrets that a container takes all variables of. */
export function envFromSecrets(container: AnyContainer): string[] {
  return (container.envFrom ?? []).flatMap(({ secretRef }) =>
    secretRef === undefined ? [] : [secretRef.name ?? ''],
  );
}

function volumeSecrets(volume: Volume): string[] {
  const projected = volume.projected?.sources ?? [];
  const names = [
    volume.azureFile?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.cinder?.secretRef?.name,
    volume.flexVolume?.secretRef?.name,
    ...projected.map((source) => source.secret?.name),
    volume.rbd?.secretRef?.name,
    volume.secret?.secretName,
    volume.scaleIO?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.storageos?.secretRef?.name,
    volume.csi?.nodePublishSecretRef?.name,
  ];
  return names.filter((name) => name !== undefined);
}
