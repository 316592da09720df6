// Is this certificate issued, for this use and at this time, by an authority that we trust? The
// rules are those of Go's crypto/x509, which Kubernetes relies on:
//
//   every certificate of the chain is valid now, has a strong signature and no unknown critical extension;
//   every issuer is an authority (basic constraints, key usage, path length);
//   extended key usages of the leaf and of every issuer, where given, include the use or "any".
//
// SECURITY: name constraints are not evaluated. An issuer that has them is refused for certificates
// with alternative names, instead of being trusted with any name.

import type { KeyObject } from 'node:crypto';
import type { Certificate } from './parse-certificate.ts';
import { algorithmOid, extendedKeyUsageOid } from './object-identifiers.ts';

export interface ChainOptions {
  readonly roots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly nowMs: number;
  /** Object identifier of the extended key usage, `clientAuth`. */
  readonly usage: string;
}

export type ChainResult =
  | {
      readonly trusted: true;
      /** Leaf first. */
      readonly chain: readonly Certificate[];
    }
  | {
      readonly trusted: false;
      /** Go's wording. */
      readonly reason: string;
    };

// Bounds of the search, so that a client cannot make it expensive: real chains have two to four
// certificates, Go stops at a hundred signature checks.
const chainLengthMax = 8;
const signatureChecksMax = 100;
const rsaBitsMin = 2048;
const keyUsageCertSign = 0x0400;

const strongAlgorithms: ReadonlySet<string> = new Set([
  algorithmOid.ecdsaWithSha256,
  algorithmOid.ecdsaWithSha384,
  algorithmOid.ecdsaWithSha512,
  algorithmOid.rsaWithSha256,
  algorithmOid.rsaWithSha384,
  algorithmOid.rsaWithSha512,
  algorithmOid.rsaPss,
  algorithmOid.ed25519,
]);

/** Finds a chain from `leaf` to one of the roots. Never throws. */
export function verifyChain(leaf: Certificate, options: ChainOptions): ChainResult {
  const { roots, intermediates, nowMs } = options;
  let reason = 'x509: certificate signed by unknown authority';
  let checksLeft = signatureChecksMax;

  const refuse = (text: string): undefined => {
    reason = text;
  };
  const extend = (chain: readonly Certificate[]): readonly Certificate[] | undefined => {
    const child = chain.at(-1) as Certificate;
    const candidates = [
      ...roots.map((certificate) => ({ certificate, isRoot: true })),
      ...intermediates.map((certificate) => ({ certificate, isRoot: false })),
    ].filter(({ certificate }) => equalBytes(certificate.subject, child.issuer));
    for (const { certificate: issuer, isRoot } of candidates) {
      if (chain.includes(issuer)) continue;
      if (checksLeft-- <= 0) return refuse('x509: signature check attempts limit reached');
      const problem = issuerProblem(issuer, chain, nowMs) ?? signatureProblem(child, issuer);
      if (problem !== undefined) {
        refuse(problem);
        continue;
      }
      const longer = [...chain, issuer];
      if (!isRoot && longer.length >= chainLengthMax) continue;
      const found = isRoot ? longer : extend(longer);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  const leafProblem = certificateProblem(leaf, nowMs);
  if (leafProblem !== undefined) return { trusted: false, reason: leafProblem };
  const chain = roots.some((root) => equalBytes(root.der, leaf.der)) ? [leaf] : extend([leaf]);
  if (chain === undefined) return { trusted: false, reason };
  if (!chain.every((certificate) => allowsUsage(certificate, options.usage)))
    return { trusted: false, reason: 'x509: certificate specifies an incompatible key usage' };
  return { trusted: true, chain };
}

function certificateProblem(certificate: Certificate, nowMs: number): string | undefined {
  if (certificate.unknownCriticalExtensions.length > 0) return 'x509: unhandled critical extension';
  const expired = 'x509: certificate has expired or is not yet valid';
  if (nowMs < certificate.notBeforeMs)
    return `${expired}: current time ${time(nowMs)} is before ${time(certificate.notBeforeMs)}`;
  if (nowMs > certificate.notAfterMs)
    return `${expired}: current time ${time(nowMs)} is after ${time(certificate.notAfterMs)}`;
  return undefined;
}

function issuerProblem(
  issuer: Certificate,
  chain: readonly Certificate[],
  nowMs: number,
): string | undefined {
  const general = certificateProblem(issuer, nowMs);
  if (general !== undefined) return general;
  const { basicConstraints, keyUsage } = issuer;
  const notAuthority =
    'x509: invalid signature: parent certificate cannot sign this kind of certificate';
  if (issuer.version >= 3 ? basicConstraints?.ca !== true : basicConstraints?.ca === false)
    return notAuthority;
  if (keyUsage !== undefined && (keyUsage & keyUsageCertSign) === 0) return notAuthority;
  // The leaf does not count; certificates between it and this issuer do.
  const below = chain.length - 1;
  if (basicConstraints?.pathLengthMax !== undefined && below > basicConstraints.pathLengthMax)
    return 'x509: too many intermediates for path length constraint';
  const isConstrained = issuer.constrainsSubject || chain.some((c) => c.hasSubjectAltNames);
  if (issuer.hasNameConstraints && isConstrained)
    return 'x509: issuer has name constraints, which are not evaluated here';
  return undefined;
}

function signatureProblem(child: Certificate, issuer: Certificate): string | undefined {
  if (!strongAlgorithms.has(child.signatureAlgorithm))
    return 'x509: cannot verify signature: insecure or unknown algorithm';
  try {
    const key = issuer.x509.publicKey;
    if (isWeak(key)) return 'x509: cannot verify signature: insecure key of the issuer';
    if (child.x509.verify(key)) return undefined;
  } catch {
    // Falls through: a key that cannot check the signature did not make it.
  }
  return 'x509: certificate signed by unknown authority';
}

function isWeak(key: KeyObject): boolean {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  return bits !== undefined && bits < rsaBitsMin;
}

function allowsUsage(certificate: Certificate, usage: string): boolean {
  const usages = certificate.extendedKeyUsages;
  return usages === undefined || usages.includes(usage) || usages.includes(extendedKeyUsageOid.any);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
