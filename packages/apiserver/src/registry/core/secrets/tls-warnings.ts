// Warns when the certificate and key of a `kubernetes.io/tls` Secret are no PEM, as Go's
// tls.X509KeyPair reports it. Whether the key belongs to the certificate is not looked at here.

import type { Secret } from '@keelson/apimachinery/types/core.v1';

export function tlsWarnings(secret: Secret): string[] {
  if (secret.type !== 'kubernetes.io/tls') return [];
  const warning =
    certificateProblem(textOf(secret, 'tls.crt')) ?? keyProblem(textOf(secret, 'tls.key'));
  return warning === undefined ? [] : [`tls: ${warning}`];
}

function textOf(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('latin1');
}

function certificateProblem(text: string): string | undefined {
  const types = pemBlockTypes(text);
  if (types.includes('CERTIFICATE')) return undefined;
  if (types.length === 0) return 'failed to find any PEM data in certificate input';
  if (types.length === 1 && isPrivateKey(types[0] ?? '')) {
    return 'failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
  }
  return `failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${types.join(' ')}]`;
}

function keyProblem(text: string): string | undefined {
  const types = pemBlockTypes(text);
  if (types.some(isPrivateKey)) return undefined;
  if (types.length === 0) return 'failed to find any PEM data in key input';
  if (types.length === 1 && types[0] === 'CERTIFICATE') {
    return 'found a certificate rather than a key in the PEM for the private key';
  }
  return `failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${types.join(' ')}]`;
}

function isPrivateKey(type: string): boolean {
  return type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY');
}

function pemBlockTypes(text: string): string[] {
  const block = /^-----BEGIN ([^\r\n]+?)-----[ \t]*\r?\n[^-]*\r?\n-----END \1-----/gm;
  return [...text.matchAll(block)].map((match) => match[1] ?? '');
}
