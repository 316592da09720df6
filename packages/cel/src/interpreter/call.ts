/**
 * Calls of functions: which overload runs, and what it costs.
 *
 * Where checking left one overload, it runs if its arguments are of its types. Where it left
 * several (an argument is dyn), the first of the function's overloads that takes the values runs.
 */

import type { CallCost } from '../cost/cost.ts';
import { defaultCallCounter } from '../cost/default-call-cost.ts';
import type { Overload } from '../library/library.ts';
import { operators } from '../operators.ts';
import { noSuchOverload } from '../values/error.ts';
import { isError, isList } from '../values/value.ts';
import type { CelResult, CelValue } from '../values/value.ts';
import { EvaluationCancelled } from './frame.ts';
import type { Evaluator, Frame } from './frame.ts';
import { typeTest } from './runtime-type.ts';

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

type Values = readonly CelResult[];

/** An overload as it is run: any values in, the result out, undefined if it does not take them. */
interface RunnableOverload {
  readonly overload: Overload;
  readonly takes: (values: Values) => boolean;
  readonly invoke: (...values: CelResult[]) => CelResult;
}

/** The evaluator of a call. */
export function planCall(call: PlannedCall): Evaluator {
  const candidates = call.overloads
    .filter((overload) => overload.parameters.length === call.values.length)
    .map(toRunnable);
  const countCost = costCounter(call);
  // Appending shares what is there; everything else makes anew.
  const isShared = call.function === operators.add;
  const run: Run = (values, frame) => {
    for (const candidate of candidates) {
      if (!candidate.takes(values)) continue;
      const result = apply(candidate.invoke, values);
      if (isError(result) && result.fatal === true) throw new EvaluationCancelled(result.message);
      const size = sizeOf(result, isShared);
      if (size > 0) frame.allocate(size);
      return result;
    }
    return noSuchOverload;
  };
  const [first, second] = call.values;
  if (first !== undefined && call.values.length === 1) return planUnary(first, run, countCost);
  if (first !== undefined && second !== undefined && call.values.length === 2) {
    return planBinary([first, second], run, countCost);
  }
  return planMany(call.values, run, countCost);
}

type Run = (values: CelResult[], frame: Frame) => CelResult;

// Without spreading, which is slow for the one or two values of most calls.
function apply(invoke: RunnableOverload['invoke'], values: Values): CelResult {
  const first = values[0];
  const second = values[1];
  if (first !== undefined && values.length === 1) return invoke(first);
  if (first !== undefined && second !== undefined && values.length === 2) {
    return invoke(first, second);
  }
  return invoke(...values);
}

function sizeOf(result: CelResult, isShared: boolean): number {
  if (typeof result === 'string' || result instanceof Uint8Array) return result.length;
  return !isShared && isList(result) ? result.size : 0;
}

type CountCost = (values: Values, result: CelResult) => number;

function toRunnable(overload: Overload): RunnableOverload {
  const tests = overload.parameters.map(typeTest);
  const [first, second] = tests;
  // The values were tested against the parameters, which is all that `never` asks for.
  const invoke = overload.invoke as (...values: CelResult[]) => CelResult;
  if (first !== undefined && tests.length === 1) {
    return { overload, invoke, takes: (values) => values[0] !== undefined && first(values[0]) };
  }
  if (first !== undefined && second !== undefined && tests.length === 2) {
    return {
      overload,
      invoke,
      takes: (values) => {
        const a = values[0];
        const b = values[1];
        return a !== undefined && b !== undefined && first(a) && second(b);
      },
    };
  }
  return {
    overload,
    invoke,
    takes: (values) => values.every((value, index) => tests[index]?.(value) === true),
  };
}

function planUnary(value: Evaluator, run: Run, countCost: CountCost): Evaluator {
  return (frame) => {
    const values = [value(frame)];
    const result = firstError(values) ?? run(values, frame);
    frame.charge(countCost(values, result));
    return result;
  };
}

function planBinary(
  [first, second]: readonly [Evaluator, Evaluator],
  run: Run,
  countCost: CountCost,
): Evaluator {
  return (frame) => {
    const values = [first(frame), second(frame)];
    const result = firstError(values) ?? run(values, frame);
    frame.charge(countCost(values, result));
    return result;
  };
}

// COMPAT: with three and more arguments, the first error ends the call before it costs anything.
function planMany(evaluators: readonly Evaluator[], run: Run, countCost: CountCost): Evaluator {
  return (frame) => {
    const values: CelResult[] = [];
    for (const evaluate of evaluators) {
      const value = evaluate(frame);
      if (isError(value)) return value;
      values.push(value);
    }
    const result = run(values, frame);
    frame.charge(countCost(values, result));
    return result;
  };
}

function firstError(values: Values): CelResult | undefined {
  for (const value of values) if (isError(value)) return value;
  return undefined;
}

function costCounter(call: PlannedCall): CountCost {
  const byDefault = defaultCallCounter(call.overloadId);
  const known = call.overloads.filter((overload) => overload.cost !== undefined);
  const count = call.count;
  if (known.length === 0 && count === undefined) return (values) => byDefault(values[0], values[1]);
  return (values, result) => {
    if (values.some(isError)) return byDefault(values[0], values[1]);
    const record = {
      function: call.function,
      overloadId: call.overloadId,
      // Errors were excluded above.
      arguments: values as readonly CelValue[],
      result,
    };
    for (const overload of known) {
      const isIt = overload.id === call.overloadId || takes(overload, values);
      const cost = isIt ? overload.cost?.(record) : undefined;
      if (cost !== undefined) return cost;
    }
    return count?.(record) ?? byDefault(values[0], values[1]);
  };
}

function takes(overload: Overload, values: Values): boolean {
  return (
    overload.parameters.length === values.length &&
    overload.parameters.every((type, index) => {
      const value = values[index];
      return value !== undefined && typeTest(type)(value);
    })
  );
}
