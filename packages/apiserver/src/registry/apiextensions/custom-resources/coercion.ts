// Brings parsed JSON into the form of a custom resource: metadata is read as ObjectMeta, unknown
// fields and forbidden nulls are dropped. Runs on every body, on the result of every patch and on
// objects of another version; defaults follow (`strategy.applyDefaults`).

import {
  formatApiVersion,
  isJsonObject,
  parseApiVersion,
  statusErrors,
  type GroupVersionKind,
  type JsonObject,
  copyJson,
} from '@keelson/apimachinery';
import type { JsonSchema } from '../schema/json-schema.ts';
import { coerceEmbedded, type MetadataDecoder } from './embedded-metadata.ts';
import { pruneForbiddenNulls, pruneUnknownFields } from './pruning.ts';

export interface CoercionTarget {
  readonly gvk: GroupVersionKind;
  readonly schema: JsonSchema;
  /** `spec.preserveUnknownFields`, which only definitions from before v1 have. */
  readonly preserveUnknownFields: boolean;
  readonly decodeMetadata: MetadataDecoder;
}

/**
 * Changes `object` in place; returns the paths of unknown fields in the order in which they are
 * reported. Throws a 400 when the metadata cannot be read. An object of another kind is left to
 * validation.
 */
export function coerceCustomResource(object: JsonObject, target: CoercionTarget): string[] {
  const { gvk, schema, decodeMetadata } = target;
  const unknown: string[] = [];
  const given = object['metadata'];
  if (given !== undefined) {
    try {
      const { metadata, unknownFields } = decodeMetadata(given);
      object['metadata'] = metadata;
      unknown.push(...unknownFields.map((field) => `metadata.${field}`));
    } catch (error) {
      throw unreadable(gvk, error instanceof Error ? error.message : String(error));
    }
  } else {
    object['metadata'] = {};
  }
  if (!isOfKind(object, gvk)) return unknown;
  if (!target.preserveUnknownFields) {
    unknown.push(...pruneUnknownFields(object, schema));
    pruneForbiddenNulls(object, schema);
  }
  const embedded = coerceEmbedded(object, schema, decodeMetadata);
  if (embedded.error !== undefined) throw unreadable(gvk, embedded.error);
  unknown.push(...embedded.unknownFields);
  return unknown;
}

function unreadable(gvk: GroupVersionKind, why: string) {
  return statusErrors.badRequest(
    `${gvk.kind} in version ${JSON.stringify(gvk.version)} cannot be handled as a ${gvk.kind}: ${why}`,
  );
}

/** True when the object says that it is of this group and kind, in whatever version. */
export function isOfKind(object: JsonObject, gvk: GroupVersionKind): boolean {
  const { apiVersion, kind } = object;
  if (kind !== gvk.kind || typeof apiVersion !== 'string') return false;
  return parseApiVersion(apiVersion)?.group === gvk.group;
}

/**
 * The object in another version with strategy `None`: only apiVersion changes, and what the other
 * version's schema does not name is dropped. The result is a copy; defaults are not applied (they
 * are on write).
 */
export function convertWithoutWebhook(object: JsonObject, target: CoercionTarget): JsonObject {
  const copy = copyJson(object);
  copy['apiVersion'] = formatApiVersion(target.gvk);
  if (isJsonObject(copy['metadata'])) coerceCustomResource(copy, target);
  return copy;
}
