/**
 * What is known about the sizes of values while costs are estimated: sizes of results and of what
 * is in lists and maps, by node and by name, and the way from a variable to a value.
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
  return new Sizes(checked, estimator);
}

// What is known in one estimation.
class Sizes implements SizeTracker {
  readonly #checked: CheckedExpression;
  readonly #estimator: CostEstimator | undefined;

  readonly #paths = new Map<number, readonly string[]>();
  readonly #sizes = new Map<number, SizeEstimate>();
  readonly #entries = new Map<number, EntrySizes>();
  readonly #locals = new Map<string, LocalSizes[]>();

  constructor(checked: CheckedExpression, estimator: CostEstimator | undefined) {
    this.#checked = checked;
    this.#estimator = estimator;
  }

  typeOf(expression: Expression): CelType {
    return this.#checked.types.get(expression.id) ?? celTypes.dyn;
  }

  local(name: string): LocalSizes | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #localOf(expression: Expression): LocalSizes | undefined {
    return expression.kind === 'identifier' ? this.local(expression.name) : undefined;
  }

  pathOf(expression: Expression): readonly string[] {
    return this.#localOf(expression)?.path ?? this.#paths.get(expression.id) ?? [];
  }

  #visiblePath(expression: Expression): readonly string[] | undefined {
    const path = this.pathOf(expression);
    return path.length === 0 || path[0] === accumulatorName ? undefined : path;
  }

  sizeOf(expression: Expression): SizeEstimate | undefined {
    const known = this.#sizes.get(expression.id) ?? literalSize(expression);
    if (known !== undefined) return known;
    const type = this.typeOf(expression);
    const path = this.pathOf(expression);
    const estimated = this.#estimator?.estimateSize({
      path: path.length === 0 ? undefined : path,
      type,
      expression,
      computedSize: undefined,
    });
    if (estimated !== undefined) {
      this.#sizes.set(expression.id, estimated);
      return estimated;
    }
    return isScalar(type) ? exactly(1) : this.#localOf(expression)?.size;
  }

  withLocal<T>(name: string, known: LocalSizes, estimate: () => T): T {
    const stack = this.#locals.get(name) ?? [];
    this.#locals.set(name, stack);
    stack.push(known);
    const result = estimate();
    stack.pop();
    return result;
  }

  setPath(expression: Expression, path: readonly string[]): void {
    this.#paths.set(expression.id, path);
  }

  sizeOrUnknown(expression: Expression): SizeEstimate {
    return this.sizeOf(expression) ?? unknownSize;
  }

  setSize(expression: Expression, size: SizeEstimate | undefined): void {
    if (size !== undefined) this.#sizes.set(expression.id, size);
  }

  entriesOf(expression: Expression): EntrySizes | undefined {
    return this.#entries.get(expression.id) ?? this.#localOf(expression)?.entries;
  }

  setEntries(expression: Expression, known: EntrySizes | undefined): void {
    if (known !== undefined) this.#entries.set(expression.id, known);
  }

  node(expression: Expression): EstimatedNode {
    return {
      path: this.#visiblePath(expression),
      type: this.typeOf(expression),
      expression,
      computedSize: this.sizeOf(expression),
    };
  }

  sizeOfNode(node: EstimatedNode): SizeEstimate {
    return (
      node.computedSize ??
      this.#estimator?.estimateSize(node) ??
      (isScalar(node.type) ? exactly(1) : unknownSize)
    );
  }
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
