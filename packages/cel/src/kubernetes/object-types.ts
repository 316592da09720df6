/**
 * Object types with fixed fields, such as those of the variable `request`.
 */

import { objectType, type CelType } from '../types/type.ts';
import type { TypeProvider } from '../types/type-provider.ts';

/** Fields by type name. */
export type ObjectTypes = Readonly<Record<string, Readonly<Record<string, CelType>>>>;

/** Declares the types; their values are maps. */
export function objectTypes(types: ObjectTypes): TypeProvider {
  return {
    findType: (name) => (Object.hasOwn(types, name) ? objectType(name) : undefined),
    findField(typeName, field) {
      const fields = Object.hasOwn(types, typeName) ? types[typeName] : undefined;
      const type = fields && Object.hasOwn(fields, field) ? fields[field] : undefined;
      return type && { type };
    },
  };
}
