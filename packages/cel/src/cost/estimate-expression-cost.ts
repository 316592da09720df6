/**
 * The range of what an expression can cost, before it runs. COMPAT: the rules are cel-go's, for
 * Kubernetes refuses expressions by these numbers.
 *
 * Every node is estimated once, also when a macro uses it twice: its cost does not depend on where
 * it is used.
 */

import { isBinding } from '../ast/binding.ts';
import type {
  CallExpression,
  ComprehensionExpression,
  Expression,
  ListExpression,
  MapExpression,
  SelectExpression,
} from '../ast/expression.ts';
import type { CheckedExpression } from '../checker/checked-expression.ts';
import type { Declarations } from '../checker/declarations.ts';
import type {
  CallContext,
  CallEstimate,
  CallEstimator,
  CostEstimate,
  CostEstimator,
  SizeEstimate,
} from './cost.ts';
import { creationCosts } from './default-call-cost.ts';
import { estimateDefaultCall } from './default-call-estimate.ts';
import { addRanges, exactly, multiplyRanges, noCost, rangeMax, uniteRanges } from './range.ts';
import { createSizeTracker, uniteEntries } from './size-tracker.ts';
import type { EntrySizes, LocalSizes, SizeTracker } from './size-tracker.ts';

/** What estimating needs beside the tree. */
export interface EstimateOptions {
  readonly declarations: Declarations;
  readonly freePresenceTests: boolean;
  readonly estimator: CostEstimator | undefined;
  readonly estimateCall: CallEstimator | undefined;
}

/** The range of costs of a whole expression. */
export function estimateExpressionCost(
  checked: CheckedExpression,
  options: EstimateOptions,
): CostEstimate {
  return new CostEstimation(checked, options).costOf(checked.expression);
}

// Estimates one expression.
class CostEstimation {
  readonly #checked: CheckedExpression;
  readonly #options: EstimateOptions;

  readonly #sizes: SizeTracker;
  readonly #known = new Map<Expression, CostEstimate>();

  constructor(checked: CheckedExpression, options: EstimateOptions) {
    this.#checked = checked;
    this.#options = options;
    this.#sizes = createSizeTracker(checked, options.estimator);
  }

  costOf(expression: Expression): CostEstimate {
    const before = this.#known.get(expression);
    if (before !== undefined) return before;
    const cost = this.#costOfKind(expression);
    this.#known.set(expression, cost);
    return cost;
  }

