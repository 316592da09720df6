// TLS client certificates that lead to the client CA. The common name is the user, every
// organization a group; an attribute of its own may hold the uid. An expired or foreign certificate
// is refused and never becomes anonymous; one without a common name is no credential.
//
// SECURITY: there is no revocation. `O=system:masters` bypasses authorization, so the CA's key is
// the cluster's most valuable secret.

import { createHash } from 'node:crypto';
import type { Clock, DecisionTrace } from '@keelson/apimachinery';
import type { Features } from '../features/features.ts';
import type { ApiRequest } from '../http.ts';
import type { AuthenticationResult, Authenticator, UserInfo } from './authenticator.ts';
import { credentialIdKey } from './credential-id.ts';
import { subjectOf } from './certificates/distinguished-name.ts';
import { attributeOid, extendedKeyUsageOid } from './certificates/object-identifiers.ts';
import {
  certificateFingerprint,
  parseCertificate,
  parseCertificates,
  type Certificate,
} from './certificates/parse-certificate.ts';
import { verifyChain } from './certificates/verify-chain.ts';
import { recordAuthentication, rejected } from './union.ts';

export interface ClientCertificateOptions {
  /** PEM; a chain must end in one of these. */
  readonly clientCa: CaBundle | string;
  /** Told of every presented certificate, good or bad: seconds until it expires. */
  readonly observeExpiration?: (seconds: number) => void;
  readonly clock: Clock;
  readonly features: Features;
}

/** What is looked at of a request. */
type Connection = Pick<ApiRequest, 'peerCertificates'>;

export interface ClientCertificateAuthenticator extends Authenticator {
  authenticate(request: Connection, trace: DecisionTrace): AuthenticationResult;
}

