/**
 * A field compared with a whole number, as in `object.spec.replicas <= 10`: what most rules are.
 * Where the field is a whole number of JSON too, the two are compared as they are, without bigints;
 * all else goes the way of every call.
 */

import type {
  CallExpression,
  ConstantExpression,
  Expression,
  SelectExpression,
} from '../ast/expression.ts';
import { operators } from '../operators.ts';
import { followJsonInteger } from '../values/json.ts';
import type { Evaluator } from './frame.ts';
import { planPairCall } from './call.ts';
import { planPath } from './plan-attribute.ts';
import { calledFunction } from './plan-function.ts';
import { hasDefaultCost, stepCost } from './planned-loop.ts';
import { operandsOf } from './planning.ts';
import type { Planning } from './planning.ts';

type Compare = (field: number, constant: number) => boolean;

/** The overload for two ints, where only one of several does it; equality takes everything. */
interface Comparison {
  readonly intOverload: string | undefined;
  readonly compare: Compare;
}

const comparisons: ReadonlyMap<string, Comparison> = new Map([
  [operators.less, { intOverload: 'less_int64', compare: (a, b) => a < b }],
  [operators.lessEquals, { intOverload: 'less_equals_int64', compare: (a, b) => a <= b }],
  [operators.greater, { intOverload: 'greater_int64', compare: (a, b) => a > b }],
  [operators.greaterEquals, { intOverload: 'greater_equals_int64', compare: (a, b) => a >= b }],
  [operators.equals, { intOverload: undefined, compare: (a, b) => a === b }],
  [operators.notEquals, { intOverload: undefined, compare: (a, b) => a !== b }],
]);

/** The evaluator of such a comparison; undefined for other calls. */
export function planComparison(planning: Planning, call: CallExpression): Evaluator | undefined {
  const comparison = comparisons.get(call.function);
  if (comparison === undefined || !hasDefaultCost(planning, call.function)) return undefined;
  const { intOverload, compare } = comparison;
  const ids = planning.referenceOf(call)?.overloadIds ?? [];
  if (intOverload !== undefined && !ids.includes(intOverload)) return undefined;
  const [field, right] = operandsOf(call);
  if (!isWholeNumber(right) || !isField(planning, field)) return undefined;
  const constant = Number(right.value);
  const { base, fields, read } = planPath(planning, field, 1);
  const general = planPairCall(calledFunction(planning, call));
  const { value } = right;
  return (frame) => {
    const from = base(frame);
    const number = followJsonInteger(from, fields);
    if (number === undefined) return general(frame, read(frame, from), value);
    frame.charge(fields.length + stepCost);
    return compare(number, constant);
  };
}

/** An int that a double holds exactly. */
function isWholeNumber(expression: Expression): expression is ConstantExpression {
  if (expression.kind !== 'constant' || typeof expression.value !== 'bigint') return false;
  return Number.isSafeInteger(Number(expression.value));
}

function isField(planning: Planning, expression: Expression): expression is SelectExpression {
  return (
    expression.kind === 'select' &&
    !expression.isTest &&
    planning.referenceOf(expression) === undefined
  );
}
