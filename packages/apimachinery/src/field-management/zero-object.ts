// An object of a kind before anything is set, in its written form: fields that Go always writes are
// there with their zero value. An update that creates an object is a change from this one, so what
// a kind always has (`spec`, an empty list) is not owned by who creates it.

import type { JsonObject, JsonValue } from '../json.ts';
import type { Field, StructType } from '../schema/types.ts';

const zeroObjects = new WeakMap<StructType, JsonObject>();

/** Shared and frozen; `apiVersion` and `kind` are not in it. */
export function zeroObject(type: StructType): JsonObject {
  const known = zeroObjects.get(type);
  if (known) return known;
  const object: JsonObject = {};
  // In place before its fields are made: Go has no struct that contains itself as a value.
  zeroObjects.set(type, object);
  for (const field of type.fields) {
    if (field.presence === 'always') object[field.name] = zeroValue(field);
  }
  return Object.freeze(object);
}

function zeroValue(field: Field): JsonValue {
  if (field.nullable) return null;
  switch (field.type.kind) {
    case 'struct':
      return zeroObject(field.type.type);
    case 'string':
    case 'duration':
      return field.type.kind === 'string' ? '' : '0s';
    case 'bool':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'int-or-string':
      return 0;
    case 'quantity':
      return '0';
    default:
      return null;
  }
}
