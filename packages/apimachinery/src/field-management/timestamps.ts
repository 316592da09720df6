// A write that changes nothing but times of managed fields is no change: it must not give the
// object a new resource version.

import { jsonEqual, type JsonValue } from '../json.ts';
import { asJson, type KubeObject, type ManagedFieldsEntry } from '../meta/object.ts';

/**
 * The object with the managed fields of `old`, when they differ only in times and all else is
 * equal; otherwise the object. For updates and patches, before the object is stored.
 */
export function keepTimesIfUnchanged(old: KubeObject, object: KubeObject): KubeObject {
  const former = old.metadata.managedFields ?? [];
  const current = object.metadata.managedFields ?? [];
  if (former === current || former.length === 0 || former.length !== current.length) return object;
  for (let i = 0; i < former.length; i++) if (!equalButTime(former[i], current[i])) return object;
  const restored = { ...object, metadata: { ...object.metadata, managedFields: former } };
  return jsonEqual(asJson(old), asJson(restored)) ? restored : object;
}

function equalButTime(
  a: ManagedFieldsEntry | undefined,
  b: ManagedFieldsEntry | undefined,
): boolean {
  const timeless = (entry: ManagedFieldsEntry | undefined) =>
    ({ ...entry, time: undefined }) as unknown as JsonValue;
  return jsonEqual(timeless(a), timeless(b));
}
