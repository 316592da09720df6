/**
 * Our trees as the test data writes those of cel-go: with the kind of each node, or with the types
 * and references that checking found. The printer is the data's own; here a tree takes the form
 * that it prints.
 */

import type { Constant, Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { KindAdorner, toDebugString } from '@bufbuild/cel-spec/testdata/to-debug-string.js';
import type { Expression, MapEntry, StructField } from '../src/ast/expression.ts';
import { WritableNodeTable, type NodeTable } from '../src/ast/node-table.ts';
import type { CheckedExpression, Reference } from '../src/checker/checked-expression.ts';
import { formatType } from '../src/types/format-type.ts';

/** A tree as it was parsed. */
export function parsedText(expression: Expression): string {
  return toDebugString(toMessage(expression, new WritableNodeTable()), KindAdorner.singleton);
}

/** A tree as it was checked: names are resolved, and all nodes have types. */
export function checkedText({ expression, types, references }: CheckedExpression): string {
  const adorner = {
    GetMetadata(message: object): string {
      // Entries of maps and objects are nodes there too, but have no types.
      if (!('exprKind' in message) || !('id' in message)) return '';
      const id = Number(message.id);
      const type = types.get(id);
      const kind = (message as Expr).exprKind.case;
      const isLoop = kind === 'comprehensionExpr' || kind === 'constExpr';
      const reference = isLoop ? undefined : references.get(id);
      return (type ? `~${formatType(type)}` : '') + (reference ? referenceText(reference) : '');
    },
  };
  return toDebugString(toMessage(expression, references), adorner);
}

function referenceText({ name, overloadIds = [] }: Reference): string {
  return `^${overloadIds.length === 0 ? name : overloadIds.toSorted().join('|')}`;
}

type References = NodeTable<Reference>;

/** The message that a node is there. The printer looks at these fields alone. */
function toMessage(expression: Expression, references: References): Expr {
  const message = {
    $typeName: 'cel.expr.Expr',
    id: BigInt(expression.id),
    exprKind: exprKind(expression, references),
  };
  return message as unknown as Expr;
}

function exprKind(expression: Expression, references: References): object {
  const inner = (part: Expression) => toMessage(part, references);
  const reference = references.get(expression.id);
  switch (expression.kind) {
    case 'constant':
      return { case: 'constExpr', value: { constantKind: constantKind(expression.value) } };
    case 'identifier':
      return { case: 'identExpr', value: { name: reference?.name ?? expression.name } };
    case 'select': {
      if (reference !== undefined) return { case: 'identExpr', value: { name: reference.name } };
      const { operand, field, isTest } = expression;
      return { case: 'selectExpr', value: { operand: inner(operand), field, testOnly: isTest } };
    }
    case 'call': {
      const { target, arguments: values } = expression;
      const isMember = target !== undefined && reference?.isNamespaced !== true;
      const name = reference?.isNamespaced === true ? reference.name : expression.function;
      const args = values.map(inner);
      const value = { function: name, target: isMember ? inner(target) : undefined, args };
      return { case: 'callExpr', value };
    }
    case 'list': {
      const { elements, optionalIndices } = expression;
      return { case: 'listExpr', value: { elements: elements.map(inner), optionalIndices } };
    }
    case 'map': {
      const entries = expression.entries.map((entry) => toEntry(entry, inner));
      return { case: 'structExpr', value: { messageName: '', entries } };
    }
    case 'struct': {
      const messageName = reference?.name ?? expression.typeName;
      const entries = expression.fields.map((field) => toEntry(field, inner));
      return { case: 'structExpr', value: { messageName, entries } };
    }
    case 'comprehension': {
      const value = {
        iterVar: expression.iterationVariable,
        iterVar2: expression.iterationVariable2,
        iterRange: inner(expression.range),
        accuVar: expression.accumulator,
        accuInit: inner(expression.accumulatorInit),
        loopCondition: inner(expression.loopCondition),
        loopStep: inner(expression.loopStep),
        result: inner(expression.result),
      };
      return { case: 'comprehensionExpr', value };
    }
  }
}

function toEntry(entry: MapEntry | StructField, inner: (part: Expression) => Expr): object {
  return {
    $typeName: 'cel.expr.Expr.CreateStruct.Entry',
    id: BigInt(entry.id),
    keyKind:
      'key' in entry
        ? { case: 'mapKey', value: inner(entry.key) }
        : { case: 'fieldKey', value: entry.name },
    value: inner(entry.value),
    optionalEntry: entry.isOptional,
  };
}

type ConstantValue = Extract<Expression, { kind: 'constant' }>['value'];

function constantKind(value: ConstantValue): Constant['constantKind'] {
  switch (typeof value) {
    case 'boolean':
      return { case: 'boolValue', value };
    case 'bigint':
      return { case: 'int64Value', value };
    case 'number':
      return { case: 'doubleValue', value };
    case 'string':
      return { case: 'stringValue', value };
    default:
      if (value === null) return { case: 'nullValue', value: 0 };
      if (value instanceof Uint8Array) return { case: 'bytesValue', value };
      return { case: 'uint64Value', value: value.value };
  }
}
