// A certificate authority of the cluster: makes itself, and serving and client certificates under
// itself, with ECDSA keys on P-256. Certificates are written here rather than by a library because
// one library call would cost more start-up time than all certificates of a cluster together.
//
// SECURITY: private keys are made by node:crypto's own generator, never from the injected `Random`,
// which a test may seed. `Random` gives serial numbers only.

import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  sign as signBytes,
  type KeyObject,
} from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import type { Clock, Random } from '@keelson/apimachinery';
import { encode, encodeDer, readDer, tag } from './der.ts';
import { encodeName, type SubjectFields } from './distinguished-name.ts';
import { algorithmOid, extendedKeyUsageOid, extensionOid } from './object-identifiers.ts';
import { parseCertificate, type Certificate } from './parse-certificate.ts';
import { readPem, writePem } from './pem.ts';

export interface KeyPairPem {
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly privateKeyPem: string;
}

export interface ServingRequest {
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly validForMs?: number;
}
export interface ClientRequest {
  /** Common name: the user. */
  readonly name: string;
  /** Organizations: the groups. */
  readonly groups?: readonly string[];
  readonly userUid?: string;
  readonly validForMs?: number;
}

/** What a signer decides about a certificate; the key and the subject come from the requester. */
export interface SigningProfile {
  readonly subject: Uint8Array;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly extendedKeyUsages: readonly string[];
  /** Bits as in `keyUsageBits`. */
  readonly keyUsage: number;
  /** Content of a subjectAltName extension. */
  readonly subjectAltNames?: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CertificateAuthority {
  /** The authority's own certificate, for clients to trust. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  issueServing(request: ServingRequest): KeyPairPem;
  issueClient(request: ClientRequest): KeyPairPem;
  /**
   * Signs for a key that somebody else holds; answers the PEM certificate. Never outlives the
   * authority.
   */
  sign(profile: SigningProfile): string;
}

export interface AuthorityDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

/** Key usage bits, most significant first, as certificates number them. */
export const keyUsageBits = {
  digitalSignature: 0x8000,
  contentCommitment: 0x4000,
  keyEncipherment: 0x2000,
  dataEncipherment: 0x1000,
  keyAgreement: 0x0800,
  keyCertSign: 0x0400,
  crlSign: 0x0200,
  encipherOnly: 0x0100,
  decipherOnly: 0x0080,
} as const;

const dayMs = 24 * 60 * 60 * 1000;
const authorityValidMs = 3650 * dayMs;
const defaultValidMs = 365 * dayMs;
// Clocks of clients may be behind: certificates are valid a little before they are made.
const backdateMs = 5 * 60 * 1000;

/** A new authority with a new key; valid for ten years unless `validForMs` says otherwise. */
export function createCertificateAuthority(
  dependencies: AuthorityDependencies,
  options: { readonly commonName: string; readonly validForMs?: number },
): CertificateAuthority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = spkiOf(keys.publicKey);
  const now = dependencies.clock.now();
  const name = encodeName({ commonName: options.commonName });
  const keyId = keyIdOf(publicKey);
  const der = signCertificate(
    {
      serialNumber: newSerialNumber(dependencies.random),
      issuer: name,
      subject: name,
      publicKey,
      notBeforeMs: now - backdateMs,
      notAfterMs: now + (options.validForMs ?? authorityValidMs),
      extensions: [
        keyUsageExtension(
          keyUsageBits.digitalSignature | keyUsageBits.keyEncipherment | keyUsageBits.keyCertSign,
        ),
        extension(extensionOid.basicConstraints, true, encode.sequence(encode.boolean(true))),
        extension(extensionOid.subjectKeyId, false, encode.octetString(keyId)),
      ],
    },
    keys.privateKey,
  );
  return authorityOf(dependencies, parseCertificate(der), keys.privateKey);
}

/** An authority from its files. Throws when the key does not belong to the certificate. */
export function loadCertificateAuthority(
  dependencies: AuthorityDependencies,
  files: KeyPairPem,
): CertificateAuthority {
  const block = readPem(files.certificatePem).find((b) => b.label === 'CERTIFICATE');
  if (block === undefined)
    throw new Error('the file of the certificate authority holds no certificate');
  const certificate = parseCertificate(block.bytes);
  const key = createPrivateKey(files.privateKeyPem);
  if (!certificate.x509.checkPrivateKey(key))
    throw new Error('the private key does not belong to the certificate of the authority');
  if (certificate.basicConstraints?.ca !== true)
    throw new Error('the certificate is not one of an authority');
  return authorityOf(dependencies, certificate, key);
}

function authorityOf(
  { clock, random }: AuthorityDependencies,
  authority: Certificate,
  key: KeyObject,
): CertificateAuthority {
  const sign = (profile: SigningProfile): string => {
    const der = signCertificate(
      {
        serialNumber: newSerialNumber(random),
        issuer: authority.subject,
        subject: profile.subject,
        publicKey: profile.publicKey,
        notBeforeMs: Math.max(profile.notBeforeMs, authority.notBeforeMs),
        notAfterMs: Math.min(profile.notAfterMs, authority.notAfterMs),
        extensions: endEntityExtensions(profile, authority.subjectKeyId),
      },
      key,
    );
    return writePem('CERTIFICATE', der);
  };

  const issue = (
    subject: SubjectFields,
    usage: string,
    options: { validForMs: number | undefined; subjectAltNames?: Uint8Array },
  ): KeyPairPem => {
    const { validForMs = defaultValidMs, subjectAltNames } = options;
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const now = clock.now();
    const certificatePem = sign({
      subject: encodeName(subject),
      publicKey: spkiOf(keys.publicKey),
      extendedKeyUsages: [usage],
      keyUsage: keyUsageBits.digitalSignature | keyUsageBits.keyEncipherment,
      notBeforeMs: now - backdateMs,
      notAfterMs: now + validForMs,
      ...(subjectAltNames === undefined ? {} : { subjectAltNames }),
    });
    return { certificatePem, privateKeyPem: privatePem(keys.privateKey) };
  };

  return {
    certificatePem: writePem('CERTIFICATE', authority.der),
    privateKeyPem: privatePem(key),
    issueServing: ({ commonName, dnsNames, ipAddresses, validForMs }) =>
      issue({ commonName }, extendedKeyUsageOid.serverAuth, {
        validForMs,
        subjectAltNames: encodeAltNames(dnsNames, ipAddresses),
      }),
    issueClient: ({ name, groups = [], userUid, validForMs }) =>
      issue(
        { commonName: name, organizations: groups, ...(userUid === undefined ? {} : { userUid }) },
        extendedKeyUsageOid.clientAuth,
        { validForMs },
      ),
    sign,
  };
}

