// The kubeconfig that `keelson up` writes: one cluster, one user with a client certificate, one
// context.

import { dump } from 'js-yaml';
import type { KeyPairPem } from '@keelson/apiserver';

export interface KubeconfigParts {
  readonly server: string;
  readonly certificateAuthorityPem: string;
  readonly user: string;
  readonly client: KeyPairPem;
}

/** YAML text with all credentials inline, so that the file can be moved. */
export function formatKubeconfig(parts: KubeconfigParts): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'keelson',
        cluster: {
          server: parts.server,
          'certificate-authority-data': base64(parts.certificateAuthorityPem),
        },
      },
    ],
    users: [
      {
        name: parts.user,
        user: {
          'client-certificate-data': base64(parts.client.certificatePem),
          'client-key-data': base64(parts.client.privateKeyPem),
        },
      },
    ],
    contexts: [{ name: 'keelson', context: { cluster: 'keelson', user: parts.user } }],
    'current-context': 'keelson',
  });
}
