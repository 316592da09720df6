/**
 * A second evaluator: it walks the checked tree as it stands, plans nothing, folds nothing and
 * knows no shortcuts. What programs give and cost is compared with it. Only the functions
 * themselves and the selection of fields are shared with the interpreter.
 */

import { isBinding } from '../src/ast/binding.ts';
import type {
  CallExpression,
  ComprehensionExpression,
  Expression,
  ListExpression,
  MapExpression,
  SelectExpression,
} from '../src/ast/expression.ts';
import type { CheckedExpression } from '../src/checker/checked-expression.ts';
import type { Declarations } from '../src/checker/declarations.ts';
import { creationCosts, defaultCallCounter } from '../src/cost/default-call-cost.ts';
import {
  celError,
  celList,
  celMap,
  fatalError,
  isError,
  isList,
  isMap,
  isOptional,
} from '../src/index.ts';
import type { CelResult, CelValue, Evaluation } from '../src/index.ts';
import { addEntry } from '../src/interpreter/entries.ts';
import { typeTest } from '../src/interpreter/runtime-type.ts';
import { isPresent, select, selectOptionally } from '../src/interpreter/selection.ts';
import { operators } from '../src/operators.ts';
import { contains, hasKey } from '../src/values/equality.ts';
import { noSuchAttribute, noSuchOverload } from '../src/values/error.ts';
import { formatValue } from '../src/values/value-text.ts';

/** What an evaluation gave and cost. */
export interface ReferenceOutcome extends Evaluation {
  /** The largest single cost. */
  readonly chargeMax: number;
}

/** Ends an evaluation that costs too much. */
class TooExpensive extends Error {}

/** Names of loops and bindings, innermost last. */
type Scope = readonly { readonly name: string; readonly value: () => CelResult }[];

/** Evaluates a tree with the variables of a record, at the language's own costs. */
export function evaluateByReference(
  checked: CheckedExpression,
  declarations: Declarations,
  { bindings, costLimit }: { bindings: Readonly<Record<string, CelValue>>; costLimit: number },
): ReferenceOutcome {
  const walk = new Walk(checked, declarations, { bindings, costLimit });
  const outcome = (result: CelResult) => ({ result, cost: walk.cost, chargeMax: walk.chargeMax });
  try {
    return outcome(walk.valueOf(checked.expression, []));
  } catch (error) {
    if (error instanceof TooExpensive || error instanceof RangeError) {
      return outcome(fatalError('given up'));
    }
    throw error;
  }
}

class Walk {
  cost = 0;
  chargeMax = 0;
  readonly #checked: CheckedExpression;
  readonly #declarations: Declarations;
  readonly #bindings: Readonly<Record<string, CelValue>>;
  readonly #costLimit: number;

  constructor(
    checked: CheckedExpression,
    declarations: Declarations,
    { bindings, costLimit }: { bindings: Readonly<Record<string, CelValue>>; costLimit: number },
  ) {
    this.#checked = checked;
    this.#declarations = declarations;
    this.#bindings = bindings;
    this.#costLimit = costLimit;
  }

  #charge(cost: number): void {
    this.cost += cost;
    this.chargeMax = Math.max(this.chargeMax, cost);
    if (this.cost > this.#costLimit) throw new TooExpensive();
  }

  valueOf(expression: Expression, scope: Scope, rootCost = 1): CelResult {
    switch (expression.kind) {
      case 'constant':
        return expression.value;
      case 'identifier':
        return this.#named(expression, { name: expression.name, scope, rootCost });
      case 'select':
        return this.#selected(expression, scope, rootCost);
      case 'call':
        return this.#called(expression, scope, rootCost);
      case 'list':
        return this.#list(expression, scope);
      case 'map':
        return this.#map(expression, scope);
      case 'comprehension':
        return isBinding(expression)
          ? this.#bound(expression, scope)
          : this.#looped(expression, scope);
      case 'struct':
        throw new Error('the environments of the comparison declare no objects');
    }
  }

