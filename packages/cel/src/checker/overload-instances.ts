/**
 * Which overloads of a function take some argument types. Type parameters of an overload are made
 * anew for each call, so that two calls do not decide each other's.
 */

import type { Overload } from '../library/library.ts';
import { isSameType } from '../types/same-type.ts';
import { celTypes } from '../types/type.ts';
import type { CelType } from '../types/type.ts';
import { isGeneric, type Candidate, type DeclaredFunction } from './declared-function.ts';
import type { TypeSubstitution } from './type-substitution.ts';

/** The overloads that can apply, and what type comes out. */
export interface OverloadMatch {
  readonly overloadIds: readonly string[];
  /** The common result; dyn when the overloads disagree. */
  readonly result: CelType;
}

/** Undefined when no overload takes these types; binds type parameters of theirs. */
export function matchOverloads(
  declaration: DeclaredFunction,
  { isMember, values }: { readonly isMember: boolean; readonly values: readonly CelType[] },
  substitution: TypeSubstitution,
): OverloadMatch | undefined {
  // What simple types match is the same in every expression.
  const known = values.every(isSimple) ? declaration.known(isMember, values) : undefined;
  if (known?.match !== undefined) {
    substitution.skipParameters(known.parameterCount);
    return known.match;
  }
  const before = substitution.parameterCount;
  const match = matchEach(declaration.taking(isMember, values.length), values, substitution);
  if (known !== undefined && match !== undefined && !isGeneric(match.result)) {
    known.match = match;
    known.parameterCount = substitution.parameterCount - before;
  }
  return match;
}

function matchEach(
  candidates: readonly Candidate[],
  values: readonly CelType[],
  substitution: TypeSubstitution,
): OverloadMatch | undefined {
  const overloadIds: string[] = [];
  let result: CelType | undefined;
  for (const { overload, isGeneric: hasParameters } of candidates) {
    const instance = hasParameters ? instantiate(overload, substitution) : overload;
    if (!substitution.isAssignableList(values, instance.parameters)) continue;
    overloadIds.push(overload.id);
    const own = substitution.resolve(instance.result);
    if (result === undefined) result = own;
    else if (result.kind !== 'dyn' && !isSameType(result, own)) result = celTypes.dyn;
  }
  return result === undefined ? undefined : { overloadIds, result };
}

const simpleTypes: ReadonlySet<CelType> = new Set(Object.values(celTypes));

function isSimple(type: CelType): boolean {
  return simpleTypes.has(type);
}

type Signature = Pick<Overload, 'parameters' | 'result'>;

function instantiate(overload: Overload, substitution: TypeSubstitution): Signature {
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
