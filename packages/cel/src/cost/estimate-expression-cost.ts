/**
 * The range of what an expression can cost, before it runs. COMPAT: the rules are cel-go's, for Kubernetes refuses
 * expressions by these numbers.
 *
 * Every node is estimated once, also when a macro uses it twice: its cost does not depend on where it is used.
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
import type { EntrySizes, LocalSizes } from './size-tracker.ts';

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
  return createCostEstimation(checked, options)(checked.expression);
}

function createCostEstimation(
  checked: CheckedExpression,
  options: EstimateOptions,
): (expression: Expression) => CostEstimate {
  const sizes = createSizeTracker(checked, options.estimator);
  const known = new Map<Expression, CostEstimate>();

  const costOf = (expression: Expression): CostEstimate => {
    const before = known.get(expression);
    if (before !== undefined) return before;
    const cost = costOfKind(expression);
    known.set(expression, cost);
    return cost;
  };

  const sum = (...costs: CostEstimate[]): CostEstimate => costs.reduce(addRanges, noCost);

  const costOfKind = (expression: Expression): CostEstimate => {
    switch (expression.kind) {
      case 'constant':
        return noCost;
      case 'identifier':
        sizes.setPath(expression, sizes.local(expression.name)?.path ?? [expression.name]);
        return exactly(1);
      case 'select':
        return costOfSelect(expression);
      case 'call':
        return costOfCall(expression);
      case 'list':
        return costOfList(expression);
      case 'map':
        return costOfMap(expression);
      case 'struct': {
        const fields = expression.fields.map((field) => costOf(field.value));
        return sum(exactly(creationCosts.struct), ...fields);
      }
      case 'comprehension':
        return isBinding(expression) ? costOfBinding(expression) : costOfLoop(expression);
    }
  };

  const costOfSelect = (select: SelectExpression): CostEstimate => {
    const operand = costOf(select.operand);
    if (select.isTest) return sum(operand, exactly(options.freePresenceTests ? 0 : 1));
    sizes.setPath(select, [...sizes.pathOf(select.operand), select.field]);
    const { kind } = sizes.typeOf(select.operand);
    const isStep = kind === 'map' || kind === 'object' || kind === 'type-parameter';
    return isStep ? sum(operand, exactly(1)) : operand;
  };

  const costOfCall = (call: CallExpression): CostEstimate => {
    const [first] = call.arguments;
    if (call.function === 'dyn' && first !== undefined) {
      const cost = sum(exactly(1), costOf(first));
      copySizes(call, first);
      return cost;
    }
    const values = call.arguments.map(costOf);
    const reference = checked.references.get(call.id);
    const overloadIds = reference?.overloadIds ?? [];
    if (overloadIds.length === 0) return noCost;
    const isMember = call.target !== undefined && reference?.isNamespaced !== true;
    const target = isMember && call.target !== undefined ? costOf(call.target) : noCost;
    let cost: CostEstimate = { min: rangeMax, max: 0 };
    let resultSize: SizeEstimate | undefined;
    for (const overloadId of overloadIds) {
      const estimate = costOfOverload(call, { overloadId, isMember, values });
      cost = uniteRanges(cost, estimate.cost);
      resultSize = unite(resultSize, estimate.resultSize);
      resultSize = trackIndex(call, overloadId, resultSize) ?? sizes.sizeOf(call);
    }
    sizes.setSize(call, resultSize);
    return sum(target, cost);
  };

  const unite = (
    left: SizeEstimate | undefined,
    right: SizeEstimate | undefined,
  ): SizeEstimate | undefined =>
    left === undefined || right === undefined ? (left ?? right) : uniteRanges(left, right);

  const trackIndex = (
    call: CallExpression,
    overloadId: string,
    size: SizeEstimate | undefined,
  ): SizeEstimate | undefined => {
    const [container] = call.arguments;
    const step = indexSteps[overloadId];
    if (container === undefined || step === undefined) return size;
    sizes.setPath(call, [...sizes.pathOf(container), step]);
    return sizes.entriesOf(container)?.value;
  };

  const costOfOverload = (call: CallExpression, overload: OverloadUse): CallEstimate => {
    const [first = noCost, second = noCost, third = noCost] = overload.values;
    const name = checked.references.get(call.id)?.name ?? call.function;
    switch (overload.overloadId) {
      case 'logical_and':
      case 'logical_or':
        // The second operand may not be needed.
        return { cost: { min: first.min, max: addRanges(first, second).max } };
      case 'conditional':
        return {
          cost: sum(first, uniteRanges(second, third)),
          resultSize: trackBranches(call),
        };
      case 'add_list':
      case 'add_string':
      case 'add_bytes': {
        const [left, right] = call.arguments;
        if (left !== undefined && right !== undefined) {
          sizes.setEntries(call, uniteEntries(sizes.entriesOf(left), sizes.entriesOf(right)));
        }
        break;
      }
      default:
        break;
    }
    const context: CallContext = {
      function: name,
      overloadId: overload.overloadId,
      target: overload.isMember && call.target ? sizes.node(call.target) : undefined,
      arguments: call.arguments.map(sizes.node),
      sizeOf: sizes.sizeOfNode,
    };
    const estimate = estimateOverload(context);
    return { ...estimate, cost: sum(estimate.cost, ...overload.values) };
  };

  const estimateOverload = (context: CallContext): CallEstimate =>
    options.declarations.overloads.get(context.overloadId)?.estimate?.(context) ??
    options.estimator?.estimateCall?.(context) ??
    options.estimateCall?.(context) ??
    estimateDefaultCall(context);

  const trackBranches = (call: CallExpression): SizeEstimate | undefined => {
    const [, left, right] = call.arguments;
    if (left === undefined || right === undefined) return undefined;
    sizes.setEntries(call, uniteEntries(sizes.entriesOf(left), sizes.entriesOf(right)));
    return uniteRanges(sizes.sizeOrUnknown(left), sizes.sizeOrUnknown(right));
  };

  const uniteAll = (parts: readonly Expression[]): SizeEstimate =>
    parts.length === 0
      ? exactly(0)
      : parts.map(sizes.sizeOrUnknown).reduce((left, right) => uniteRanges(left, right));

  const costOfList = (list: ListExpression): CostEstimate => {
    const elements = list.elements.map(costOf);
    const value = uniteAll(list.elements);
    sizes.setEntries(list, { kind: 'list', key: exactly(1), value });
    return sum(exactly(creationCosts.list), ...elements);
  };

  const costOfMap = (map: MapExpression): CostEstimate => {
    const keys = map.entries.map((entry) => entry.key);
    const values = map.entries.map((entry) => entry.value);
    const parts = map.entries.flatMap((entry) => [costOf(entry.key), costOf(entry.value)]);
    sizes.setEntries(map, { kind: 'map', key: uniteAll(keys), value: uniteAll(values) });
    return sum(exactly(creationCosts.map), ...parts);
  };

  const localOf = (expression: Expression): LocalSizes => ({
    path: sizes.pathOf(expression),
    size: sizes.sizeOf(expression),
    entries: sizes.entriesOf(expression),
  });

  const iterated = (range: Expression, part: 'key' | 'value'): LocalSizes => {
    const entries: EntrySizes | undefined = sizes.entriesOf(range);
    const isList = (entries?.kind ?? sizes.typeOf(range).kind) === 'list';
    const step = isList ? listSteps[part] : mapSteps[part];
    return { path: [...sizes.pathOf(range), step], size: entries?.[part], entries: undefined };
  };

  const withIteration = <T>(loop: ComprehensionExpression, estimate: () => T): T => {
    const { range, iterationVariable, iterationVariable2 } = loop;
    if (iterationVariable2 === '') {
      const isList = (sizes.entriesOf(range)?.kind ?? sizes.typeOf(range).kind) === 'list';
      const variable = iterated(range, isList ? 'value' : 'key');
      return sizes.withLocal(iterationVariable, variable, estimate);
    }
    return sizes.withLocal(iterationVariable, iterated(range, 'key'), () =>
      sizes.withLocal(iterationVariable2, iterated(range, 'value'), estimate),
    );
  };

  const costOfLoop = (loop: ComprehensionExpression): CostEstimate => {
    const before = sum(costOf(loop.range), costOf(loop.accumulatorInit));
    const accumulator = localOf(loop.accumulatorInit);
    const [round, result] = sizes.withLocal(loop.accumulator, accumulator, () => [
      withIteration(loop, () => sum(costOf(loop.loopCondition), costOf(loop.loopStep))),
      costOf(loop.result),
    ]) as [CostEstimate, CostEstimate];
    const rounds = sizes.sizeOrUnknown(loop.range);
    const init = loop.accumulatorInit.kind;
    if (init === 'constant') sizes.setSize(loop, sizes.sizeOf(loop.accumulatorInit));
    if (init === 'list' || init === 'map') {
      sizes.setSize(loop, rounds);
      sizes.setEntries(loop, sizes.entriesOf(loop.loopStep));
    }
    return sum(before, result, multiplyRanges(rounds, round));
  };

  const costOfBinding = (loop: ComprehensionExpression): CostEstimate => {
    const before = sum(costOf(loop.range), costOf(loop.accumulatorInit));
    const bound = localOf(loop.accumulatorInit);
    const result = sizes.withLocal(loop.accumulator, bound, () => {
      const cost = costOf(loop.result);
      copySizes(loop, loop.result);
      return cost;
    });
    return sum(before, result);
  };

  const copySizes = (to: Expression, from: Expression): void => {
    sizes.setSize(to, sizes.sizeOf(from));
    sizes.setEntries(to, sizes.entriesOf(from));
  };

  return costOf;
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
