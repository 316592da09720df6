// Which empty lists and maps a text had. A decoded object does not hold them, for Go would not
// write them; yet Kubernetes' messages, which show what was validated, tell `[]` and `{}` from
// null. They are remembered beside the object that would have had them, until it is gone. What
// comes from the storage never has any.

import { setOwn, type JsonObject, type JsonValue } from '../json.ts';

const emptiesOf = new WeakMap<object, string[]>();

/** For decoders: the field was given, and was empty. */
export function rememberEmpty(object: JsonObject, field: string): void {
  const known = emptiesOf.get(object);
  if (known === undefined) emptiesOf.set(object, [field]);
  else known.push(field);
}

/** Whether the text that this very object was decoded from gave the field as `[]` or `{}`. */
export function wasGivenEmpty(object: object, field: string): boolean {
  return emptiesOf.get(object)?.includes(field) === true;
}

/** A deep copy of a decoded value, for which `wasGivenEmpty` says the same. */
export function cloneDecoded<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneDecoded) as T;
  const copy: JsonObject = {};
  for (const name in value) setOwn(copy, name, cloneDecoded(value[name]) as JsonValue | undefined);
  const empties = emptiesOf.get(value);
  if (empties !== undefined) emptiesOf.set(copy, empties);
  return copy as T;
}
