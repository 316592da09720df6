// Distinguished names: a sequence of sets of attributes. Kubernetes reads the user from them (CN is
// the name, every O a group), so order and repetition are kept.

import { encode, expectTag, readChildren, readOid, readText, tag } from './der.ts';
import { attributeOid } from './object-identifiers.ts';

export interface NameAttribute {
  readonly oid: string;
  /** Undefined when the value is not a string. */
  readonly text: string | undefined;
}

/** The attributes of an encoded name, in order. Throws DerError. */
export function readName(content: Uint8Array): NameAttribute[] {
  return readChildren(content).flatMap((set) =>
    readChildren(expectTag(set, tag.set).content).map((attribute) => {
      const [type, value] = readChildren(expectTag(attribute, tag.sequence).content, 2);
      return {
        oid: readOid(expectTag(type, tag.oid).content),
        text: readText(expectTag(value)),
      };
    }),
  );
}

/** What a name says about a user: the last common name, all organizations in order. */
export function subjectOf(name: readonly NameAttribute[]): {
  commonName: string;
  organizations: string[];
} {
  let commonName = '';
  const organizations: string[] = [];
  for (const { oid, text } of name) {
    if (text === undefined) continue;
    if (oid === attributeOid.commonName) commonName = text;
    else if (oid === attributeOid.organization) organizations.push(text);
  }
  return { commonName, organizations };
}

export interface SubjectFields {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly userUid?: string;
}

/** Encodes a subject as Go does: all organizations in one set, then the common name. */
export function encodeName(subject: SubjectFields): Uint8Array {
  const attribute = (oid: string, text: string) =>
    encode.sequence(encode.oid(oid), encode.utf8(text));
  const sets: Uint8Array[] = [];
  const organizations = subject.organizations ?? [];
  if (organizations.length > 0)
    sets.push(encode.set(...organizations.map((o) => attribute(attributeOid.organization, o))));
  sets.push(encode.set(attribute(attributeOid.commonName, subject.commonName)));
  if (subject.userUid !== undefined)
    sets.push(encode.set(attribute(attributeOid.userUid, subject.userUid)));
  return encode.sequence(...sets);
}

/** In the order in which Go writes them. */
const standardAttributes = [
  attributeOid.country,
  attributeOid.organization,
  attributeOid.organizationalUnit,
  attributeOid.locality,
  attributeOid.province,
  attributeOid.streetAddress,
  attributeOid.postalCode,
  attributeOid.commonName,
  attributeOid.serialNumber,
];
const single: ReadonlySet<string> = new Set([attributeOid.commonName, attributeOid.serialNumber]);

/** A name of the well-known attributes of `name`; all others are left out. */
export function encodeStandardName(name: readonly NameAttribute[]): Uint8Array {
  const sets = standardAttributes.flatMap((oid) => {
    const texts = name.flatMap((a) => (a.oid === oid && a.text !== undefined ? [a.text] : []));
    const kept = single.has(oid) ? texts.slice(-1) : texts;
    if (kept.length === 0) return [];
    return [encode.set(...kept.map((text) => encode.sequence(encode.oid(oid), encode.utf8(text))))];
  });
  return encode.sequence(...sets);
}
