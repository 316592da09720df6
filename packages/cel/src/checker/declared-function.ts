/**
 * A function as an environment declares it: its overloads by how they are called, and what calls
 * with simple types were found to match. An environment compiles many expressions, and most of
 * their calls are of few kinds.
 */

import type { FunctionDeclaration, Overload } from '../library/library.ts';
import type { CelType } from '../types/type.ts';
import type { OverloadMatch } from './overload-instances.ts';

/** What is known of calls with some types. */
export interface KnownMatch {
  match: OverloadMatch | undefined;
  /** How many type parameters finding it took. */
  parameterCount: number;
}

/** An overload, and whether its types have parameters. */
export interface Candidate {
  readonly overload: Overload;
  readonly isGeneric: boolean;
}

/** Places of one function: whoever writes expressions must not fill the memory. */
const placesMax = 500;

interface Place extends KnownMatch {
  readonly next: Map<CelType, Place>;
}
const createPlace = (): Place => ({ match: undefined, parameterCount: 0, next: new Map() });
const none: readonly Candidate[] = [];

/** Most functions of an environment are never called, so everything here waits for the first call. */
export class DeclaredFunction implements FunctionDeclaration {
  readonly name: string;
  readonly overloads: readonly Overload[];
  #shapes: ReadonlyMap<number, readonly Candidate[]> | undefined;
  #members: Place | undefined;
  #globals: Place | undefined;
  #places = 0;

  constructor(name: string, overloads: readonly Overload[]) {
    this.name = name;
    this.overloads = overloads;
  }

  /** The overloads that take so many arguments, the receiver included. */
  taking(isMember: boolean, count: number): readonly Candidate[] {
    this.#shapes ??= groupByShape(this.overloads);
    return this.#shapes.get(shapeOf(isMember, count)) ?? none;
  }

  /** The place of calls with these types; undefined when there are too many places. */
  known(isMember: boolean, values: readonly CelType[]): KnownMatch | undefined {
    let place = isMember ? (this.#members ??= createPlace()) : (this.#globals ??= createPlace());
    for (const type of values) {
      let next = place.next.get(type);
      if (next === undefined) {
        if (this.#places >= placesMax) return undefined;
        this.#places++;
        next = createPlace();
        place.next.set(type, next);
      }
      place = next;
    }
    return place;
  }
}

function groupByShape(overloads: readonly Overload[]): Map<number, Candidate[]> {
  const candidates = overloads.map((overload) => ({
    overload,
    isGeneric: overload.parameters.some(isGeneric) || isGeneric(overload.result),
  }));
  return Map.groupBy(candidates, ({ overload: { isMember, parameters } }) =>
    shapeOf(isMember, parameters.length),
  );
}

function shapeOf(isMember: boolean, count: number): number {
  return 2 * count + (isMember ? 1 : 0);
}

/** Whether a type has parameters that are bound when it is used. */
export function isGeneric(type: CelType): boolean {
  return type.kind === 'type-parameter' || type.parameters.some(isGeneric);
}
