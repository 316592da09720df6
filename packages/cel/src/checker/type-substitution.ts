/**
 * Which types go together, and what type parameters stand for.
 *
 * Parameters are bound as uses are met: `[]` is a list of a parameter that the first use decides.
 * An attempt that fails leaves no bindings behind. The rules (dyn goes with everything, null with
 * objects, the more general of two types wins) are the language's.
 */

import { isSameType } from '../types/same-type.ts';
import { celTypes, typeParameter } from '../types/type.ts';
import type { CelType } from '../types/type.ts';

/** The bindings of one check. */
export interface TypeSubstitution {
  /** A parameter that nothing else names. */
  freshParameter(): CelType;
  /** How many parameters were made. */
  readonly parameterCount: number;
  /** Counts parameters that were made for the same in another expression. */
  skipParameters(count: number): void;
  /**
   * Whether a value of the second type may stand where the first is expected; binds parameters if
   * so.
   */
  isAssignable(expected: CelType, actual: CelType): boolean;
  isAssignableList(expected: readonly CelType[], actual: readonly CelType[]): boolean;
  /** A type with its bindings put in; unbound parameters stay, or become dyn. */
  resolve(type: CelType, unboundIs?: CelType): CelType;
}

/** No bindings yet. */
export function createTypeSubstitution(): TypeSubstitution {
  return new Bindings();
}

// The bindings of one check, and how they came to be.
class Bindings implements TypeSubstitution {
  readonly #bindings = new Map<string, CelType>();
  // Undone from the end when an attempt fails.
  readonly #journal: (readonly [name: string, before: CelType | undefined])[] = [];
  parameterCount = 0;

  #bind(name: string, type: CelType): void {
    this.#journal.push([name, this.#bindings.get(name)]);
    this.#bindings.set(name, type);
  }

  // What was bound since the mark is as it was before; false.
  #undo(mark: number): false {
    while (this.#journal.length > mark) {
      const [name, before] = this.#journal.pop() ?? ['', undefined];
      if (before === undefined) this.#bindings.delete(name);
      else this.#bindings.set(name, before);
    }
    return false;
  }

  #isFreeOf(name: string, type: CelType): boolean {
    if (type.kind === 'type-parameter') {
      if (type.name === name) return false;
      const bound = this.#bindings.get(type.name);
      return bound === undefined || this.#isFreeOf(name, bound);
    }
    return type.parameters.every((parameter) => this.#isFreeOf(name, parameter));
  }

  // Whether `type` can be what the parameter stands for.
  #substitute(type: CelType, parameter: CelType): { isValid: boolean; isBound: boolean } {
    if (isSameType(type, parameter)) return { isValid: true, isBound: true };
    const bound = this.#bindings.get(parameter.name);
    if (bound === undefined) {
      const isValid = this.#isFreeOf(parameter.name, type);
      if (isValid) this.#bind(parameter.name, type);
      return { isValid, isBound: false };
    }
    if (isSameType(type, bound)) return { isValid: true, isBound: true };
    if (!this.#matches(type, bound)) return { isValid: false, isBound: true };
    const general = moreGeneral(type, bound);
    if (this.#isFreeOf(parameter.name, general)) this.#bind(parameter.name, general);
    return { isValid: true, isBound: true };
  }

  #matches(expected: CelType, actual: CelType): boolean {
    if (actual.kind === 'type-parameter') {
      const { isValid, isBound } = this.#substitute(expected, actual);
      if (isValid) return true;
      if (isBound) return false;
    }
    if (expected.kind === 'type-parameter') return this.#substitute(actual, expected).isValid;
    if (isDynOrError(expected) || isDynOrError(actual)) return true;
    if (expected.kind === 'null') return isNullable(actual);
    if (actual.kind === 'null') return isNullable(expected);
    return hasSameForm(unwrap(expected), unwrap(actual), (one, other) => this.#matches(one, other));
  }

  resolve(type: CelType, unboundIs?: CelType): CelType {
    if (type.kind === 'type-parameter') {
      const bound = this.#bindings.get(type.name);
      return bound === undefined ? (unboundIs ?? type) : this.resolve(bound, unboundIs);
    }
    if (type.parameters.length === 0) return type;
    const parameters = type.parameters.map((parameter) => this.resolve(parameter, unboundIs));
    const isUnchanged = parameters.every(
      (parameter, index) => parameter === type.parameters[index],
    );
    return isUnchanged ? type : { ...type, parameters };
  }

  freshParameter(): CelType {
    return typeParameter(`_var${this.parameterCount++}`);
  }

  skipParameters(count: number): void {
    this.parameterCount += count;
  }

  isAssignable(expected: CelType, actual: CelType): boolean {
    const mark = this.#journal.length;
    return this.#matches(expected, actual) || this.#undo(mark);
  }

  isAssignableList(expected: readonly CelType[], actual: readonly CelType[]): boolean {
    const mark = this.#journal.length;
    const isPossible =
      expected.length === actual.length &&
      expected.every((type, index) => this.#matches(type, actual[index] ?? celTypes.error));
    return isPossible || this.#undo(mark);
  }
}

/** Whether nothing more is known about a type. */
export function isDynOrError(type: CelType): boolean {
  return type.kind === 'dyn' || type.kind === 'any' || type.kind === 'error';
}

/** Of two types that go together, the one that says less. */
export function moreGeneral(left: CelType, right: CelType): CelType {
  return isAtLeastAsGeneral(left, right) ? left : right;
}

function isAtLeastAsGeneral(left: CelType, right: CelType): boolean {
  if (left.kind === 'dyn' || left.kind === 'any' || left.kind === 'type-parameter') return true;
  if (right.kind === 'dyn' || right.kind === 'any' || right.kind === 'type-parameter') return false;
  // What goes with null can be null.
  if (right.kind === 'null') return true;
  return hasSameForm(left, right, isAtLeastAsGeneral);
}

/** Whether two types are of one kind, with parameters of which each goes with the other's. */
function hasSameForm(
  left: CelType,
  right: CelType,
  goesWith: (one: CelType, other: CelType) => boolean,
): boolean {
  if (left.kind !== right.kind) return false;
  switch (left.kind) {
    case 'type':
      return true;
    case 'list':
    case 'map':
    case 'opaque':
    case 'optional':
      return (
        left.name === right.name &&
        left.parameters.length === right.parameters.length &&
        left.parameters.every((parameter, index) => {
          const other = right.parameters[index];
          return other !== undefined && goesWith(parameter, other);
        })
      );
    default:
      return isSameType(left, right);
  }
}

function isNullable(type: CelType): boolean {
  switch (type.kind) {
    case 'null':
    case 'any':
    case 'duration':
    case 'object':
    case 'opaque':
    case 'optional':
    case 'timestamp':
    case 'wrapper':
      return true;
    default:
      return false;
  }
}

function unwrap(type: CelType): CelType {
  const [content] = type.parameters;
  return type.kind === 'wrapper' && content !== undefined ? content : type;
}
