/**
 * What names mean to the checker: variables, constants, types and functions, looked up in a
 * container.
 */

import type { ConstantDeclaration, Overload } from '../library/library.ts';
import type { DeclaredFunction } from './declared-function.ts';
import type { FieldDeclaration, TypeProvider } from '../types/type-provider.ts';
import { typeType } from '../types/type.ts';
import type { CelType } from '../types/type.ts';
import { celTypeValue } from '../values/scalars.ts';
import type { CelValue } from '../values/value.ts';

/** What an identifier is; `value` is set where it is always the same. */
export interface ResolvedIdentifier {
  readonly name: string;
  readonly type: CelType;
  readonly value: CelValue | undefined;
}

/** All declarations of an environment. */
export interface Declarations {
  readonly container: string;
  readonly variables: ReadonlyMap<string, CelType>;
  readonly constants: ReadonlyMap<string, ConstantDeclaration>;
  readonly functions: ReadonlyMap<string, DeclaredFunction>;
  /** What functions with several names in their name start with, such as `math` of `math.abs`. */
  readonly functionNamespaces: ReadonlySet<string>;
  readonly overloads: ReadonlyMap<string, Overload>;
  readonly types: readonly TypeProvider[];
}

/**
 * The names that a name can mean in a container, the most specific first: in `a.b`, `x` can be
 * `a.b.x`, `a.x` or `x`. A leading dot allows only the last.
 */
export function candidateNames(container: string, name: string): readonly string[] {
  if (name.startsWith('.')) return [name.slice(1)];
  if (container === '') return [name];
  const parts = container.split('.');
  return [
    ...parts.map((_, index) => [...parts.slice(0, parts.length - index), name].join('.')),
    name,
  ];
}

/** A variable, constant or type of exactly this name. */
export function findIdentifier(
  declarations: Declarations,
  name: string,
): ResolvedIdentifier | undefined {
  const variable = declarations.variables.get(name);
  if (variable !== undefined) return { name, type: variable, value: undefined };
  const constant = declarations.constants.get(name);
  if (constant !== undefined) return { name, type: constant.type, value: constant.value };
  for (const provider of declarations.types) {
    const type = provider.findType(name);
    if (type !== undefined) return { name, type: typeType(type), value: celTypeValue(type) };
  }
  return undefined;
}

/** A field of an object type, from the provider that knows the type. */
export function findField(
  declarations: Declarations,
  typeName: string,
  field: string,
): FieldDeclaration | undefined {
  for (const provider of declarations.types) {
    const declaration = provider.findField(typeName, field);
    if (declaration !== undefined) return declaration;
  }
  return undefined;
}
