/**
 * Calls of functions: which overload runs, and what it costs.
 *
 * Where checking left one overload, it runs if its arguments are of its types. Where it left
 * several (an argument is dyn), the first of the function's overloads that takes the values runs.
 */

import type { CallCost } from '../cost/cost.ts';
import { operators } from '../operators.ts';
import type { Overload } from '../library/library.ts';
import type { CelTypeKind } from '../types/type.ts';
import { noSuchOverload } from '../values/error.ts';
import { isError, isList } from '../values/value.ts';
import type { CelResult, CelValue } from '../values/value.ts';
import { callCounter } from './call-counter.ts';
import type { CallCounter } from './call-counter.ts';
import { EvaluationCancelled } from './frame.ts';
import type { Evaluator, Frame } from './frame.ts';
import { typeTest } from './runtime-type.ts';
import type { TypeTest } from './runtime-type.ts';

/** A call whose function is known. */
export interface PlannedCall {
  readonly function: string;
  /** The overload that checking found; empty if there are several. */
  readonly overloadId: string;
  readonly overloads: readonly Overload[];
  readonly values: readonly Evaluator[];
  /** The embedder's costs. */
  readonly count: CallCost | undefined;
}

/** An overload as it is run: any values in, the result out. */
interface RunnableOverload {
  readonly tests: readonly TypeTest[];
  readonly invoke: (...values: CelResult[]) => CelResult;
  /** Whether results may be long, and are made anew. */
  readonly makes: boolean;
}

/** The evaluator of a call. */
export function planCall(call: PlannedCall): Evaluator {
  const candidates = candidatesOf(call, call.values.length);
  const counter = callCounter(call);
  const [first, second] = call.values;
  if (first !== undefined && call.values.length === 1) return planUnary(first, candidates, counter);
  if (first !== undefined && second !== undefined && call.values.length === 2) {
    const pair = pairCall(candidates, counter);
    return (frame) => {
      const a = first(frame);
      return pair(frame, a, second(frame));
    };
  }
  return planMany(call.values, candidates, counter);
}

function candidatesOf(call: Omit<PlannedCall, 'values'>, count: number): Candidates {
  return call.overloads
    .filter((overload) => overload.parameters.length === count)
    .map((overload) => toRunnable(overload, call.function));
}

const longKinds: ReadonlySet<CelTypeKind> = new Set([
  'any',
  'bytes',
  'dyn',
  'list',
  'string',
  'type-parameter',
  'wrapper',
]);

function toRunnable(overload: Overload, name: string): RunnableOverload {
  // Appending to a list shares what is there; everything else makes anew.
  const isShared = name === operators.add && overload.result.kind === 'list';
  return {
    tests: overload.parameters.map(typeTest),
    // The values are tested against the parameters, which is all that `never` asks for.
    invoke: overload.invoke as (...values: CelResult[]) => CelResult,
    makes: !isShared && longKinds.has(overload.result.kind),
  };
}

/** What a call gives to the expression: errors that end everything and what is too much do so. */
function delivered(frame: Frame, { makes }: RunnableOverload, result: CelResult): CelResult {
  if (typeof result === 'boolean') return result;
  if (isError(result)) {
    if (result.fatal === true) throw new EvaluationCancelled(result.message);
  } else if (makes) {
    const size = sizeOf(result);
    if (size > 0) frame.allocate(size);
  }
  return result;
}

function sizeOf(result: CelValue): number {
  if (typeof result === 'string' || result instanceof Uint8Array) return result.length;
  return isList(result) ? result.size : 0;
}

type Candidates = readonly RunnableOverload[];

function planUnary(value: Evaluator, candidates: Candidates, counter: CallCounter): Evaluator {
  const run = chooseForOne(candidates);
  return (frame) => {
    const a = value(frame);
    const result = isError(a) ? a : run(frame, a);
    frame.charge(counter.fixed ?? counter.count([a], result));
    return result;
  };
}

// Of most functions there is one overload; the loop is for the others.
function chooseForOne(candidates: Candidates): (frame: Frame, a: CelValue) => CelResult {
  const [only, ...others] = candidates;
  const [test] = only?.tests ?? [];
  if (only !== undefined && test !== undefined && others.length === 0) {
    const { invoke } = only;
    return (frame, a) => (test(a) ? delivered(frame, only, invoke(a)) : noSuchOverload);
  }
  return (frame, a) => {
    for (const candidate of candidates) {
      if (candidate.tests[0]?.(a) === true) {
        return delivered(frame, candidate, candidate.invoke(a));
      }
    }
    return noSuchOverload;
  };
}

/** A call of two values that are there already, or why they are not. */
export type PairCall = (frame: Frame, first: CelResult, second: CelResult) => CelResult;

/** The call of two values, for those who read them in their own way. */
export function planPairCall(call: Omit<PlannedCall, 'values'>): PairCall {
  return pairCall(candidatesOf(call, 2), callCounter(call));
}

// Without arrays, which would be most of the time of most calls.
function pairCall(candidates: Candidates, counter: CallCounter): PairCall {
  const run = chooseForTwo(candidates);
  const { fixed, countPair } = counter;
  return (frame, a, b) => {
    const result = isError(a) ? a : isError(b) ? b : run(frame, a, b);
    frame.charge(fixed ?? countPair?.(a, b) ?? counter.count([a, b], result));
    return result;
  };
}

type RunTwo = (frame: Frame, a: CelValue, b: CelValue) => CelResult;

function chooseForTwo(candidates: Candidates): RunTwo {
  const [only, ...others] = candidates;
  const [testFirst, testSecond] = only?.tests ?? [];
  if (only !== undefined && testFirst && testSecond && others.length === 0) {
    const { invoke } = only;
    return (frame, a, b) =>
      testFirst(a) && testSecond(b) ? delivered(frame, only, invoke(a, b)) : noSuchOverload;
  }
  return (frame, a, b) => {
    for (const candidate of candidates) {
      const { tests } = candidate;
      if (tests[0]?.(a) === true && tests[1]?.(b) === true) {
        return delivered(frame, candidate, candidate.invoke(a, b));
      }
    }
    return noSuchOverload;
  };
}

// COMPAT: with three and more arguments, the first error ends the call before it costs anything.
function planMany(
  evaluators: readonly Evaluator[],
  candidates: Candidates,
  counter: CallCounter,
): Evaluator {
  const run = (frame: Frame, values: readonly CelValue[]): CelResult => {
    const candidate = candidates.find(({ tests }) =>
      values.every((value, index) => tests[index]?.(value) === true),
    );
    if (candidate === undefined) return noSuchOverload;
    return delivered(frame, candidate, candidate.invoke(...values));
  };
  return (frame) => {
    const values: CelValue[] = [];
    for (const evaluate of evaluators) {
      const value = evaluate(frame);
      if (isError(value)) return value;
      values.push(value);
    }
    const result = run(frame, values);
    frame.charge(counter.fixed ?? counter.count(values, result));
    return result;
  };
}
