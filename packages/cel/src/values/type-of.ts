/**
 * The run-time type of a value. Lists and maps do not know their elements' types, so those are dyn.
 */

import { celTypes, listType, mapType, optionalType, typeType } from '../types/type.ts';
import type { CelType } from '../types/type.ts';
import type { CelValue } from './value.ts';

const listOfAny = listType(celTypes.dyn);
const mapOfAny = mapType(celTypes.dyn, celTypes.dyn);
const optionalOfAny = optionalType(celTypes.dyn);
const typeOfAny = typeType();

/** What `type(value)` gives. */
export function typeOf(value: CelValue): CelType {
  switch (typeof value) {
    case 'string':
      return celTypes.string;
    case 'bigint':
      return celTypes.int;
    case 'boolean':
      return celTypes.bool;
    case 'number':
      return celTypes.double;
    default:
      if (value === null) return celTypes.null;
      return value instanceof Uint8Array ? celTypes.bytes : typeOfObject(value);
  }
}

type ObjectValue = Exclude<CelValue, null | boolean | string | number | bigint | Uint8Array>;

function typeOfObject(value: ObjectValue): CelType {
  switch (value.kind) {
    case 'uint':
      return celTypes.uint;
    case 'timestamp':
      return celTypes.timestamp;
    case 'duration':
      return celTypes.duration;
    case 'list':
      return listOfAny;
    case 'map':
      return mapOfAny;
    case 'optional':
      return optionalOfAny;
    case 'type':
      return typeOfAny;
    case 'object':
    case 'opaque':
      return value.type;
  }
}
