// PEM blocks: what certificate files, kubeconfigs and CertificateSigningRequests carry.

export interface PemBlock {
  /** `CERTIFICATE`, `CERTIFICATE REQUEST`, `EC PRIVATE KEY`. */
  readonly label: string;
  readonly bytes: Uint8Array;
}

/** All blocks of a text, in order; text around them is ignored. */
export function readPem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  const pattern = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]*?)-----END \1-----/g;
  for (const [, label = '', body = ''] of text.matchAll(pattern))
    blocks.push({ label, bytes: Buffer.from(body, 'base64') });
  return blocks;
}

export function writePem(label: string, bytes: Uint8Array): string {
  const body = Buffer.from(bytes)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
}
