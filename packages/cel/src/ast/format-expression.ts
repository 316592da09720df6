/**
 * A tree as source text: what a person would have written, on one line. Loops that the standard
 * macros made are printed as these macros.
 */

import { accumulatorName, operators } from '../operators.ts';
import { isBinding } from './binding.ts';
import type {
  CallExpression,
  ComprehensionExpression,
  ConstantValue,
  Expression,
} from './expression.ts';

/**
 * How tightly parts hold together; a part that holds less tightly than its place needs brackets.
 */
const tightness = {
  conditional: 0,
  or: 1,
  and: 2,
  relation: 3,
  sum: 4,
  product: 5,
  unary: 6,
  postfix: 7,
};

interface Infix {
  readonly symbol: string;
  readonly tightness: number;
}

const infixes: ReadonlyMap<string, Infix> = new Map([
  [operators.or, { symbol: '||', tightness: tightness.or }],
  [operators.and, { symbol: '&&', tightness: tightness.and }],
  [operators.equals, { symbol: '==', tightness: tightness.relation }],
  [operators.notEquals, { symbol: '!=', tightness: tightness.relation }],
  [operators.less, { symbol: '<', tightness: tightness.relation }],
  [operators.lessEquals, { symbol: '<=', tightness: tightness.relation }],
  [operators.greater, { symbol: '>', tightness: tightness.relation }],
  [operators.greaterEquals, { symbol: '>=', tightness: tightness.relation }],
  [operators.in, { symbol: 'in', tightness: tightness.relation }],
  [operators.add, { symbol: '+', tightness: tightness.sum }],
  [operators.subtract, { symbol: '-', tightness: tightness.sum }],
  [operators.multiply, { symbol: '*', tightness: tightness.product }],
  [operators.divide, { symbol: '/', tightness: tightness.product }],
  [operators.modulo, { symbol: '%', tightness: tightness.product }],
]);

/** Whether a name is an operator that compares its two operands. */
export function isRelation(name: string): boolean {
  return infixes.get(name)?.tightness === tightness.relation;
}

export function formatExpression(expression: Expression): string {
  return format(expression, tightness.conditional);
}

function format(expression: Expression, place: number): string {
  switch (expression.kind) {
    case 'constant':
      return formatConstant(expression.value);
    case 'identifier':
      return expression.name;
    case 'select': {
      const text = `${format(expression.operand, tightness.postfix)}.${expression.field}`;
      return expression.isTest ? `has(${text})` : text;
    }
    case 'call':
      return formatCall(expression, place);
    case 'list': {
      const optional = new Set(expression.optionalIndices);
      const parts = expression.elements.map((e, i) => `${optional.has(i) ? '?' : ''}${inner(e)}`);
      return `[${parts.join(', ')}]`;
    }
    case 'map': {
      const parts = expression.entries.map(
        ({ key, value, isOptional }) => `${isOptional ? '?' : ''}${inner(key)}: ${inner(value)}`,
      );
      return `{${parts.join(', ')}}`;
    }
    case 'struct': {
      const parts = expression.fields.map(
        ({ name, value, isOptional }) => `${isOptional ? '?' : ''}${name}: ${inner(value)}`,
      );
      return `${expression.typeName}{${parts.join(', ')}}`;
    }
    case 'comprehension':
      return formatLoop(expression);
  }
}

const inner = (expression: Expression): string => format(expression, tightness.conditional);

function bracketed(text: string, own: number, place: number): string {
  return own < place ? `(${text})` : text;
}

function formatCall(call: CallExpression, place: number): string {
  const [first, second, third] = call.arguments;
  const infix = infixes.get(call.function);
  if (infix !== undefined && first !== undefined && second !== undefined) {
    const { symbol, tightness: own } = infix;
    const text = `${format(first, own)} ${symbol} ${format(second, own + 1)}`;
    return bracketed(text, own, place);
  }
  const name = call.function;
  if (name === operators.not && first) return `!${format(first, tightness.unary)}`;
  if (name === operators.negate && first) return `-${format(first, tightness.unary)}`;
  if (name === operators.conditional && first && second && third) {
    const text = `${format(first, tightness.or)} ? ${format(second, tightness.or)} : ${inner(third)}`;
    return bracketed(text, tightness.conditional, place);
  }
  if (first !== undefined && second !== undefined) {
    const operand = () => format(first, tightness.postfix);
    if (name === operators.index) return `${operand()}[${inner(second)}]`;
    if (name === operators.optionalIndex) return `${operand()}[?${inner(second)}]`;
    if (name === operators.optionalSelect) return `${operand()}.?${fieldText(second)}`;
  }
  const list = call.arguments.map(inner).join(', ');
  const target = call.target === undefined ? '' : `${format(call.target, tightness.postfix)}.`;
  return `${target}${name}(${list})`;
}

function fieldText(field: Expression): string {
  return field.kind === 'constant' ? String(field.value) : inner(field);
}

/** A loop as the macro that makes it. */
export interface LoopMacro {
  readonly name: 'all' | 'exists' | 'exists_one' | 'map' | 'filter';
  /** What is asked or made of each element. */
  readonly body: Expression;
  /** Which elements `map` takes; absent when it takes them all. */
  readonly filter?: Expression;
}

/** Undefined for loops that no standard macro makes. */
export function macroOf({ loopStep: step }: ComprehensionExpression): LoopMacro | undefined {
  if (step.kind !== 'call') return undefined;
  const [first, second, third] = step.arguments;
  if (first === undefined || second === undefined) return undefined;
  if (step.function === operators.and && isAccumulator(first)) return { name: 'all', body: second };
  if (step.function === operators.or && isAccumulator(first)) {
    return { name: 'exists', body: second };
  }
  const appended = appendedBy(step);
  if (appended !== undefined) return { name: 'map', body: appended };
  if (step.function !== operators.conditional || !third || !isAccumulator(third)) return undefined;
  const kept = appendedBy(second);
  if (kept === undefined) return { name: 'exists_one', body: first };
  return kept.kind === 'identifier'
    ? { name: 'filter', body: first }
    : { name: 'map', body: kept, filter: first };
}

function appendedBy(step: Expression): Expression | undefined {
  if (step.kind !== 'call' || step.function !== operators.add) return undefined;
  const [first, second] = step.arguments;
  if (first === undefined || !isAccumulator(first) || second?.kind !== 'list') return undefined;
  return second.elements[0];
}

function isAccumulator(expression: Expression): boolean {
  return expression.kind === 'identifier' && expression.name === accumulatorName;
}

function formatLoop(loop: ComprehensionExpression): string {
  if (isBinding(loop)) {
    return `cel.bind(${loop.accumulator}, ${inner(loop.accumulatorInit)}, ${inner(loop.result)})`;
  }
  const range = format(loop.range, tightness.postfix);
  const second = loop.iterationVariable2 === '' ? [] : [loop.iterationVariable2];
  const variables = [loop.iterationVariable, ...second];
  const macro = macroOf(loop);
  if (macro === undefined) return `${range}.loop(${variables.join(', ')}, …)`;
  const filter = macro.filter === undefined ? [] : [inner(macro.filter)];
  return `${range}.${macro.name}(${[...variables, ...filter, inner(macro.body)].join(', ')})`;
}

function formatConstant(value: ConstantValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return 'b"…"';
  if (typeof value === 'object') return `${value.value}u`;
  if (typeof value === 'number' && Number.isInteger(value)) return `${value}.0`;
  return String(value);
}
