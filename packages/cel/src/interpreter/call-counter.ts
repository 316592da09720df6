/**
 * What a call costs once it ran: what its overload says, else what the embedder says, else what the
 * language's own functions cost.
 */

import type { CallCost } from '../cost/cost.ts';
import { defaultCallCounter, isFixedCall } from '../cost/default-call-cost.ts';
import type { Overload } from '../library/library.ts';
import { isError } from '../values/value.ts';
import type { CelResult, CelValue } from '../values/value.ts';
import { typeTest } from './runtime-type.ts';

/** Counts the calls of one place in a tree. */
export interface CallCounter {
  /** The cost, where it is the same whatever the values. */
  readonly fixed: number | undefined;
  /** The cost by two values, where it is the language's own. */
  readonly countPair: ((first: CelResult, second: CelResult) => number) | undefined;
  count(values: readonly CelResult[], result: CelResult): number;
}

/** What decides about the cost of a call. */
export interface CountedCall {
  readonly function: string;
  readonly overloadId: string;
  readonly overloads: readonly Overload[];
  readonly count: CallCost | undefined;
}

/** The counter of a call. */
export function callCounter(call: CountedCall): CallCounter {
  const byDefault = defaultCallCounter(call.overloadId);
  const known = call.overloads
    .filter((overload) => overload.cost !== undefined)
    .map((overload) => ({ overload, tests: overload.parameters.map(typeTest) }));
  const { count } = call;
  if (known.length === 0 && count === undefined) {
    return {
      fixed: isFixedCall(call.overloadId) ? 1 : undefined,
      countPair: byDefault,
      count: (values) => byDefault(values[0], values[1]),
    };
  }
  return {
    fixed: undefined,
    countPair: undefined,
    count(values, result) {
      if (values.some(isError)) return byDefault(values[0], values[1]);
      const record = {
        function: call.function,
        overloadId: call.overloadId,
        // Errors were excluded above.
        arguments: values as readonly CelValue[],
        result,
      };
      for (const { overload, tests } of known) {
        const isIt =
          overload.id === call.overloadId ||
          (tests.length === values.length && tests.every((test, i) => test(values[i] ?? null)));
        const cost = isIt ? overload.cost?.(record) : undefined;
        if (cost !== undefined) return cost;
      }
      return count?.(record) ?? byDefault(values[0], values[1]);
    },
  };
}
