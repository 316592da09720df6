// How a service account's token gets into a pod: one projected volume `kube-api-access-<random>`
// with the token, the certificate authority of the cluster and the namespace, and where one is
// published, the authority of services; mounted read-only at the same place in every container and
// init container that has nothing mounted there. A pod that
// has such a volume already keeps it; one whose containers need no mount gets none. Ephemeral
// containers are not touched: they come later.

import { randomNameSuffix, type Random } from '@keelson/apimachinery';
import type { PodSpec, Volume, VolumeMount } from '@keelson/apimachinery/types/core.v1';

const volumePrefix = 'kube-api-access-';
const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
// COMPAT: an hour and seven seconds says that the issuer may extend the token, because old clients
// do not read it again (KEP-1205).
const tokenSeconds = 3607;

/** The ConfigMap with the authority of services' certificates; not every cluster has it. */
export const serviceCaName = 'openshift-service-ca.crt';

export interface TokenVolumeOptions {
  readonly random: Random;
  /** Whether the namespace has the ConfigMap `serviceCaName`. */
  readonly hasServiceCa: boolean;
}

/** Changes the pod. */
export function mountServiceAccountToken(spec: PodSpec, options: TokenVolumeOptions): void {
  const present = (spec.volumes ?? []).find((volume) =>
    (volume.name ?? '').startsWith(volumePrefix),
  );
  const name = present?.name ?? volumePrefix + randomNameSuffix(options.random);
  let isNeeded = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const mounts = container.volumeMounts ?? [];
    if (mounts.some((mount) => mount.mountPath === mountPath)) continue;
    const mount: VolumeMount = { name, readOnly: true, mountPath };
    container.volumeMounts = [...mounts, mount];
    isNeeded = true;
  }
  if (isNeeded && present === undefined)
    spec.volumes = [...(spec.volumes ?? []), tokenVolume(name, options)];
}

function tokenVolume(name: string, { hasServiceCa }: TokenVolumeOptions): Volume {
  const key = 'service-ca.crt';
  const serviceCa = { name: serviceCaName, items: [{ key, path: key }] };
  const namespace = { apiVersion: 'v1', fieldPath: 'metadata.namespace' };
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: namespace }] } },
        ...(hasServiceCa ? [{ configMap: serviceCa }] : []),
      ],
      defaultMode: 0o644,
    },
  };
}
