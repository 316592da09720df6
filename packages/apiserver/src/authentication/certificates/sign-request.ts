// Makes the certificate that a request asks for (k8s.io/kubernetes/pkg/controller/certificates).
// Who may have which certificate is decided before; here a signer's policy meets the request:
// usages and times come from the policy, name, alternative names and key from the request.
//
// SECURITY: the subject and the alternative names are written anew from the parts that signers
// judge. What they do not look at (further attributes such as the user's uid, names of other kinds,
// other extensions) is not signed.

import type { Clock } from '@keelson/apimachinery';
import {
  encodeAltNames,
  keyUsageBits,
  type CertificateAuthority,
} from './certificate-authority.ts';
import { parseCertificateRequest } from './certificate-request.ts';
import { encodeStandardName } from './distinguished-name.ts';
import { extendedKeyUsageOid } from './object-identifiers.ts';
import { parseCertificates } from './parse-certificate.ts';

export interface SigningTerms {
  /** As in `spec.usages`. */
  readonly usages: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The words of the field are the keys; several of them mean the same. */
const keyUsages: Readonly<Record<string, number>> = {
  signing: keyUsageBits.digitalSignature,
  'digital signature': keyUsageBits.digitalSignature,
  'content commitment': keyUsageBits.contentCommitment,
  'key encipherment': keyUsageBits.keyEncipherment,
  'data encipherment': keyUsageBits.dataEncipherment,
  'key agreement': keyUsageBits.keyAgreement,
  'cert sign': keyUsageBits.keyCertSign,
  'crl sign': keyUsageBits.crlSign,
  'encipher only': keyUsageBits.encipherOnly,
  'decipher only': keyUsageBits.decipherOnly,
};
const extendedKeyUsages: Readonly<Record<string, string>> = {
  any: extendedKeyUsageOid.any,
  'server auth': extendedKeyUsageOid.serverAuth,
  'client auth': extendedKeyUsageOid.clientAuth,
  'code signing': extendedKeyUsageOid.codeSigning,
  'email protection': extendedKeyUsageOid.emailProtection,
  's/mime': extendedKeyUsageOid.emailProtection,
  'ipsec end system': extendedKeyUsageOid.ipsecEndSystem,
  'ipsec tunnel': extendedKeyUsageOid.ipsecTunnel,
  'ipsec user': extendedKeyUsageOid.ipsecUser,
  timestamping: extendedKeyUsageOid.timeStamping,
  'ocsp signing': extendedKeyUsageOid.ocspSigning,
  'microsoft sgc': extendedKeyUsageOid.microsoftSgc,
  'netscape sgc': extendedKeyUsageOid.netscapeSgc,
};

/**
 * The certificate as PEM; it never outlives the authority. Throws for unreadable requests, unknown
 * usages and an authority whose own time has passed.
 */
export function signCertificateRequest(
  { authority, clock }: { readonly authority: CertificateAuthority; readonly clock: Clock },
  requestPem: string,
  { usages, notBeforeMs, notAfterMs }: SigningTerms,
): string {
  const [own] = parseCertificates(authority.certificatePem);
  if (own === undefined || own.notAfterMs <= clock.now())
    throw new Error('the certificate of the authority has expired');
  const unknown = usages.filter((u) => !Object.hasOwn(keyUsages, u) && !isExtended(u));
  if (unknown.length > 0)
    throw new Error(`unrecognized usage values: [${unknown.toSorted().join(' ')}]`);
  const request = parseCertificateRequest(requestPem);
  const { dnsNames, ipAddresses, emailAddresses, uris } = request;
  const hasNames = [dnsNames, ipAddresses, emailAddresses, uris].some(({ length }) => length > 0);
  return authority.sign({
    subject: encodeStandardName(request.subjectAttributes),
    publicKey: request.publicKey,
    keyUsage: usages.reduce((bits, usage) => bits | (keyUsages[usage] ?? 0), 0),
    extendedKeyUsages: [
      ...new Set(usages.toSorted().flatMap((usage) => extendedKeyUsages[usage] ?? [])),
    ],
    ...(hasNames
      ? { subjectAltNames: encodeAltNames(dnsNames, ipAddresses, { emailAddresses, uris }) }
      : {}),
    notBeforeMs,
    notAfterMs,
  });
}

const isExtended = (usage: string) => Object.hasOwn(extendedKeyUsages, usage);

/** When the first certificate of a PEM bundle ends, in milliseconds. Throws when there is none. */
export function certificateExpiry(pem: string): number {
  const [first] = parseCertificates(pem);
  if (first === undefined) throw new Error('there is no certificate');
  return first.notAfterMs;
}
