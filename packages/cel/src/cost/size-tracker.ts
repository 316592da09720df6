/**
 * What is known about the sizes of values while costs are estimated: sizes of results and of what is in lists and
 * maps, by node and by name, and the way from a variable to a value.
 */

import type { Expression } from '../ast/expression.ts';
import type { CheckedExpression } from '../checker/checked-expression.ts';
import { accumulatorName } from '../operators.ts';
import { celTypes } from '../types/type.ts';
import type { CelType } from '../types/type.ts';
import { codePointCount } from '../values/code-points.ts';
import type { CostEstimator, EstimatedNode, SizeEstimate } from './cost.ts';
import { exactly, uniteRanges, unknownSize } from './range.ts';

/** Sizes of what is in a container: keys (or indices) and values. */
export interface EntrySizes {
  readonly kind: 'list' | 'map';
  readonly key: SizeEstimate;
  readonly value: SizeEstimate;
}

/** A name that a loop or binding brings in. */
export interface LocalSizes {
  readonly path: readonly string[];
  readonly size: SizeEstimate | undefined;
  readonly entries: EntrySizes | undefined;
}

/** Keeps track of sizes during one estimation. */
export interface SizeTracker {
  typeOf(expression: Expression): CelType;
  pathOf(expression: Expression): readonly string[];
  setPath(expression: Expression, path: readonly string[]): void;
  sizeOf(expression: Expression): SizeEstimate | undefined;
  sizeOrUnknown(expression: Expression): SizeEstimate;
  setSize(expression: Expression, size: SizeEstimate | undefined): void;
  entriesOf(expression: Expression): EntrySizes | undefined;
  setEntries(expression: Expression, entries: EntrySizes | undefined): void;
  local(name: string): LocalSizes | undefined;
  withLocal<T>(name: string, sizes: LocalSizes, estimate: () => T): T;
  node(expression: Expression): EstimatedNode;
  sizeOfNode(node: EstimatedNode): SizeEstimate;
}

/** A tracker that knows nothing yet. */
export function createSizeTracker(
  checked: CheckedExpression,
  estimator: CostEstimator | undefined,
): SizeTracker {
  const paths = new Map<number, readonly string[]>();
  const sizes = new Map<number, SizeEstimate>();
  const entries = new Map<number, EntrySizes>();
  const locals = new Map<string, LocalSizes[]>();

  const typeOf = (expression: Expression): CelType =>
    checked.types.get(expression.id) ?? celTypes.dyn;

  const local = (name: string): LocalSizes | undefined => locals.get(name)?.at(-1);

  const localOf = (expression: Expression): LocalSizes | undefined =>
    expression.kind === 'identifier' ? local(expression.name) : undefined;

  const pathOf = (expression: Expression): readonly string[] =>
    localOf(expression)?.path ?? paths.get(expression.id) ?? [];

  const visiblePath = (expression: Expression): readonly string[] | undefined => {
    const path = pathOf(expression);
    return path.length === 0 || path[0] === accumulatorName ? undefined : path;
  };

  const sizeOf = (expression: Expression): SizeEstimate | undefined => {
    const known = sizes.get(expression.id) ?? literalSize(expression);
    if (known !== undefined) return known;
    const type = typeOf(expression);
    const path = pathOf(expression);
    const estimated = estimator?.estimateSize({
      path: path.length === 0 ? undefined : path,
      type,
      expression,
      computedSize: undefined,
    });
    if (estimated !== undefined) {
      sizes.set(expression.id, estimated);
      return estimated;
    }
    return isScalar(type) ? exactly(1) : localOf(expression)?.size;
  };

  const withLocal = <T>(name: string, known: LocalSizes, estimate: () => T): T => {
    const stack = locals.get(name) ?? [];
    locals.set(name, stack);
    stack.push(known);
    const result = estimate();
    stack.pop();
    return result;
  };

  return {
    typeOf,
    pathOf,
    setPath: (expression, path) => paths.set(expression.id, path),
    sizeOf,
    sizeOrUnknown: (expression) => sizeOf(expression) ?? unknownSize,
    setSize: (expression, size) => {
      if (size !== undefined) sizes.set(expression.id, size);
    },
    entriesOf: (expression) => entries.get(expression.id) ?? localOf(expression)?.entries,
    setEntries: (expression, known) => {
      if (known !== undefined) entries.set(expression.id, known);
    },
    local,
    withLocal,
    node: (expression) => ({
      path: visiblePath(expression),
      type: typeOf(expression),
      expression,
      computedSize: sizeOf(expression),
    }),
    sizeOfNode: (node) =>
      node.computedSize ??
      estimator?.estimateSize(node) ??
      (isScalar(node.type) ? exactly(1) : unknownSize),
  };
}

/** What is in either of two containers; nothing is known unless both are. */
export function uniteEntries(
  left: EntrySizes | undefined,
  right: EntrySizes | undefined,
): EntrySizes | undefined {
  if (left === undefined || right === undefined) return undefined;
  return {
    kind: left.kind,
    key: uniteRanges(left.key, right.key),
    value: uniteRanges(left.value, right.value),
  };
}

function literalSize(expression: Expression): SizeEstimate | undefined {
  if (expression.kind === 'list') return exactly(expression.elements.length);
  if (expression.kind === 'map') return exactly(expression.entries.length);
  if (expression.kind !== 'constant') return undefined;
  const { value } = expression;
  if (typeof value === 'string') return exactly(codePointCount(value));
  return exactly(value instanceof Uint8Array ? value.length : 1);
}

function isScalar(type: CelType): boolean {
  switch (type.kind) {
    case 'bool':
    case 'double':
    case 'duration':
    case 'int':
    case 'timestamp':
    case 'uint':
      return true;
    case 'wrapper':
    case 'optional': {
      const [content] = type.parameters;
      return content !== undefined && isScalar(content);
    }
    default:
      return false;
  }
}
