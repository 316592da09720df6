// The kubeconfig of one user: one cluster, one user with a client certificate or a token, one
// context. What `keelson up` writes and what clusters in a program give.

import { dump } from 'js-yaml';
import type { KeyPairPem } from '@keelson/apiserver';

export type UserCredentials = { readonly client: KeyPairPem } | { readonly token: string };

export type KubeconfigParts = UserCredentials & {
  readonly server: string;
  readonly certificateAuthorityPem: string;
  readonly user: string;
  /** Of requests that name none. */
  readonly namespace?: string;
};

/** YAML text with all credentials inline, so that the file can be moved. */
export function formatKubeconfig(parts: KubeconfigParts): string {
  const { user, namespace } = parts;
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
    users: [{ name: user, user: credentialsOf(parts) }],
    contexts: [
      { name: 'keelson', context: { cluster: 'keelson', user, ...(namespace && { namespace }) } },
    ],
    'current-context': 'keelson',
  });
}

function credentialsOf(credentials: UserCredentials) {
  if ('token' in credentials) return { token: credentials.token };
  const { certificatePem, privateKeyPem } = credentials.client;
  return {
    'client-certificate-data': base64(certificatePem),
    'client-key-data': base64(privateKeyPem),
  };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
