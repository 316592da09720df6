// The part that every API object shares. Typed built-in kinds are generated
// (`@keelson/apimachinery/types/...`); code that works on any kind uses `KubeObject`.

import type { JsonObject, JsonValue } from '../json.ts';

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: JsonObject;
  subresource?: string;
}

export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  selfLink?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number | bigint;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number | bigint;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
}

/** Any object of the API in its JSON form, after decoding: `metadata` is always there. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export interface ListMeta {
  resourceVersion?: string;
  continue?: string;
  remainingItemCount?: number;
  /** Of a list that was asked for in shards. */
  shardInfo?: { selector: string };
}

export interface KubeList {
  apiVersion?: string;
  kind?: string;
  metadata: ListMeta;
  items: KubeObject[];
}

/** The same object as plain JSON, for code that walks it by schema. */
export function asJson(object: KubeObject): JsonObject {
  return object as unknown as JsonObject;
}
/** A decoded JSON object as an API object; the caller has checked that it has metadata. */
export function asKubeObject(json: JsonObject): KubeObject {
  return json as unknown as KubeObject;
}
export type { JsonObject, JsonValue };
