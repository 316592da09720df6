/**
 * Names, and the fields and indices behind them.
 */

import type { CallExpression, Expression, SelectExpression } from '../ast/expression.ts';
import { noSuchOverload } from '../values/error.ts';
import { followJson, hasJsonField } from '../values/json.ts';
import { isError, isOptional } from '../values/value.ts';
import type { CelResult } from '../values/value.ts';
import type { Evaluator, Frame } from './frame.ts';
import { isAttribute, operandsOf } from './planning.ts';
import type { LocalVariable, Planning } from './planning.ts';
import { isPresent, select, selectOptionally } from './selection.ts';

/** A name as it stands in the tree. */
export interface PlannedName {
  readonly expression: Expression;
  readonly name: string;
  readonly rootCost: number;
}

/** A variable, a name of a loop or a constant. */
export function planIdentifier(planning: Planning, planned: PlannedName): Evaluator {
  const { expression, name, rootCost } = planned;
  const local = planning.findLocal(name);
  if (local !== undefined) return planLocal(local, rootCost);
  const reference = planning.referenceOf(expression);
  if (reference?.value !== undefined) return planning.constantly(reference.value);
  const variable = reference?.name ?? name;
  return (frame) => {
    frame.charge(rootCost);
    return frame.variable(variable);
  };
}

function planLocal({ slot, init }: LocalVariable, rootCost: number): Evaluator {
  return (frame) => {
    frame.charge(rootCost);
    const value = frame.slots[slot];
    if (value !== undefined) return value;
    const initial = init === undefined ? noSuchOverload : init(frame);
    frame.slots[slot] = initial;
    return initial;
  };
}

/** The operand of a step: an attribute goes on, anything else starts one. */
function planOperand(planning: Planning, operand: Expression, rootCost: number): Evaluator {
  if (isAttribute(planning, operand))
    return rootCost === 1 ? planning.plan(operand) : planning.planAttribute(operand, rootCost);
  const evaluate = planning.plan(operand);
  if (rootCost === 0) return evaluate;
  return (frame) => {
    const value = evaluate(frame);
    frame.charge(1);
    return value;
  };
}

/** `a.b.c`, `has(a.b)`, or a name with dots. */
export function planSelect(
  planning: Planning,
  expression: SelectExpression,
  rootCost: number,
): Evaluator {
  const reference = planning.referenceOf(expression);
  if (reference !== undefined) {
    return planIdentifier(planning, { expression, name: reference.name, rootCost });
  }
  if (!expression.isTest) return planFields(planning, expression, rootCost);
  const evaluate = planOperand(planning, expression.operand, rootCost);
  const { field } = expression;
  const testCost = planning.options.freePresenceTests ? 0 : 1;
  // The step itself takes the place of the operand's name.
  return (frame) => {
    frame.charge(testCost);
    const operand = evaluate(frame);
    return hasJsonField(operand, field) ?? isPresent(operand, field);
  };
}

/** A row of fields behind something. */
export interface FieldPath {
  readonly base: Evaluator;
  readonly fields: readonly string[];
  /** Reads the fields of what `base` gave. */
  read(frame: Frame, value: CelResult): CelResult;
}

function planFields(planning: Planning, last: SelectExpression, rootCost: number): Evaluator {
  const { base, read } = planPath(planning, last, rootCost);
  return (frame) => read(frame, base(frame));
}

/** The fields at the end of an expression, to be read at once. */
export function planPath(planning: Planning, last: SelectExpression, rootCost: number): FieldPath {
  const fields = [last.field];
  let operand = last.operand;
  while (operand.kind === 'select' && !operand.isTest && !planning.referenceOf(operand)) {
    fields.unshift(operand.field);
    operand = operand.operand;
  }
  const read = (frame: Frame, from: CelResult): CelResult => {
    const found = followJson(from, fields);
    if (found !== undefined) {
      frame.charge(fields.length);
      return found;
    }
    let value = from;
    for (const field of fields) {
      value = select(value, field);
      if (!isNone(value)) frame.charge(1);
    }
    return value;
  };
  return { base: planOperand(planning, operand, rootCost), fields, read };
}

/** `a[b]`, `a[?b]` and `a.?b`. */
export function planIndex(
  planning: Planning,
  call: CallExpression,
  {
    rootCost,
    isOptional: mayBeAbsent,
  }: { readonly rootCost: number; readonly isOptional: boolean },
): Evaluator {
  const [operand, key] = operandsOf(call);
  const evaluate = planOperand(planning, operand, rootCost);
  const read = mayBeAbsent ? selectOptionally : select;
  if (key.kind === 'constant') {
    const { value } = key;
    return (frame) => {
      const result = read(evaluate(frame), value);
      if (!isNone(result)) frame.charge(1);
      return result;
    };
  }
  const evaluateKey = planning.plan(key);
  const stepCost = isAttribute(planning, key) ? 0 : 1;
  return (frame) => {
    const container = evaluate(frame);
    if (isError(container)) return container;
    const value = evaluateKey(frame);
    frame.charge(stepCost);
    return isError(value) ? value : read(container, value);
  };
}

function isNone(value: CelResult): boolean {
  return isOptional(value) && value.value === undefined;
}
