// The cluster's authorities as those controllers see it that sign certificates: it reads requests,
// signs them on terms that were decided elsewhere, and tells when a certificate ends.

import { hash } from 'node:crypto';
import type { Clock } from '@keelson/apimachinery';
import type { CertificateAuthority } from './certificate-authority.ts';
import { parseCertificateRequest, type CertificateRequest } from './certificate-request.ts';
import { certificateExpiry, signCertificateRequest, type SigningTerms } from './sign-request.ts';

export interface ClusterCertificateIssuer {
  /** Throws DerError for what is not a request that its own key has signed. */
  readRequest(pem: string): CertificateRequest;
  /** Whether there is an authority that signs for this signer. */
  signsFor(signerName: string): boolean;
  /** Throws for a signer without an authority. */
  sign(signerName: string, requestPem: string, terms: SigningTerms): string;
  expiryOf(certificatePem: string): number;
}

/** `authorityOf` a signer, by its name, is asked for when there is something to sign. */
export function createCertificateIssuer(
  authorityOf: (signerName: string) => CertificateAuthority | undefined,
  clock: Clock,
): ClusterCertificateIssuer {
  return {
    readRequest: parseCertificateRequest,
    signsFor: (signerName) => authorityOf(signerName) !== undefined,
    sign(signerName, requestPem, terms) {
      const authority = authorityOf(signerName);
      if (authority === undefined) throw new Error(`no authority signs for ${signerName}`);
      return signCertificateRequest({ authority, clock }, requestPem, terms);
    },
    expiryOf: certificateExpiry,
  };
}

/** SHA-256 of a PEM bundle in hexadecimal, which names a trust bundle. */
export function bundleDigest(pem: string): string {
  return hash('sha256', pem);
}
