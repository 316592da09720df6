// The cluster's authority as those controllers see it that sign certificates: it reads requests,
// signs them on terms that were decided elsewhere, and tells when a certificate ends.

import { hash } from 'node:crypto';
import type { Clock } from '@keelson/apimachinery';
import type { CertificateAuthority } from './certificate-authority.ts';
import { parseCertificateRequest, type CertificateRequest } from './certificate-request.ts';
import { certificateExpiry, signCertificateRequest, type SigningTerms } from './sign-request.ts';

export interface ClusterCertificateIssuer {
  /** Throws DerError for what is not a request that its own key has signed. */
  readRequest(pem: string): CertificateRequest;
  sign(requestPem: string, terms: SigningTerms): string;
  expiryOf(certificatePem: string): number;
}

/** `authority` is asked for when the first certificate is signed. */
export function createCertificateIssuer(
  authority: () => CertificateAuthority,
  clock: Clock,
): ClusterCertificateIssuer {
  return {
    readRequest: parseCertificateRequest,
    sign: (requestPem, terms) =>
      signCertificateRequest({ authority: authority(), clock }, requestPem, terms),
    expiryOf: certificateExpiry,
  };
}

/** SHA-256 of a PEM bundle in hexadecimal, which names a trust bundle. */
export function bundleDigest(pem: string): string {
  return hash('sha256', pem);
}
