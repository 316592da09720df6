// The annotation of client-side `kubectl apply`, and moving from there to server-side apply. Only
// the field manager `kubectl` takes part: it may take over what its last client-side apply set, and
// keeps the annotation up to date, so that both kinds of apply can be mixed.

import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import type { Atom } from './atom.ts';
import { compareTyped } from './compare-typed.ts';
import { difference, emptyFieldSet, type FieldSet } from './field-set.ts';
import { fieldSetOfTyped } from './set-of-typed.ts';
import { validateTyped } from './validate-typed.ts';

export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
export const lastAppliedManager = 'kubectl';

/** All annotations of an object together, in bytes of keys and values. */
const annotationsBytesMax = 256 * 1024;

/** The fields that the last client-side apply set and that still have that value. */
export function fieldsLastApplied(live: JsonObject, apiVersion: string, atom: Atom): FieldSet {
  const text = lastAppliedText(live);
  if (text === undefined) return emptyFieldSet;
  const applied = parseObject(text);
  if (applied?.['apiVersion'] !== apiVersion) return emptyFieldSet;
  if (validateTyped(applied, atom) !== undefined) return emptyFieldSet;
  const { added, modified, removed } = compareTyped(applied, live, atom);
  const fields = fieldSetOfTyped(applied, atom);
  return difference(difference(difference(fields, modified), added), removed);
}

/** The object with the annotation set to what was applied; itself when it has no annotation. */
export function withLastApplied(object: JsonObject, applied: JsonObject): JsonObject {
  const metadata = object['metadata'];
  if (lastAppliedText(object) === undefined || !isJsonObject(metadata)) return object;
  const annotations: JsonObject = {
    ...asObject(metadata['annotations']),
    [lastAppliedAnnotation]: `${encode(withoutAnnotation(applied))}\n`,
  };
  if (bytesOf(annotations) > annotationsBytesMax) delete annotations[lastAppliedAnnotation];
  return { ...object, metadata: { ...metadata, annotations } };
}

function lastAppliedText(object: JsonObject): string | undefined {
  const annotations = asObject(asObject(object['metadata'])['annotations']);
  const text = annotations[lastAppliedAnnotation];
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function withoutAnnotation(applied: JsonObject): JsonObject {
  const metadata = applied['metadata'];
  if (!isJsonObject(metadata) || !isJsonObject(metadata['annotations'])) return applied;
  const { [lastAppliedAnnotation]: _, ...annotations } = metadata['annotations'];
  const rest = { ...metadata, annotations };
  if (Object.keys(annotations).length > 0) return { ...applied, metadata: rest };
  const { annotations: _none, ...bare } = rest;
  return { ...applied, metadata: bare };
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch (e) {
    if (e instanceof SyntaxError) return undefined;
    throw e;
  }
}

/** Go's encoding of a map: sorted keys. */
function encode(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map(encode).join(',')}]`;
  if (typeof value === 'bigint') return value.toString();
  if (!isJsonObject(value)) return JSON.stringify(value ?? null);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${encode(value[key])}`);
  return `{${members.join(',')}}`;
}

function bytesOf(annotations: JsonObject): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  return bytes;
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
