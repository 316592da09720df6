/**
 * Which parts of an expression made its value what it is: of a conjunction that is false those that
 * are false, of a comparison its two sides, of `all` the element that failed. It reads the values
 * that evaluation observed and computes nothing.
 */

import { isBinding } from '../ast/binding.ts';
import type { CallExpression, ComprehensionExpression, Expression } from '../ast/expression.ts';
import { formatExpression, isRelation, macroOf } from '../ast/format-expression.ts';
import { operators } from '../operators.ts';
import { isError } from '../values/value.ts';
import type { CelResult } from '../values/value.ts';

/** A part of an expression, with the value that it had. */
export interface DecidingPart {
  /** Of the node with which the part begins in the source. */
  readonly id: number;
  /** The part as source text. */
  readonly text: string;
  readonly value: CelResult;
}

/** The last value of each node that was evaluated, by id. */
export type ObservedValues = ReadonlyMap<number, CelResult>;

/** More parts than these explain nothing. */
const partsMax = 16;

/** In the order of the source; each text once. */
export function decidingParts(expression: Expression, values: ObservedValues): DecidingPart[] {
  const parts = new Map<string, DecidingPart>();
  const collector: Collector = {
    values,
    add(part) {
      if (part.kind === 'constant' || parts.size >= partsMax) return;
      const value = values.get(part.id);
      if (value === undefined) return;
      const text = formatExpression(part);
      if (!parts.has(text)) parts.set(text, { id: leftmost(part).id, text, value });
    },
  };
  collect(expression, collector);
  return [...parts.values()];
}

/** Nodes stand where their operator stands; a part begins where its first operand does. */
function leftmost(expression: Expression): Expression {
  if (expression.kind === 'select' && !expression.isTest) return leftmost(expression.operand);
  if (expression.kind === 'comprehension' && !isBinding(expression)) {
    return leftmost(expression.range);
  }
  if (expression.kind !== 'call') return expression;
  const [first] = expression.arguments;
  const begin = expression.target ?? (isPath(expression) ? first : undefined);
  return begin === undefined ? expression : leftmost(begin);
}

interface Collector {
  readonly values: ObservedValues;
  /** Constants, and what was not evaluated, are left out. */
  add(part: Expression): void;
}

function collect(expression: Expression, collector: Collector): void {
  if (expression.kind === 'comprehension') return collectLoop(expression, collector);
  if (expression.kind === 'call') return collectCall(expression, collector);
  collector.add(expression);
}

function collectCall(call: CallExpression, collector: Collector): void {
  const { values } = collector;
  const [first, second, third] = call.arguments;
  switch (call.function) {
    case operators.and:
    case operators.or: {
      const own = values.get(call.id);
      const observed = call.arguments.filter((part) => values.has(part.id));
      const deciding = observed.filter((part) => isSame(values.get(part.id), own));
      for (const part of deciding.length > 0 ? deciding : observed) collect(part, collector);
      return;
    }
    case operators.not:
      if (first) collect(first, collector);
      return;
    case operators.conditional: {
      if (first) collect(first, collector);
      const taken = first && values.get(first.id) === true ? second : third;
      if (taken) collect(taken, collector);
      return;
    }
    default:
      if (!isRelation(call.function) && !isPath(call)) collector.add(call);
      collectOperands(call, collector);
  }
}

function isSame(value: CelResult | undefined, own: CelResult | undefined): boolean {
  if (value === undefined || own === undefined) return false;
  return value === own || (isError(value) && isError(own));
}

/** `a[b]` and `a.?b` read, as fields do. */
function isPath({ function: name }: CallExpression): boolean {
  return (
    name === operators.index ||
    name === operators.optionalIndex ||
    name === operators.optionalSelect
  );
}

/** What a function was given explains what it gave. */
function collectOperands(call: CallExpression, collector: Collector): void {
  if (isPath(call)) {
    collector.add(call);
    return;
  }
  for (const operand of call.target ? [call.target, ...call.arguments] : call.arguments) {
    if (operand.kind === 'call') collectCall(operand, collector);
    else if (operand.kind === 'comprehension') collectLoopValue(operand, collector);
    else collector.add(operand);
  }
}

/** A loop that makes a list explains itself by what it made, and by what it went over. */
function collectLoopValue(loop: ComprehensionExpression, collector: Collector): void {
  collector.add(loop);
  if (!isBinding(loop)) collector.add(loop.range);
}

/**
 * The last round decided a loop that was left early: its element and what was asked of it. One that
 * went round to the end was decided by all elements.
 */
function collectLoop(loop: ComprehensionExpression, collector: Collector): void {
  if (isBinding(loop)) {
    collect(loop.result, collector);
    collector.add(loop.accumulatorInit);
    return;
  }
  const macro = macroOf(loop);
  const own = collector.values.get(loop.id);
  const leftEarly =
    (macro?.name === 'all' && own === false) || (macro?.name === 'exists' && own === true);
  if (macro === undefined || !(leftEarly || isErrorValue(own))) {
    collectLoopValue(loop, collector);
    return;
  }
  // Which element it was: wherever the body names it.
  const element = findIdentifier(macro.body, loop.iterationVariable);
  if (element !== undefined) collector.add(element);
  collect(macro.body, collector);
}

/** One that was evaluated. */
function findIdentifier(within: Expression, name: string): Expression | undefined {
  if (within.kind === 'identifier') return within.name === name ? within : undefined;
  for (const child of childrenOf(within)) {
    const found = findIdentifier(child, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'select':
      return [expression.operand];
    case 'call':
      return expression.target
        ? [expression.target, ...expression.arguments]
        : expression.arguments;
    case 'list':
      return expression.elements;
    case 'comprehension':
      return [expression.range, expression.loopStep];
    default:
      return [];
  }
}

function isErrorValue(value: CelResult | undefined): boolean {
  return value !== undefined && isError(value);
}
