// What the controllers of certificates need of somebody who can read requests and sign with the
// cluster's authority. Keys stay with whoever implements this.

import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';

/** What a certificate request asks to be certified. */
export interface RequestedNames {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

export interface CertificateTerms {
  readonly usages: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CertificateIssuer {
  /** Throws for what is not a request that its own key has signed. */
  readRequest(pem: string): RequestedNames;
  /** Whether there is an authority that signs for this signer. */
  signsFor(signerName: string): boolean;
  /** The certificate as PEM. Throws as `readRequest`, and when no authority can sign it. */
  sign(signerName: string, requestPem: string, terms: CertificateTerms): string;
  /** When the certificate ends, in milliseconds. Throws for what is none. */
  expiryOf(certificatePem: string): number;
}

/** The PEM text that `spec.request` carries. */
export function requestPem({ spec }: CertificateSigningRequest): string {
  return Buffer.from(spec.request ?? '', 'base64').toString('latin1');
}
