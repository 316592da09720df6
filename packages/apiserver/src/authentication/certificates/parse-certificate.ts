// Reads the parts of an X.509 certificate on which Keelson decides (RFC 5280). node:crypto checks
// the signatures; it does not show repeated attributes, constraints or critical extensions, so
// these are read here.

import { createHash, X509Certificate } from 'node:crypto';
import {
  DerError,
  expectTag,
  readBitString,
  readBoolean,
  readChildren,
  readDer,
  readInteger,
  readOid,
  readTime,
  tag,
  type DerValue,
} from './der.ts';
import { readName, type NameAttribute } from './distinguished-name.ts';
import { extensionOid } from './object-identifiers.ts';
import { readPem } from './pem.ts';

export interface Certificate {
  readonly der: Uint8Array;
  /** For signature checks and the public key. */
  readonly x509: X509Certificate;
  readonly serialNumber: bigint;
  readonly version: number;
  /** Encoded names, to be compared bytewise. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly subjectAttributes: readonly NameAttribute[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly signatureAlgorithm: string;
  /** Absent when the certificate has no basic constraints. */
  readonly basicConstraints:
    | { readonly ca: boolean; readonly pathLengthMax: number | undefined }
    | undefined;
  /**
   * The first two bytes of the key usage, most significant bit first; absent when not restricted.
   */
  readonly keyUsage: number | undefined;
  /** Object identifiers; absent when not restricted. */
  readonly extendedKeyUsages: readonly string[] | undefined;
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: Uint8Array | undefined;
  readonly hasNameConstraints: boolean;
  /** Whether they are about names that are not alternative names, such as the subject. */
  readonly constrainsSubject: boolean;
  readonly hasSubjectAltNames: boolean;
  /** Critical extensions that nobody here understands. */
  readonly unknownCriticalExtensions: readonly string[];
}

/** Throws DerError when the bytes are not a certificate. */
export function parseCertificate(der: Uint8Array): Certificate {
  const [tbs, algorithm] = readChildren(readDer(der, tag.sequence).content, 3);
  const fields = readChildren(expectTag(tbs, tag.sequence).content);
  const explicitVersion = fields[0]?.tag === tag.constructed(0) ? fields.shift() : undefined;
  const [serial, innerAlgorithm, issuer, validity, subject] = fields;
  const [notBefore, notAfter] = readChildren(expectTag(validity, tag.sequence).content, 2);
  const signatureAlgorithm = readAlgorithm(algorithm);
  if (readAlgorithm(innerAlgorithm) !== signatureAlgorithm)
    throw new DerError('the signature algorithms of the certificate differ');
  const subjectValue = expectTag(subject, tag.sequence);
  return {
    der,
    x509: openCertificate(der),
    serialNumber: readInteger(expectTag(serial, tag.integer).content),
    version: explicitVersion === undefined ? 1 : readVersion(explicitVersion),
    issuer: expectTag(issuer, tag.sequence).bytes,
    subject: subjectValue.bytes,
    subjectAttributes: readName(subjectValue.content),
    notBeforeMs: readTime(expectTag(notBefore)),
    notAfterMs: readTime(expectTag(notAfter)),
    signatureAlgorithm,
    ...readExtensions(fields.find((f) => f.tag === tag.constructed(3))),
  };
}

/** All certificates of a PEM text. Throws DerError when one is unreadable. */
export function parseCertificates(pem: string): Certificate[] {
  return readPem(pem)
    .filter((block) => block.label === 'CERTIFICATE')
    .map((block) => parseCertificate(block.bytes));
}

/** `sha256` of the certificate's bytes in hexadecimal. */
export function certificateFingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

/** The object identifier of an AlgorithmIdentifier. */
export function readAlgorithm(value: DerValue | undefined): string {
  const [oid] = readChildren(expectTag(value, tag.sequence).content, 2);
  return readOid(expectTag(oid, tag.oid).content);
}