  #sum(...costs: CostEstimate[]): CostEstimate {
    return costs.reduce(addRanges, noCost);
  }

  #costOfKind(expression: Expression): CostEstimate {
    switch (expression.kind) {
      case 'constant':
        return noCost;
      case 'identifier':
        this.#sizes.setPath(
          expression,
          this.#sizes.local(expression.name)?.path ?? [expression.name],
        );
        return exactly(1);
      case 'select':
        return this.#costOfSelect(expression);
      case 'call':
        return this.#costOfCall(expression);
      case 'list':
        return this.#costOfList(expression);
      case 'map':
        return this.#costOfMap(expression);
      case 'struct': {
        const fields = expression.fields.map((field) => this.costOf(field.value));
        return this.#sum(exactly(creationCosts.struct), ...fields);
      }
      case 'comprehension':
        return isBinding(expression)
          ? this.#costOfBinding(expression)
          : this.#costOfLoop(expression);
    }
  }

  #costOfSelect(select: SelectExpression): CostEstimate {
    const operand = this.costOf(select.operand);
    if (select.isTest) return this.#sum(operand, exactly(this.#options.freePresenceTests ? 0 : 1));
    this.#sizes.setPath(select, [...this.#sizes.pathOf(select.operand), select.field]);
    const { kind } = this.#sizes.typeOf(select.operand);
    const isStep = kind === 'map' || kind === 'object' || kind === 'type-parameter';
    return isStep ? this.#sum(operand, exactly(1)) : operand;
  }

  #costOfCall(call: CallExpression): CostEstimate {
    const [first] = call.arguments;
    if (call.function === 'dyn' && first !== undefined) {
      const cost = this.#sum(exactly(1), this.costOf(first));
      this.#copySizes(call, first);
      return cost;
    }
    const values = call.arguments.map((part) => this.costOf(part));
    const reference = this.#checked.references.get(call.id);
    const overloadIds = reference?.overloadIds ?? [];
    if (overloadIds.length === 0) return noCost;
    const isMember = call.target !== undefined && reference?.isNamespaced !== true;
    const target = isMember && call.target !== undefined ? this.costOf(call.target) : noCost;
    let cost: CostEstimate = { min: rangeMax, max: 0 };
    let resultSize: SizeEstimate | undefined;
    for (const overloadId of overloadIds) {
      const estimate = this.#costOfOverload(call, { overloadId, isMember, values });
      cost = uniteRanges(cost, estimate.cost);
      resultSize = this.#unite(resultSize, estimate.resultSize);
      resultSize = this.#trackIndex(call, overloadId, resultSize) ?? this.#sizes.sizeOf(call);
    }
    this.#sizes.setSize(call, resultSize);
    return this.#sum(target, cost);
  }

  #unite(
    left: SizeEstimate | undefined,
    right: SizeEstimate | undefined,
  ): SizeEstimate | undefined {
    return left === undefined || right === undefined ? (left ?? right) : uniteRanges(left, right);
  }

  #trackIndex(
    call: CallExpression,
    overloadId: string,
    size: SizeEstimate | undefined,
  ): SizeEstimate | undefined {
    const [container] = call.arguments;
    const step = indexSteps[overloadId];
    if (container === undefined || step === undefined) return size;
    this.#sizes.setPath(call, [...this.#sizes.pathOf(container), step]);
    return this.#sizes.entriesOf(container)?.value;
  }

  #costOfOverload(call: CallExpression, overload: OverloadUse): CallEstimate {
    const [first = noCost, second = noCost, third = noCost] = overload.values;
    const name = this.#checked.references.get(call.id)?.name ?? call.function;
    switch (overload.overloadId) {
      case 'logical_and':
      case 'logical_or':
        // The second operand may not be needed.
        return { cost: { min: first.min, max: addRanges(first, second).max } };
      case 'conditional':
        return {
          cost: this.#sum(first, uniteRanges(second, third)),
          resultSize: this.#trackBranches(call),
        };
      case 'add_list':
      case 'add_string':
      case 'add_bytes': {
        const [left, right] = call.arguments;
        if (left !== undefined && right !== undefined) {
          this.#sizes.setEntries(
            call,
            uniteEntries(this.#sizes.entriesOf(left), this.#sizes.entriesOf(right)),
          );
        }
        break;
      }
      default:
        break;
    }
    const context: CallContext = {
      function: name,
      overloadId: overload.overloadId,
      target: overload.isMember && call.target ? this.#sizes.node(call.target) : undefined,
      arguments: call.arguments.map((part) => this.#sizes.node(part)),
      sizeOf: (node) => this.#sizes.sizeOfNode(node),
    };
    const estimate = this.#estimateOverload(context);
    return { ...estimate, cost: this.#sum(estimate.cost, ...overload.values) };
  }

  #estimateOverload(context: CallContext): CallEstimate {
    return (
      this.#options.declarations.overloads.get(context.overloadId)?.estimate?.(context) ??
      this.#options.estimator?.estimateCall?.(context) ??
      this.#options.estimateCall?.(context) ??
      estimateDefaultCall(context)
    );
  }

  #trackBranches(call: CallExpression): SizeEstimate | undefined {
    const [, left, right] = call.arguments;
    if (left === undefined || right === undefined) return undefined;
    this.#sizes.setEntries(
      call,
      uniteEntries(this.#sizes.entriesOf(left), this.#sizes.entriesOf(right)),
    );
    return uniteRanges(this.#sizes.sizeOrUnknown(left), this.#sizes.sizeOrUnknown(right));
  }

  #uniteAll(parts: readonly Expression[]): SizeEstimate {
    return parts.length === 0
      ? exactly(0)
      : parts
          .map((part) => this.#sizes.sizeOrUnknown(part))
          .reduce((left, right) => uniteRanges(left, right));
  }

  #costOfList(list: ListExpression): CostEstimate {
    const elements = list.elements.map((part) => this.costOf(part));
    const value = this.#uniteAll(list.elements);
    this.#sizes.setEntries(list, { kind: 'list', key: exactly(1), value });
    return this.#sum(exactly(creationCosts.list), ...elements);
  }

  #costOfMap(map: MapExpression): CostEstimate {
    const keys = map.entries.map((entry) => entry.key);
    const values = map.entries.map((entry) => entry.value);
    const parts = map.entries.flatMap((entry) => [
      this.costOf(entry.key),
      this.costOf(entry.value),
    ]);
    this.#sizes.setEntries(map, {
      kind: 'map',
      key: this.#uniteAll(keys),
      value: this.#uniteAll(values),
    });
    return this.#sum(exactly(creationCosts.map), ...parts);
  }

  #localOf(expression: Expression): LocalSizes {
    return {
      path: this.#sizes.pathOf(expression),
      size: this.#sizes.sizeOf(expression),
      entries: this.#sizes.entriesOf(expression),
    };
  }

  #iterated(range: Expression, part: 'key' | 'value'): LocalSizes {
    const entries: EntrySizes | undefined = this.#sizes.entriesOf(range);
    const isList = (entries?.kind ?? this.#sizes.typeOf(range).kind) === 'list';
    const step = isList ? listSteps[part] : mapSteps[part];
    return {
      path: [...this.#sizes.pathOf(range), step],
      size: entries?.[part],
      entries: undefined,
    };
  }

  #withIteration<T>(loop: ComprehensionExpression, estimate: () => T): T {
    const { range, iterationVariable, iterationVariable2 } = loop;
    if (iterationVariable2 === '') {
      const isList =
        (this.#sizes.entriesOf(range)?.kind ?? this.#sizes.typeOf(range).kind) === 'list';
      const variable = this.#iterated(range, isList ? 'value' : 'key');
      return this.#sizes.withLocal(iterationVariable, variable, estimate);
    }
    return this.#sizes.withLocal(iterationVariable, this.#iterated(range, 'key'), () =>
      this.#sizes.withLocal(iterationVariable2, this.#iterated(range, 'value'), estimate),
    );
  }

  #costOfLoop(loop: ComprehensionExpression): CostEstimate {
    const before = this.#sum(this.costOf(loop.range), this.costOf(loop.accumulatorInit));
    const accumulator = this.#localOf(loop.accumulatorInit);
    const [round, result] = this.#sizes.withLocal(loop.accumulator, accumulator, () => [
      this.#withIteration(loop, () =>
        this.#sum(this.costOf(loop.loopCondition), this.costOf(loop.loopStep)),
      ),
      this.costOf(loop.result),
    ]) as [CostEstimate, CostEstimate];
    const rounds = this.#sizes.sizeOrUnknown(loop.range);
    const init = loop.accumulatorInit.kind;
    if (init === 'constant') this.#sizes.setSize(loop, this.#sizes.sizeOf(loop.accumulatorInit));
    if (init === 'list' || init === 'map') {
      this.#sizes.setSize(loop, rounds);
      this.#sizes.setEntries(loop, this.#sizes.entriesOf(loop.loopStep));
    }
    return this.#sum(before, result, multiplyRanges(rounds, round));
  }

  #costOfBinding(loop: ComprehensionExpression): CostEstimate {
    const before = this.#sum(this.costOf(loop.range), this.costOf(loop.accumulatorInit));
    const bound = this.#localOf(loop.accumulatorInit);
    const result = this.#sizes.withLocal(loop.accumulator, bound, () => {
      const cost = this.costOf(loop.result);
      this.#copySizes(loop, loop.result);
      return cost;
    });
    return this.#sum(before, result);
  }

  #copySizes(to: Expression, from: Expression): void {
    this.#sizes.setSize(to, this.#sizes.sizeOf(from));
    this.#sizes.setEntries(to, this.#sizes.entriesOf(from));
  }
}

/** One overload of a call, with the costs of the arguments. */
interface OverloadUse {
  readonly overloadId: string;
  readonly isMember: boolean;
  readonly values: readonly CostEstimate[];
}

const indexSteps: Readonly<Record<string, string>> = { index_list: '@items', index_map: '@values' };

const listSteps = { key: '@indices', value: '@items' } as const;

const mapSteps = { key: '@keys', value: '@values' } as const;
