// What a declared type means to the checker (its object types and their fields) and to estimates of
// cost (the sizes of the variables that have it).

import type { CostEstimator, SizeEstimate } from '../../cost/cost.ts';
import { objectType } from '../../types/type.ts';
import type { TypeProvider } from '../../types/type-provider.ts';
import type { DeclaredType } from './declared-type.ts';
import { isReservedWord } from './escaping.ts';

/** The object types in a declared type. */
export function typeProviderOf(root: DeclaredType): TypeProvider {
  const objects = new Map<string, ReadonlyMap<string, DeclaredType>>();
  const collect = (declared: DeclaredType): void => {
    if (declared.element !== undefined) collect(declared.element);
    if (declared.fields === undefined) return;
    objects.set(declared.type.name, declared.fields);
    for (const field of declared.fields.values()) collect(field);
  };
  collect(root);
  return {
    findType: (name) => (objects.has(name) ? objectType(name) : undefined),
    findField(typeName, field) {
      const fields = objects.get(typeName);
      // A reserved word only gets here where the environment lets it select a field.
      return fields?.get(isReservedWord(field) ? `__${field}__` : field);
    },
  };
}

/** Sizes of variables of one declared type, whatever their names. */
export function costEstimatorOf(root: DeclaredType): CostEstimator {
  return {
    estimateSize: ({ path }) =>
      path === undefined || path.length === 0 ? undefined : sizeAt(root, path.slice(1)),
  };
}

function sizeAt(root: DeclaredType, path: readonly string[]): SizeEstimate | undefined {
  let declared: DeclaredType | undefined = root;
  for (const step of path) {
    if (step === '@keys') return declared.element === undefined ? undefined : noSize;
    declared =
      step === '@items' || step === '@values' ? declared.element : declared.fields?.get(step);
    if (declared === undefined) return undefined;
  }
  return { min: 0, max: declared.elementsMax };
}

// COMPAT: keys of maps count as empty.
const noSize: SizeEstimate = { min: 0, max: 0 };
