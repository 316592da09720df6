// The pod that empties a volume: it mounts the volume and removes everything in it, in a time that
// grows with the volume.

import { parseQuantity, quantityValue } from '@keelson/apimachinery';
import type { PersistentVolume, Pod, Volume } from '@keelson/apimachinery/types/core.v1';

export const recyclerNamespace = 'default';
const namePrefix = 'recycler-for-';
const image = 'registry.k8s.io/build-image/debian-base:bookworm-v1.0.6';
const script =
  'test -e /scrub && find /scrub -mindepth 1 -delete && test -z "$(ls -A /scrub)" || exit 1';
const secondsPerGibibyte = 30;
const gibibyte = 1024n ** 3n;

export function recyclerPodName(volumeName: string): string {
  return namePrefix + volumeName;
}

/** The volume that the pod of that name empties. */
export function recycledVolume({ metadata }: Pod): string | undefined {
  const { namespace, name = '' } = metadata;
  if (namespace !== recyclerNamespace || !name.startsWith(namePrefix)) return undefined;
  return name.slice(namePrefix.length);
}

/** Undefined for a volume of a kind that cannot be emptied. */
export function recyclerPod({ metadata, spec }: PersistentVolume): Pod | undefined {
  const source = sourceOf(spec);
  if (source === undefined) return undefined;
  const size = quantityValue(parseQuantity(spec?.capacity?.['storage'] ?? '0'));
  const seconds = Number(size / gibibyte) * secondsPerGibibyte;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: recyclerPodName(metadata.name ?? ''), namespace: recyclerNamespace },
    spec: {
      activeDeadlineSeconds: Math.max(seconds, source.secondsMin),
      restartPolicy: 'Never',
      volumes: [{ name: 'vol', ...source.volume }],
      containers: [
        {
          name: 'pv-recycler',
          image,
          command: ['/bin/sh'],
          args: ['-c', script],
          volumeMounts: [{ name: 'vol', mountPath: '/scrub' }],
        },
      ],
    },
  };
}

interface Source {
  readonly volume: Omit<Volume, 'name'>;
  readonly secondsMin: number;
}

function sourceOf(spec: PersistentVolume['spec']): Source | undefined {
  const { hostPath, nfs } = spec ?? {};
  if (hostPath !== undefined)
    return { volume: { hostPath: { path: hostPath.path } }, secondsMin: 60 };
  if (nfs !== undefined)
    return { volume: { nfs: { server: nfs.server, path: nfs.path } }, secondsMin: 300 };
  return undefined;
}
