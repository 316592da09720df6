// From bytes to API objects: typed by a schema, untyped for custom resources, and the glimpse at
// apiVersion and kind that decides which schema it is.

import type { JsonObject, JsonValue } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { KubeObject } from '../meta/object.ts';
import { asKubeObject } from '../meta/object.ts';
import type { StructType } from '../schema/types.ts';
import { DecodeContext, strictErrorsMax } from './decode-context.ts';
import { cannotUnmarshal, DecodeError } from './decode-error.ts';
import { encodeJsonText } from './encode-json.ts';
import { JsonReader, textOf } from './json-reader.ts';
import { structDecoder } from './struct-decoder.ts';
import { zeroStruct } from './struct-shape.ts';

export interface DecodeOptions {
  /** Collect unknown and duplicate fields (`fieldValidation=Warn` and `Strict`). */
  readonly strict?: boolean;
}

export interface DecodedObject {
  readonly object: KubeObject;
  /** Texts of Kubernetes, without the prefix `strict decoding error: `; at most a hundred. */
  readonly strictErrors: readonly string[];
}

export interface DecodedValue {
  readonly value: JsonObject;
  readonly strictErrors: readonly string[];
}

export interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Decodes the JSON of one object; throws `DecodeError` with Go's message. The result is new and unshared. */
export function decodeObject(
  source: Uint8Array | string,
  type: StructType,
  options: DecodeOptions = {},
): DecodedObject {
  const { value, strictErrors } = decodeStruct(textOf(source), type, options);
  return { object: asKubeObject(value), strictErrors };
}

/**
 * The same from JSON that is in memory, after a patch or from YAML. It need not be an API object:
 * any struct will do.
 */
export function decodeValue(
  json: JsonValue,
  type: StructType,
  options: DecodeOptions = {},
): DecodedValue {
  return decodeStruct(encodeJsonText(json), type, options);
}

function decodeStruct(text: string, type: StructType, options: DecodeOptions): DecodedValue {
  const context = new DecodeContext(text, options.strict === true);
  try {
    const value = decodeTop(context, type);
    context.finish();
    return { value, strictErrors: context.strictErrors };
  } catch (error) {
    // Go reads the whole text for its syntax first.
    if (error instanceof DecodeError && error.reason === 'value') checkSyntax(text);
    throw error;
  }
}

function decodeTop(context: DecodeContext, type: StructType): JsonObject {
  const code = context.reader.peek();
  if (code === 0x7b) return structDecoder(type).decode(context);
  if (code === 0x6e) context.reader.readLiteral();
  else context.wrongType(type.name.split('.').slice(-2).join('.'));
  return zeroStruct(type);
}

function checkSyntax(text: string): void {
  const reader = new JsonReader(text);
  reader.skipValue();
  reader.end();
}

/** Decodes a JSON object without a schema, for custom resources and patches. */
export function parseJsonObject(
  source: Uint8Array | string,
  options: DecodeOptions = {},
): DecodedValue {
  const text = textOf(source);
  const { value, strictErrors } = readUntyped(text, options);
  if (isJsonObject(value)) return { value, strictErrors };
  if (value === null) return { value: {}, strictErrors };
  throw new DecodeError(cannotUnmarshal(jsonTypeName(value), 'map[string]interface {}'));
}

/** Decodes any JSON value. */
export function parseJson(source: Uint8Array | string): JsonValue {
  return readUntyped(textOf(source), {}).value;
}

function readUntyped(
  text: string,
  options: DecodeOptions,
): { value: JsonValue; strictErrors: string[] } {
  const reader = new JsonReader(text);
  const strictErrors: string[] = [];
  const found = (path: string): void => {
    const error = `duplicate field "${path}"`;
    if (strictErrors.length >= strictErrorsMax || strictErrors.includes(error)) return;
    strictErrors.push(error);
  };
  const value = reader.readAny(options.strict === true ? { path: [], found } : undefined);
  reader.end();
  return { value, strictErrors };
}

function jsonTypeName(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' ? 'number' : typeof value;
}

const typeMetaGoType =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/**
 * Reads apiVersion and kind, and checks the syntax of the entire text on the way.
 * COMPAT: as upstream does it, the names of these two fields match in any case.
 */
export function readTypeMeta(source: Uint8Array | string): TypeMeta {
  const reader = new JsonReader(textOf(source));
  const meta = { apiVersion: '', kind: '' };
  if (reader.peek() !== 0x7b) {
    const value = reader.readAny();
    reader.end();
    if (value === null) return meta;
    throw new DecodeError(cannotUnmarshal(jsonTypeName(value), typeMetaGoType));
  }
  let wrong: string | undefined;
  reader.enter();
  for (let first = true; reader.nextKey(first); first = false) {
    const key = reader.readKey().toLowerCase();
    reader.colon();
    if (key !== 'kind' && key !== 'apiversion') reader.skipValue();
    else {
      const value = reader.readAny();
      const name = key === 'kind' ? 'kind' : 'apiVersion';
      if (typeof value === 'string') meta[name] = value;
      else if (value !== null) {
        const where = { struct: '', path: name };
        wrong ??= cannotUnmarshal(jsonTypeName(value), 'string', where);
      }
    }
  }
  reader.end();
  if (wrong !== undefined) throw new DecodeError(wrong);
  return meta;
}
