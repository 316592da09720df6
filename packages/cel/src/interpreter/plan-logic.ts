/**
 * Operators that are no functions: what decides may leave the rest unevaluated.
 */

import type { CallExpression } from '../ast/expression.ts';
import type { Overload } from '../library/library.ts';
import { contains, hasKey } from '../values/equality.ts';
import { noSuchOverload } from '../values/error.ts';
import { elementsOf } from '../values/list.ts';
import { isError, isList, isMap, kindOf } from '../values/value.ts';
import type { CelList, CelResult, CelValue, CelValueKind } from '../values/value.ts';
import type { Evaluator } from './frame.ts';
import { planFunction } from './plan-function.ts';
import { isAttribute, operandsOf } from './planning.ts';
import type { Planning } from './planning.ts';

/** `&&` and `||`: an operand that decides does so, whatever error the other one is. */
export function planLogic(planning: Planning, call: CallExpression, deciding: boolean): Evaluator {
  const [leftOperand, rightOperand] = operandsOf(call);
  const left = planning.plan(leftOperand);
  const right = planning.plan(rightOperand);
  return (frame) => {
    const first = left(frame);
    return first === deciding ? deciding : combine(first, right(frame), deciding);
  };
}

/** Two operands of `&&` or `||`, the first of which does not decide. */
export function combine(first: CelResult, second: CelResult, deciding: boolean): CelResult {
  if (second === deciding) return deciding;
  if (typeof first !== 'boolean') return isError(first) ? first : noSuchOverload;
  if (typeof second !== 'boolean') return isError(second) ? second : noSuchOverload;
  return !deciding;
}

/** `a ? b : c`. */
export function planConditional(planning: Planning, call: CallExpression): Evaluator {
  const [condition, whenTrue, whenFalse] = call.arguments;
  if (condition === undefined || whenTrue === undefined || whenFalse === undefined) {
    return () => noSuchOverload;
  }
  const test = planning.plan(condition);
  const [positive, negative] = [whenTrue, whenFalse].map((branch) =>
    isAttribute(planning, branch) ? planning.planAttribute(branch, 0) : planning.plan(branch),
  ) as [Evaluator, Evaluator];
  return (frame) => {
    const value = test(frame);
    if (value === true) return positive(frame);
    if (value === false) return negative(frame);
    return isError(value) ? value : noSuchOverload;
  };
}

/** The condition of loops that go on over errors. */
export function planNotStrictlyFalse(planning: Planning, call: CallExpression): Evaluator {
  const value = planning.plan(call.arguments[0] ?? call);
  return (frame) => {
    const result = value(frame) !== false;
    frame.charge(1);
    return result;
  };
}

/**
 * `a in b`. A folded list of scalars costs nothing. COMPAT: in a folded empty list is nothing, not
 * even an error.
 */
export function planIn(planning: Planning, call: CallExpression): Evaluator {
  const [soughtOperand, containerOperand] = operandsOf(call);
  const [folded] = planning.constantValues([planning.plan(containerOperand)]) ?? [];
  if (folded !== undefined && isList(folded) && [...elementsOf(folded)].every(isPrimitive)) {
    const value = planning.plan(soughtOperand);
    if (folded.size === 0) return planning.constantly(false);
    return (frame) => {
      const sought = value(frame);
      return isError(sought) ? sought : contains(folded, sought);
    };
  }
  const inList: Overload['invoke'] = (sought: CelValue, list: CelList) => contains(list, sought);
  const inMap: Overload['invoke'] = (sought: CelValue, map: CelValue) =>
    isMap(map) && hasKey(map, sought);
  return planFunction(planning, call, { in_list: inList, in_map: inMap });
}

const primitives: ReadonlySet<CelValueKind> = new Set([
  'bool',
  'bytes',
  'double',
  'int',
  'string',
  'uint',
]);

function isPrimitive(value: CelValue): boolean {
  return primitives.has(kindOf(value));
}