  #named(
    expression: Expression,
    { name, scope, rootCost }: { name: string; scope: Scope; rootCost: number },
  ): CelResult {
    const reference = this.#checked.references.get(expression.id);
    const local = scope.findLast((one) => one.name === name);
    if (local === undefined && reference?.value !== undefined) return reference.value;
    this.#charge(rootCost);
    if (local !== undefined) return local.value();
    const variable = reference?.name ?? name;
    const value = this.#bindings[variable];
    return value === undefined ? noSuchAttribute(variable) : value;
  }

  #isAttribute(expression: Expression): boolean {
    const { and: _and, conditional, index, optionalIndex, optionalSelect } = operators;
    if (expression.kind === 'call') {
      return [conditional, index, optionalIndex, optionalSelect].some(
        (one) => one === expression.function,
      );
    }
    if (expression.kind === 'identifier') {
      return this.#checked.references.get(expression.id)?.value === undefined;
    }
    return expression.kind === 'select';
  }

  #operand(expression: Expression, scope: Scope, rootCost: number): CelResult {
    if (this.#isAttribute(expression)) return this.valueOf(expression, scope, rootCost);
    const value = this.valueOf(expression, scope);
    this.#charge(rootCost);
    return value;
  }

  #selected(expression: SelectExpression, scope: Scope, rootCost: number): CelResult {
    const reference = this.#checked.references.get(expression.id);
    if (reference !== undefined) {
      return this.#named(expression, { name: reference.name, scope, rootCost });
    }
    const operand = this.#operand(expression.operand, scope, rootCost);
    if (expression.isTest) {
      this.#charge(1);
      return isPresent(operand, expression.field);
    }
    return this.#stepped(select(operand, expression.field));
  }

  #stepped(result: CelResult): CelResult {
    if (!(isOptional(result) && result.value === undefined)) this.#charge(1);
    return result;
  }

  #indexed(call: CallExpression, scope: Scope, rootCost: number): CelResult {
    const [operand, key] = pair(call);
    const read = call.function === operators.index ? select : selectOptionally;
    const container = this.#operand(operand, scope, rootCost);
    if (key.kind === 'constant') return this.#stepped(read(container, key.value));
    if (isError(container)) return container;
    const value = this.valueOf(key, scope);
    this.#charge(this.#isAttribute(key) ? 0 : 1);
    return isError(value) ? value : read(container, value);
  }

  #called(call: CallExpression, scope: Scope, rootCost: number): CelResult {
    switch (call.function) {
      case operators.and:
        return this.#logic(call, scope, false);
      case operators.or:
        return this.#logic(call, scope, true);
      case operators.conditional:
        return this.#chosen(call, scope);
      case operators.index:
      case operators.optionalIndex:
      case operators.optionalSelect:
        return this.#indexed(call, scope, rootCost);
      case operators.notStrictlyFalse: {
        const [operand] = call.arguments;
        const value = operand === undefined ? null : this.valueOf(operand, scope);
        this.#charge(1);
        return value !== false;
      }
      default:
        return this.#invoked(call, scope);
    }
  }

  #logic(call: CallExpression, scope: Scope, deciding: boolean): CelResult {
    const values: CelResult[] = [];
    for (const operand of call.arguments) {
      const value = this.valueOf(operand, scope);
      if (value === deciding) return deciding;
      values.push(value);
    }
    const odd = values.find((value) => typeof value !== 'boolean');
    if (odd === undefined) return !deciding;
    return isError(odd) ? odd : noSuchOverload;
  }

  #chosen(call: CallExpression, scope: Scope): CelResult {
    const [condition, whenTrue, whenFalse] = call.arguments;
    if (!condition || !whenTrue || !whenFalse) throw new Error('a choice has three parts');
    const value = this.valueOf(condition, scope);
    if (typeof value !== 'boolean') return isError(value) ? value : noSuchOverload;
    const branch = value ? whenTrue : whenFalse;
    return this.#isAttribute(branch) ? this.valueOf(branch, scope, 0) : this.valueOf(branch, scope);
  }

  #invoked(call: CallExpression, scope: Scope): CelResult {
    const reference = this.#checked.references.get(call.id);
    const isMember = call.target !== undefined && reference?.isNamespaced !== true;
    const operands = [...(isMember && call.target ? [call.target] : []), ...call.arguments];
    const values: CelResult[] = [];
    for (const operand of operands) {
      const value = this.valueOf(operand, scope);
      // With three and more operands the first error ends the call before it costs anything.
      if (isError(value) && operands.length > 2) return value;
      values.push(value);
    }
    const ids = reference?.overloadIds ?? [];
    const name = reference?.name ?? call.function;
    const result = values.find(isError) ?? this.#run(name, ids, values as CelValue[]);
    this.#charge(this.#costOf(name, { ids, values, result }));
    return result;
  }

  #overloadsFor(name: string, ids: readonly string[], values: readonly CelResult[]) {
    const all = this.#declarations.functions.get(name)?.overloads ?? [];
    return all.filter(
      ({ id, parameters }) =>
        (ids.length !== 1 || id === ids[0]) &&
        parameters.length === values.length &&
        parameters.every((type, index) => typeTest(type)(values[index] ?? null)),
    );
  }

  #run(name: string, ids: readonly string[], values: readonly CelValue[]): CelResult {
    const [overload] = this.#overloadsFor(name, ids, values);
    if (overload === undefined) return noSuchOverload;
    const [first = null, second = null] = values;
    if (overload.id === 'in_list') return isList(second) && contains(second, first);
    if (overload.id === 'in_map') return isMap(second) && hasKey(second, first);
    const result = (overload.invoke as (...all: readonly CelValue[]) => CelResult)(...values);
    if (isError(result) && result.fatal === true) throw new TooExpensive();
    return result;
  }

  #costOf(
    name: string,
    call: { ids: readonly string[]; values: readonly CelResult[]; result: CelResult },
  ): number {
    const { ids, values, result } = call;
    const overloadId = ids.length === 1 ? (ids[0] ?? '') : '';
    if (!values.some(isError)) {
      const given = values as readonly CelValue[];
      const all = this.#declarations.functions.get(name)?.overloads ?? [];
      // Where checking left one overload, its cost counts, whether it took the values or not.
      const counting =
        ids.length === 1
          ? all.filter(({ id }) => id === overloadId)
          : this.#overloadsFor(name, [], given);
      for (const { cost } of counting) {
        const counted = cost?.({ function: name, overloadId, arguments: given, result });
        if (counted !== undefined) return counted;
      }
    }
    return defaultCallCounter(overloadId)(values[0], values[1]);
  }

  #list(list: ListExpression, scope: Scope): CelResult {
    const values: CelValue[] = [];
    for (const [index, element] of list.elements.entries()) {
      const value = this.valueOf(element, scope);
      if (isError(value)) {
        this.#charge(creationCosts.list);
        return value;
      }
      if (!list.optionalIndices.includes(index)) values.push(value);
      else if (!isOptional(value)) {
        const text = formatValue(value);
        return celError(`cannot initialize optional list element from non-optional value ${text}`);
      } else if (value.value !== undefined) values.push(value.value);
    }
    this.#charge(creationCosts.list);
    return celList(values);
  }

  #map(map: MapExpression, scope: Scope): CelResult {
    const entries: (readonly [CelValue, CelValue])[] = [];
    const seen = new Set<unknown>();
    for (const entry of map.entries) {
      const key = this.valueOf(entry.key, scope);
      const value = isError(key) ? key : this.valueOf(entry.value, scope);
      if (isError(key) || isError(value)) {
        this.#charge(creationCosts.map);
        return value;
      }
      const problem = addEntry(entries, seen, { key, value, isOptional: entry.isOptional });
      if (problem !== undefined) return problem;
    }
    this.#charge(creationCosts.map);
    return celMap(entries);
  }

  #bound(loop: ComprehensionExpression, scope: Scope): CelResult {
    this.valueOf(loop.range, scope);
    let known: CelResult | undefined;
    const value = (): CelResult => {
      if (known === undefined) known = this.valueOf(loop.accumulatorInit, scope);
      return known;
    };
    return this.valueOf(loop.result, [...scope, { name: loop.accumulator, value }]);
  }

  #looped(loop: ComprehensionExpression, scope: Scope): CelResult {
    const range = this.valueOf(loop.range, scope);
    if (isError(range)) return range;
    let accumulator = this.valueOf(loop.accumulatorInit, scope);
    if (!isList(range) && !isMap(range)) {
      return celError(`got '${formatValue(range)}', expected iterable type`);
    }
    const outer = [...scope, { name: loop.accumulator, value: () => accumulator }];
    for (const [first, second] of rounds(range, loop.iterationVariable2 !== '')) {
      const inner = [
        ...outer,
        { name: loop.iterationVariable, value: () => first },
        { name: loop.iterationVariable2, value: () => second },
      ];
      if (this.valueOf(loop.loopCondition, inner) === false) break;
      accumulator = this.valueOf(loop.loopStep, inner);
    }
    return this.valueOf(loop.result, outer);
  }
}

function* rounds(range: CelValue, hasTwo: boolean): Iterable<readonly [CelValue, CelValue]> {
  if (isList(range)) {
    for (let index = 0; index < range.size; index++) {
      const element = range.get(index);
      yield hasTwo ? [BigInt(index), element] : [element, null];
    }
  } else if (isMap(range)) {
    for (const key of range.keys()) yield [key, range.get(key) ?? null];
  }
}

function pair(call: CallExpression): readonly [Expression, Expression] {
  const [first, second] = call.arguments;
  if (first === undefined || second === undefined) throw new Error('an index has two parts');
  return [first, second];
}