export interface RawExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** The members of an `Extensions` sequence. */
export function readExtensionList(sequence: DerValue): RawExtension[] {
  return readChildren(expectTag(sequence, tag.sequence).content).map((extension) => {
    const parts = readChildren(expectTag(extension, tag.sequence).content, 3);
    const critical = parts[1]?.tag === tag.boolean && readBoolean(parts[1].content);
    return {
      oid: readOid(expectTag(parts[0], tag.oid).content),
      critical,
      value: expectTag(parts.at(-1), tag.octetString).content,
    };
  });
}

type ExtensionFields = Pick<
  Certificate,
  | 'basicConstraints'
  | 'keyUsage'
  | 'extendedKeyUsages'
  | 'subjectKeyId'
  | 'authorityKeyId'
  | 'hasNameConstraints'
  | 'constrainsSubject'
  | 'hasSubjectAltNames'
  | 'unknownCriticalExtensions'
>;

const understood: ReadonlySet<string> = new Set(Object.values(extensionOid));

function readExtensions(wrapper: DerValue | undefined): ExtensionFields {
  const list =
    wrapper === undefined ? [] : readExtensionList(expectTag(readChildren(wrapper.content, 1)[0]));
  const byOid = new Map<string, Uint8Array>();
  for (const { oid, value } of list) {
    if (byOid.has(oid)) throw new DerError(`extension ${oid} stands twice`);
    byOid.set(oid, value);
  }
  const read = <T>(oid: string, decode: (value: Uint8Array) => T): T | undefined => {
    const value = byOid.get(oid);
    return value === undefined ? undefined : decode(value);
  };
  return {
    basicConstraints: read(extensionOid.basicConstraints, readBasicConstraints),
    keyUsage: read(extensionOid.keyUsage, readKeyUsage),
    extendedKeyUsages: read(extensionOid.extendedKeyUsage, (value) =>
      readChildren(readDer(value, tag.sequence).content).map((oid) =>
        readOid(expectTag(oid, tag.oid).content),
      ),
    ),
    subjectKeyId: read(extensionOid.subjectKeyId, (v) => readDer(v, tag.octetString).content),
    authorityKeyId: read(
      extensionOid.authorityKeyId,
      (value) =>
        readChildren(readDer(value, tag.sequence).content).find((v) => v.tag === tag.context(0))
          ?.content,
    ),
    hasNameConstraints: byOid.has(extensionOid.nameConstraints),
    constrainsSubject: read(extensionOid.nameConstraints, constrainsOtherNames) ?? false,
    hasSubjectAltNames: byOid.has(extensionOid.subjectAltName),
    unknownCriticalExtensions: list
      .filter((e) => e.critical && !understood.has(e.oid))
      .map((e) => e.oid),
  };
}

function readBasicConstraints(value: Uint8Array): Certificate['basicConstraints'] {
  const parts = readChildren(readDer(value, tag.sequence).content, 2);
  const ca = parts[0]?.tag === tag.boolean && readBoolean(parts[0].content);
  const length = parts.find((p) => p.tag === tag.integer);
  return {
    ca,
    pathLengthMax: length === undefined ? undefined : Number(readInteger(length.content)),
  };
}

// Forms of alternative names: e-mail, DNS, URI, IP address.
const alternativeNameTags: ReadonlySet<number> = new Set([1, 2, 6, 7].map(tag.context));

function constrainsOtherNames(value: Uint8Array): boolean {
  return readChildren(readDer(value, tag.sequence).content).some((subtrees) =>
    readChildren(subtrees.content).some((subtree) => {
      const [base] = readChildren(expectTag(subtree, tag.sequence).content);
      return !alternativeNameTags.has(expectTag(base).tag);
    }),
  );
}

function readKeyUsage(value: Uint8Array): number {
  const bits = readBitString(readDer(value, tag.bitString).content);
  return ((bits[0] ?? 0) << 8) | (bits[1] ?? 0);
}

function readVersion(value: DerValue): number {
  return Number(readInteger(expectTag(readChildren(value.content, 1)[0], tag.integer).content)) + 1;
}

function openCertificate(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (error) {
    throw new DerError(`unreadable certificate: ${error instanceof Error ? error.message : ''}`);
  }
}