/** What the certificate may be used for; never to sign others. */
function endEntityExtensions(
  profile: SigningProfile,
  authorityKeyId: Uint8Array | undefined,
): Uint8Array[] {
  const extensions: Uint8Array[] = [];
  if (profile.keyUsage !== 0) extensions.push(keyUsageExtension(profile.keyUsage));
  if (profile.extendedKeyUsages.length > 0) {
    const usages = encode.sequence(...profile.extendedKeyUsages.map(encode.oid));
    extensions.push(extension(extensionOid.extendedKeyUsage, false, usages));
  }
  extensions.push(extension(extensionOid.basicConstraints, true, encode.sequence()));
  if (authorityKeyId !== undefined) {
    const keyId = encode.sequence(encodeDer(tag.context(0), authorityKeyId));
    extensions.push(extension(extensionOid.authorityKeyId, false, keyId));
  }
  if (profile.subjectAltNames !== undefined) {
    // RFC 5280, 4.2.1.6: without a subject the alternative names are the only name.
    const isOnlyName = readDer(profile.subject, tag.sequence).content.length === 0;
    extensions.push(extension(extensionOid.subjectAltName, isOnlyName, profile.subjectAltNames));
  }
  return extensions;
}

interface CertificateParts {
  readonly serialNumber: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly extensions: readonly Uint8Array[];
}

function signCertificate(parts: CertificateParts, key: KeyObject): Uint8Array {
  const { algorithm, hash } = signatureOf(key);
  const tbs = encode.sequence(
    encodeDer(tag.constructed(0), encodeDer(tag.integer, Uint8Array.of(2))),
    encode.unsigned(parts.serialNumber),
    algorithm,
    parts.issuer,
    encode.sequence(encode.time(parts.notBeforeMs), encode.time(parts.notAfterMs)),
    parts.subject,
    parts.publicKey,
    encodeDer(tag.constructed(3), encode.sequence(...parts.extensions)),
  );
  return encode.sequence(tbs, algorithm, encode.bitString(signBytes(hash, tbs, key)));
}

/** AlgorithmIdentifier and digest that fit the authority's key. */
export function signatureOf(key: KeyObject): { algorithm: Uint8Array; hash: string | null } {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return {
        algorithm: encode.sequence(encode.oid(algorithmOid.ecdsaWithSha256)),
        hash: 'sha256',
      };
    case 'rsa':
      return {
        algorithm: encode.sequence(encode.oid(algorithmOid.rsaWithSha256), encode.null()),
        hash: 'sha256',
      };
    case 'ed25519':
      return { algorithm: encode.sequence(encode.oid(algorithmOid.ed25519)), hash: null };
    default:
      throw new Error(`keys of type ${key.asymmetricKeyType} cannot sign certificates`);
  }
}

/** The content of a subjectAltName extension. */
export function encodeAltNames(
  dnsNames: readonly string[],
  ipAddresses: readonly string[],
  others: {
    readonly emailAddresses?: readonly string[];
    readonly uris?: readonly string[];
  } = {},
): Uint8Array {
  const { emailAddresses = [], uris = [] } = others;
  const texts = (kind: number, values: readonly string[]) =>
    values.map((text) => encodeDer(tag.context(kind), Buffer.from(text, 'latin1')));
  return encode.sequence(
    ...texts(2, dnsNames),
    ...texts(1, emailAddresses),
    ...ipAddresses.map((address) => encodeDer(tag.context(7), addressBytes(address))),
    ...texts(6, uris),
  );
}

function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number));
  if (!isIPv6(address)) throw new Error(`${address} is not an IP address`);
  // The URL parser writes an address with its shortest zeros; expand them.
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((g) => Number.parseInt(g, 16));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return Uint8Array.from([...left, ...zeros, ...right].flatMap((g) => [g >> 8, g & 0xff]));
}

export function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return encode.sequence(
    encode.oid(oid),
    ...(critical ? [encode.boolean(true)] : []),
    encode.octetString(value),
  );
}

function keyUsageExtension(bits: number): Uint8Array {
  const bytes = [bits >> 8, bits & 0xff];
  while (bytes.length > 1 && bytes.at(-1) === 0) bytes.pop();
  const last = bytes.at(-1) ?? 0;
  const unused = last === 0 ? 0 : Math.log2(last & -last);
  return extension(extensionOid.keyUsage, true, encode.bitString(Uint8Array.from(bytes), unused));
}

function newSerialNumber(random: Random): Uint8Array {
  const bytes = Uint8Array.from(random.bytes(16));
  // Positive and not zero.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

/** SHA-1 of the public key, the usual key identifier (RFC 5280, 4.2.1.2); not used for security. */
function keyIdOf(spki: Uint8Array): Uint8Array {
  return createHash('sha1').update(spki).digest();
}

function spkiOf(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' });
}

function privatePem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
