/**
 * Whether two types are the same, by structure.
 */

import type { CelType } from './type.ts';

/** Exactly the same type. */
export function isSameType(left: CelType, right: CelType): boolean {
  if (left === right) return true;
  if (left.kind !== right.kind || left.name !== right.name) return false;
  return (
    left.parameters.length === right.parameters.length &&
    left.parameters.every((parameter, index) => {
      const other = right.parameters[index];
      return other !== undefined && isSameType(parameter, other);
    })
  );
}
