// The body of a PATCH as a function on JSON objects, and of an apply as an object.

import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  DecodeError,
  formatGoValue,
  isJsonObject,
  parseJson,
  parseYaml,
  PatchError,
  patchErrorStatus,
  statusErrors,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type StructType,
  asKubeObject,
} from '@keelson/apimachinery';
import { decodeCborObject } from './decode-body.ts';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface ParsedPatch {
  readonly type: PatchType;
  /**
   * The patched document; `type` is needed by strategic merge patches. Throws the StatusError of a
   * patch that does not apply.
   */
  apply(document: JsonObject, type: StructType | undefined): JsonObject;
  /** The patch as Go prints it, for errors of strategic merge patches. */
  readonly goText: string;
}

/** Throws 400 when the body is no patch. */
export function parsePatchBody(type: Exclude<PatchType, 'apply'>, body: Uint8Array): ParsedPatch {
  let patch: JsonValue;
  try {
    patch = parseJson(body);
  } catch (error) {
    if (error instanceof DecodeError)
      throw statusErrors.badRequest(`error decoding patch: ${error.message}`);
    throw error;
  }
  if (type !== 'json' && patch !== null && !isJsonObject(patch))
    throw statusErrors.badRequest(
      `error decoding patch: json: cannot unmarshal ${kindOf(patch)} into Go value of type map[string]interface {}`,
    );
  return {
    type,
    apply: (document, schema) => translate(() => applyTo(type, document, patch, schema)),
    get goText() {
      return formatGoValue(patch);
    },
  };
}

function applyTo(
  type: PatchType,
  document: JsonObject,
  patch: JsonValue,
  schema: StructType | undefined,
): JsonObject {
  if (type === 'json') return requireObject(applyJsonPatch(document, patch));
  const object = (patch ?? {}) as JsonObject;
  if (type === 'strategic' && schema !== undefined)
    return applyStrategicMergePatch(document, object, schema);
  return applyMergePatch(document, object);
}

function requireObject(value: JsonValue): JsonObject {
  if (isJsonObject(value)) return value;
  throw statusErrors.badRequest(
    `json: cannot unmarshal ${kindOf(value)} into Go value of type map[string]interface {}`,
  );
}

function translate(apply: () => JsonObject): JsonObject {
  try {
    return apply();
  } catch (error) {
    if (error instanceof PatchError) throw patchErrorStatus(error);
    throw error;
  }
}

function kindOf(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value;
}

export interface ApplyBody {
  readonly object: KubeObject;
  /** What is wrong with it beyond its meaning: keys that are there twice. */
  readonly strictError: string | undefined;
}

/** The same in CBOR. Throws 400. */
export function parseCborApplyBody(body: Uint8Array): ApplyBody {
  try {
    const value = decodeCborObject(body);
    const metadata = isJsonObject(value['metadata']) ? value['metadata'] : {};
    return { object: asKubeObject({ ...value, metadata }), strictError: undefined };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw statusErrors.badRequest(`error decoding CBOR: ${error.message}`);
  }
}

/** An apply configuration is YAML, of which JSON is a part. Throws 400. */
export function parseApplyBody(body: Uint8Array): ApplyBody {
  try {
    const { value, duplicateKeys } = parseYaml(body);
    if (!isJsonObject(value))
      throw new DecodeError(
        `json: cannot unmarshal ${kindOf(value)} into Go value of type map[string]interface {}`,
      );
    const object = asKubeObject({
      ...value,
      metadata: isJsonObject(value['metadata']) ? value['metadata'] : {},
    });
    return { object, strictError: duplicateKeys };
  } catch (error) {
    if (error instanceof DecodeError)
      throw statusErrors.badRequest(
        `error decoding YAML: ${error.message.startsWith('yaml: ') ? 'error converting YAML to JSON: ' : ''}${error.message}`,
      );
    throw error;
  }
}
