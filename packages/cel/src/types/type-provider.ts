/**
 * Where object types come from. The checker asks for fields, the evaluator for new objects; an
 * environment may have several providers, and the first that knows a name answers.
 */

import type { CelResult, CelValue } from '../values/value.ts';
import type { CelType } from './type.ts';

/** A field of an object type. */
export interface FieldDeclaration {
  readonly type: CelType;
}

/** Declares object types by name. Methods are pure and answer undefined for names of others. */
export interface TypeProvider {
  /** The type that an identifier such as `Object.spec` names. */
  findType(name: string): CelType | undefined;
  /** A field of a type that this provider declares. */
  findField(typeName: string, field: string): FieldDeclaration | undefined;
  /** Builds `TypeName{field: value}`. Not called for types that are not declared. */
  construct?(typeName: string, fields: ReadonlyMap<string, CelValue>): CelResult;
}
