/**
 * Which overloads of a function take some argument types. Type parameters of an overload are made
 * anew for each call, so that two calls do not decide each other's.
 */

import type { FunctionDeclaration, Overload } from '../library/library.ts';
import { isSameType } from '../types/same-type.ts';
import { celTypes } from '../types/type.ts';
import type { CelType } from '../types/type.ts';
import type { TypeSubstitution } from './type-substitution.ts';

/** The overloads that can apply, and what type comes out. */
export interface OverloadMatch {
  readonly overloadIds: readonly string[];
  /** The common result; dyn when the overloads disagree. */
  readonly result: CelType;
}

/** Matches calls against overloads, binding type parameters. */
export interface OverloadInstances {
  match(
    declaration: FunctionDeclaration,
    isMember: boolean,
    values: readonly CelType[],
  ): OverloadMatch | undefined;
}

/** Instances that bind in `substitution`. */
export function createOverloadInstances(substitution: TypeSubstitution): OverloadInstances {
  return {
    match: (declaration, isMember, values) => {
      const overloadIds: string[] = [];
      let result: CelType | undefined;
      for (const overload of declaration.overloads) {
        if (overload.isMember !== isMember || overload.parameters.length !== values.length)
          continue;
        const instance = instantiate(overload, substitution);
        if (!substitution.isAssignableList(values, instance.parameters)) continue;
        overloadIds.push(overload.id);
        const own = substitution.resolve(instance.result);
        if (result === undefined) result = own;
        else if (result.kind !== 'dyn' && !isSameType(result, own)) result = celTypes.dyn;
      }
      return result === undefined ? undefined : { overloadIds, result };
    },
  };
}

type Signature = Pick<Overload, 'parameters' | 'result'>;

function instantiate(overload: Overload, substitution: TypeSubstitution): Signature {
  if (!overload.parameters.some(isGeneric) && !isGeneric(overload.result)) return overload;
  const fresh = new Map<string, CelType>();
  const replace = (type: CelType): CelType => {
    if (type.kind === 'type-parameter') {
      const known = fresh.get(type.name) ?? substitution.freshParameter();
      fresh.set(type.name, known);
      return known;
    }
    return isGeneric(type) ? { ...type, parameters: type.parameters.map(replace) } : type;
  };
  return { parameters: overload.parameters.map(replace), result: replace(overload.result) };
}

function isGeneric(type: CelType): boolean {
  return type.kind === 'type-parameter' || type.parameters.some(isGeneric);
}