/** Authenticates the client certificate of the connection. Throws when the CA is unreadable. */
export function createClientCertificateAuthenticator(
  options: ClientCertificateOptions,
): ClientCertificateAuthenticator {
  const name = 'x509';
  const { features, clock, observeExpiration } = options;
  const verifier = createCertificateVerifier(options.clientCa, clock);
  return {
    name,
    authenticate(request, trace) {
      const verified = verifier.verify(request);
      if (verified?.presented !== undefined)
        observeExpiration?.((verified.presented.notAfterMs - clock.now()) / 1000);
      const result = verified === undefined ? noCredential : toResult(verified, features);
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
  };
}

const noCredential: AuthenticationResult = {
  outcome: 'no-credential',
  reason: 'the client presented no certificate',
};

function toResult(verified: VerifiedCertificate, features: Features): AuthenticationResult {
  return verified.leaf === undefined
    ? { ...rejected(verified.problem), check: 'chain' }
    : userOf(verified.leaf, features);
}

function userOf(leaf: Certificate, features: Features): AuthenticationResult {
  const { commonName, organizations } = subjectOf(leaf.subjectAttributes);
  if (commonName === '')
    return { outcome: 'no-credential', reason: 'the certificate has no common name' };
  const uid = features.enabled('AllowParsingUserUIDFromCertAuth') ? uidOf(leaf) : { uid: '' };
  if (uid.problem !== undefined) return { ...rejected(uid.problem), check: 'uid' };
  const fingerprint = `X509SHA256=${certificateFingerprint(leaf.der)}`;
  const user: UserInfo = {
    name: commonName,
    uid: uid.uid,
    groups: organizations,
    // Since 1.32, so that the audit log tells which certificate was used.
    extra: features.emulated.minor >= 32 ? { [credentialIdKey]: [fingerprint] } : {},
  };
  return { outcome: 'authenticated', user };
}

function uidOf(leaf: Certificate): { uid: string; problem?: string } {
  const values = leaf.subjectAttributes.filter((a) => a.oid === attributeOid.userUid);
  const [first] = values;
  if (first === undefined) return { uid: '' };
  if (values.length > 1) {
    const texts = values.map((v) => v.text ?? '').join(' ');
    return { uid: '', problem: `expected 1 UID, but found multiple: [${texts}]` };
  }
  if (first.text === undefined) return { uid: '', problem: 'unable to parse UID into a string' };
  if (first.text === '') return { uid: '', problem: 'UID cannot be an empty string' };
  return { uid: first.text };
}

export type VerifiedCertificate =
  | { readonly leaf: Certificate; readonly presented: Certificate }
  | {
      readonly leaf: undefined;
      readonly problem: string;
      /** The leaf as it was sent; absent when it cannot be read. */
      readonly presented?: Certificate;
    };

/** Authorities that may change while the server runs. */
export interface CaBundle {
  /** PEM; another text once it has changed. */
  current(): string;
}

/**
 * Checks the certificate of a connection against one CA bundle, for use as a client certificate.
 */
export interface CertificateVerifier {
  /** Undefined when the client presented none. Never throws. */
  verify(request: Connection): VerifiedCertificate | undefined;
}

// A chain costs some public-key operations; a client uses the same one for all its requests.
// Entries are small and a cluster has few clients per server.
const cachedChainsMax = 1024;

/** Throws when the bundle holds no readable certificate. */
export function createCertificateVerifier(
  bundle: CaBundle | string,
  clock: Clock,
): CertificateVerifier {
  const source = typeof bundle === 'string' ? { current: () => bundle } : bundle;
  let pem = source.current();
  let roots = readRoots(pem);
  const trusted = new Map<string, { leaf: Certificate; fromMs: number; untilMs: number }>();
  const followBundle = (): void => {
    const now = source.current();
    if (now === pem) return;
    pem = now;
    const next = parseBundle(now);
    // What cannot be read leaves the last good authorities in force.
    if (next.length === 0) return;
    roots = next;
    trusted.clear();
  };
  return {
    verify(request) {
      const presented = request.peerCertificates();
      if (presented.length === 0) return undefined;
      followBundle();
      const nowMs = clock.now();
      const key = digestOf(presented);
      const known = trusted.get(key);
      if (known !== undefined && nowMs >= known.fromMs && nowMs <= known.untilMs)
        return { leaf: known.leaf, presented: known.leaf };
      trusted.delete(key);
      const parsed = parseChain(presented);
      if (parsed === undefined)
        return { leaf: undefined, problem: 'x509: malformed client certificate' };
      const { leaf, intermediates } = parsed;
      const usage = extendedKeyUsageOid.clientAuth;
      const result = verifyChain(leaf, { roots, intermediates, nowMs, usage });
      if (!result.trusted)
        return { leaf: undefined, problem: describe(leaf, result.reason), presented: leaf };
      if (trusted.size >= cachedChainsMax) trusted.delete(trusted.keys().next().value ?? '');
      trusted.set(key, {
        leaf,
        fromMs: Math.max(...result.chain.map((c) => c.notBeforeMs)),
        untilMs: Math.min(...result.chain.map((c) => c.notAfterMs)),
      });
      return { leaf, presented: leaf };
    },
  };
}

function readRoots(pem: string): Certificate[] {
  const roots = parseCertificates(pem);
  if (roots.length === 0) throw new Error('the client CA bundle holds no certificate');
  return roots;
}

function parseBundle(pem: string): Certificate[] {
  try {
    return parseCertificates(pem);
  } catch {
    return [];
  }
}

function digestOf(certificates: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const der of certificates) hash.update(`${der.length}:`).update(der);
  return hash.digest('base64');
}

function parseChain(
  presented: readonly Uint8Array[],
): { leaf: Certificate; intermediates: Certificate[] } | undefined {
  try {
    const [leaf, ...intermediates] = presented.slice(0, 10).map(parseCertificate);
    return leaf === undefined ? undefined : { leaf, intermediates };
  } catch {
    return undefined;
  }
}

function describe(leaf: Certificate, reason: string): string {
  const parts = [`SN=${leaf.serialNumber}`];
  if (leaf.subjectKeyId !== undefined) parts.push(`SKID=${colonHex(leaf.subjectKeyId)}`);
  if (leaf.authorityKeyId !== undefined) parts.push(`AKID=${colonHex(leaf.authorityKeyId)}`);
  return `verifying certificate ${parts.join(', ')} failed: ${reason}`;
}

function colonHex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).toUpperCase().padStart(2, '0')).join(':');
}
