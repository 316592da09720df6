// Certificate requests (PKCS #10, RFC 2986): what a CertificateSigningRequest carries. Read to see
// whose name, names and key are asked for; written for nodes and administrators who ask.

import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { encodeAltNames, extension, signatureOf } from './certificate-authority.ts';
import {
  DerError,
  encode,
  encodeDer,
  expectTag,
  readBitString,
  readChildren,
  readDer,
  readOid,
  readText,
  tag,
  type DerValue,
} from './der.ts';
import {
  encodeName,
  readName,
  subjectOf,
  type NameAttribute,
  type SubjectFields,
} from './distinguished-name.ts';
import { algorithmOid, extensionOid, extensionRequestOid } from './object-identifiers.ts';
import { readAlgorithm, readExtensionList } from './parse-certificate.ts';
import { readPem, writePem } from './pem.ts';

export interface CertificateRequest {
  /** The encoded subject, to be signed as it is. */
  readonly subject: Uint8Array;
  readonly subjectAttributes: readonly NameAttribute[];
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  /** IPv4 dotted, IPv6 in eight groups. */
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
  /** Content of the wanted subjectAltName extension. */
  readonly subjectAltNames: Uint8Array | undefined;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
}

const digests: Readonly<Record<string, string | null>> = {
  [algorithmOid.ecdsaWithSha256]: 'sha256',
  [algorithmOid.ecdsaWithSha384]: 'sha384',
  [algorithmOid.ecdsaWithSha512]: 'sha512',
  [algorithmOid.rsaWithSha256]: 'sha256',
  [algorithmOid.rsaWithSha384]: 'sha384',
  [algorithmOid.rsaWithSha512]: 'sha512',
  [algorithmOid.ed25519]: null,
};

/** Reads a PEM request and checks that the requester holds the key. Throws DerError. */
export function parseCertificateRequest(pem: string): CertificateRequest {
  const block = readPem(pem)[0];
  if (block === undefined || !/^(NEW )?CERTIFICATE REQUEST$/.test(block.label))
    throw new DerError('PEM block type must be CERTIFICATE REQUEST');
  return decodeCertificateRequest(block.bytes);
}

/** The same from DER. */
export function decodeCertificateRequest(der: Uint8Array): CertificateRequest {
  const [info, algorithm, signature] = readChildren(readDer(der, tag.sequence).content, 3);
  const infoValue = expectTag(info, tag.sequence);
  const [, subject, key, attributes] = readChildren(infoValue.content, 4);
  const subjectValue = expectTag(subject, tag.sequence);
  const publicKey = expectTag(key, tag.sequence).bytes;
  const digest = digests[readAlgorithm(algorithm)];
  if (digest === undefined) throw new DerError('unsupported signature algorithm');
  const signatureBytes = readBitString(expectTag(signature, tag.bitString).content);
  if (!isSignedBy(publicKey, digest, { content: infoValue.bytes, signature: signatureBytes }))
    throw new DerError('the request is not signed by its own key');
  const subjectAttributes = readName(subjectValue.content);
  return {
    subject: subjectValue.bytes,
    subjectAttributes,
    ...subjectOf(subjectAttributes),
    ...readAltNames(wantedAltNames(attributes)),
    publicKey,
  };
}

/** A PEM request for the holder of `key`. */
export function createCertificateRequest(
  subject: SubjectFields,
  key: KeyObject,
  names: { readonly dnsNames?: readonly string[]; readonly ipAddresses?: readonly string[] } = {},
): string {
  const { algorithm, hash } = signatureOf(key);
  const { dnsNames = [], ipAddresses = [] } = names;
  const wanted =
    dnsNames.length + ipAddresses.length === 0
      ? []
      : [extension(extensionOid.subjectAltName, false, encodeAltNames(dnsNames, ipAddresses))];
  const attributes =
    wanted.length === 0
      ? []
      : [encode.sequence(encode.oid(extensionRequestOid), encode.set(encode.sequence(...wanted)))];
  const info = encode.sequence(
    encodeDer(tag.integer, Uint8Array.of(0)),
    encodeName(subject),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    encodeDer(tag.constructed(0), ...attributes),
  );
  return writePem(
    'CERTIFICATE REQUEST',
    encode.sequence(info, algorithm, encode.bitString(sign(hash, info, key))),
  );
}

function isSignedBy(
  spki: Uint8Array,
  digest: string | null,
  signed: { readonly content: Uint8Array; readonly signature: Uint8Array },
): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return verify(digest, signed.content, key, signed.signature);
  } catch {
    return false;
  }
}

function wantedAltNames(attributes: DerValue | undefined): Uint8Array | undefined {
  if (attributes === undefined || attributes.tag !== tag.constructed(0)) return undefined;
  for (const attribute of readChildren(attributes.content)) {
    const [type, values] = readChildren(expectTag(attribute, tag.sequence).content, 2);
    if (readOid(expectTag(type, tag.oid).content) !== extensionRequestOid) continue;
    const [list] = readChildren(expectTag(values, tag.set).content, 1);
    for (const { oid, value } of readExtensionList(expectTag(list)))
      if (oid === extensionOid.subjectAltName) return value;
  }
  return undefined;
}

type AltNames = Pick<
  CertificateRequest,
  'dnsNames' | 'ipAddresses' | 'emailAddresses' | 'uris' | 'subjectAltNames'
>;

function readAltNames(encoded: Uint8Array | undefined): AltNames {
  const names = { dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] } as {
    [K in Exclude<keyof AltNames, 'subjectAltNames'>]: string[];
  };
  if (encoded !== undefined) {
    for (const name of readChildren(readDer(encoded, tag.sequence).content)) {
      const text = () => readText({ ...name, tag: tag.ia5String }) ?? '';
      if (name.tag === tag.context(1)) names.emailAddresses.push(text());
      else if (name.tag === tag.context(2)) names.dnsNames.push(text());
      else if (name.tag === tag.context(6)) names.uris.push(text());
      else if (name.tag === tag.context(7)) names.ipAddresses.push(formatAddress(name.content));
    }
  }
  return { ...names, subjectAltNames: encoded };
}

function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new DerError('unreadable IP address');
  const groups = Array.from(
    { length: 8 },
    (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0),
  );
  return groups.map((g) => g.toString(16)).join(':');
}
