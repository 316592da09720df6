// What a CertificateSigningRequest carries as PEM: the request of its author, the certificates of
// its signer. Both functions tell what is wrong, `undefined` when nothing is.

import { parseCertificateRequest } from '../../authentication/certificates/certificate-request.ts';
import { parseCertificate } from '../../authentication/certificates/parse-certificate.ts';
import { readPem } from '../../authentication/certificates/pem.ts';

/** `request` is base64 of a PEM block with a request that its own key has signed. */
export function problemOfRequest(request: string): string | undefined {
  return problemOf(() => parseCertificateRequest(textOf(request)));
}

/** `certificate` is base64 of one or more certificates in PEM, and of nothing else in PEM. */
export function problemOfCertificates(certificate: string): string | undefined {
  const text = textOf(certificate);
  const blocks = readPem(text);
  for (const { label, bytes } of blocks) {
    if (label !== 'CERTIFICATE') {
      return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(label)}`;
    }
    if (bytes.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates';
    const problem = problemOf(() => parseCertificate(bytes));
    if (problem !== undefined) return problem;
  }
  if (blocks.length > 0) return undefined;
  return hasHeaders.test(text)
    ? 'no PEM block headers are permitted'
    : 'must contain at least one CERTIFICATE PEM block';
}

const hasHeaders = /-----BEGIN CERTIFICATE-----\r?\n[A-Za-z-]+: [^\n]*\n/;

function textOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString('latin1');
}

function problemOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
