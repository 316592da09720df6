/**
 * A checked tree to closures: everything that can be decided before evaluation is decided here,
 * once.
 *
 * COMPAT: costs are charged as cel-go charges them. There, a name with the fields and indices
 * behind it is one attribute: 1 for the name (or for starting from a computed value), 1 for each
 * step; an index that is itself an attribute costs no step of its own, and the branches of a
 * conditional cost nothing for their names.
 */

import type {
  CallExpression,
  ComprehensionExpression,
  Expression,
  ListExpression,
  MapExpression,
  SelectExpression,
  StructExpression,
} from '../ast/expression.ts';
import { isBinding } from '../ast/binding.ts';
import type { CheckedExpression, Reference } from '../checker/checked-expression.ts';
import type { Declarations } from '../checker/declarations.ts';
import type { CallCost } from '../cost/cost.ts';
import { creationCosts } from '../cost/default-call-cost.ts';
import type { Overload } from '../library/library.ts';
import { compileRegex } from '../library/regex.ts';
import { operators } from '../operators.ts';
import { contains, hasKey } from '../values/equality.ts';
import { celError, noSuchOverload } from '../values/error.ts';
import { celList, elementsOf } from '../values/list.ts';
import { celMap } from '../values/map.ts';
import { isError, isList, isMap, isOptional, kindOf } from '../values/value.ts';
import type { CelError, CelList, CelResult, CelValue, CelValueKind } from '../values/value.ts';
import { formatValue } from '../values/value-text.ts';
import { planCall } from './call.ts';
import { createFrame } from './frame.ts';
import type { Evaluator } from './frame.ts';
import { addEntry, nonOptionalEntry } from './entries.ts';
import { eachRound } from './rounds.ts';
import { isPresent, select, selectOptionally } from './selection.ts';

/** What planning needs beside the tree. */
export interface PlanOptions {
  readonly declarations: Declarations;
  readonly freePresenceTests: boolean;
  readonly count: CallCost | undefined;
  /** Compute literals of constants and conversions of constants now; they then cost nothing. */
  readonly foldConstants: boolean;
}

/** A tree that can be run. */
export interface Plan {
  readonly evaluator: Evaluator;
  /** The error of a constant part that always fails. */
  readonly failure: CelError | undefined;
}

/** Plans a whole expression. */
export function planExpression(checked: CheckedExpression, options: PlanOptions): Plan {
  const failures: CelError[] = [];
  const planner = new Planner(checked, options, (failure) => failures.push(failure));
  const evaluator = planner.plan(checked.expression);
  return { evaluator, failure: failures[0] };
}

/** The slots of names that loops bring in; a name with `init` is computed when it is first used. */
interface LocalVariable {
  readonly name: string;
  readonly slot: number;
  readonly init?: Evaluator;
}

// Plans one tree.
class Planner {
  readonly #checked: CheckedExpression;
  readonly #options: PlanOptions;
  readonly #reportFailure: (failure: CelError) => void;

  readonly #locals: LocalVariable[] = [];
  readonly #planned = new Map<Expression, Evaluator>();
  // Each loop has slots of its own: a binding may be computed for the first time inside of any
  // other loop.
  #slotCount = 0;
  readonly #constants = new Map<Evaluator, CelValue>();

  constructor(
    checked: CheckedExpression,
    options: PlanOptions,
    reportFailure: (failure: CelError) => void,
  ) {
    this.#checked = checked;
    this.#options = options;
    this.#reportFailure = reportFailure;
  }

  #constantly(value: CelValue): Evaluator {
    const evaluator: Evaluator = () => value;
    this.#constants.set(evaluator, value);
    return evaluator;
  }

  // The values of evaluators that are all constant, where constants are folded.
  #constantValues(evaluators: readonly Evaluator[]): CelValue[] | undefined {
    if (
      !this.#options.foldConstants ||
      !evaluators.every((evaluator) => this.#constants.has(evaluator))
    ) {
      return undefined;
    }
    return evaluators.map((evaluator) => this.#constants.get(evaluator) ?? null);
  }

  #referenceOf(expression: Expression): Reference | undefined {
    return this.#checked.references.get(expression.id);
  }

  plan(expression: Expression): Evaluator {
    const known = this.#planned.get(expression);
    if (known !== undefined) return known;
    const evaluator = this.#planKind(expression, 1);
    this.#planned.set(expression, evaluator);
    return evaluator;
  }

  // `rootCost` is what an attribute costs beside its steps.
  #planKind(expression: Expression, rootCost: number): Evaluator {
    switch (expression.kind) {
      case 'constant':
        return this.#constantly(expression.value);
      case 'identifier':
        return this.#planIdentifier(expression, expression.name, rootCost);
      case 'select':
        return this.#planSelect(expression, rootCost);
      case 'call':
        return this.#planOperator(expression, rootCost);
      case 'list':
        return this.#planList(expression);
      case 'map':
        return this.#planMap(expression);
      case 'struct':
        return this.#planStruct(expression);
      case 'comprehension':
        return this.#planComprehension(expression);
    }
  }

  #isAttribute(expression: Expression): boolean {
    if (expression.kind === 'identifier') return this.#referenceOf(expression)?.value === undefined;
    if (expression.kind === 'select') return true;
    if (expression.kind !== 'call') return false;
    return attributeOperators.has(expression.function);
  }

  // The operand of a step: an attribute goes on, anything else starts one.
  #planOperand(operand: Expression, rootCost: number): Evaluator {
    if (this.#isAttribute(operand))
      return rootCost === 1 ? this.plan(operand) : this.#planKind(operand, rootCost);
    const evaluate = this.plan(operand);
    if (rootCost === 0) return evaluate;
    return (frame) => {
      const value = evaluate(frame);
      frame.charge(1);
      return value;
    };
  }

  #planIdentifier(expression: Expression, name: string, rootCost: number): Evaluator {
    const local = this.#locals.findLast((variable) => variable.name === name);
    if (local !== undefined) return this.#planLocal(local, rootCost);
    const reference = this.#referenceOf(expression);
    if (reference?.value !== undefined) return this.#constantly(reference.value);
    const variable = reference?.name ?? name;
    return (frame) => {
      frame.charge(rootCost);
      return frame.variable(variable);
    };
  }

  #planLocal({ slot, init }: LocalVariable, rootCost: number): Evaluator {
    return (frame) => {
      frame.charge(rootCost);
      const value = frame.slots[slot];
      if (value !== undefined) return value;
      const initial = init?.(frame) ?? noSuchOverload;
      frame.slots[slot] = initial;
      return initial;
    };
  }

  #planSelect(expression: SelectExpression, rootCost: number): Evaluator {
    const { operand, field, isTest } = expression;
    const reference = this.#referenceOf(expression);
    if (reference !== undefined) return this.#planIdentifier(expression, reference.name, rootCost);
    const evaluate = this.#planOperand(operand, rootCost);
    if (isTest) {
      const testCost = this.#options.freePresenceTests ? 0 : 1;
      // The step itself takes the place of the operand's name.
      return (frame) => {
        frame.charge(testCost);
        return isPresent(evaluate(frame), field);
      };
    }
    return (frame) => {
      const value = evaluate(frame);
      const result = select(value, field);
      if (!isNone(result)) frame.charge(1);
      return result;
    };
  }

  #planIndex(call: CallExpression, rootCost: number, isOptional: boolean): Evaluator {
    const [operand, key] = argumentsOf(call);
    const evaluate = this.#planOperand(operand, rootCost);
    const read = isOptional ? selectOptionally : select;
    if (key.kind === 'constant') {
      const { value } = key;
      return (frame) => {
        const result = read(evaluate(frame), value);
        if (!isNone(result)) frame.charge(1);
        return result;
      };
    }
    const evaluateKey = this.plan(key);
    const stepCost = this.#isAttribute(key) ? 0 : 1;
    return (frame) => {
      const container = evaluate(frame);
      if (isError(container)) return container;
      const value = evaluateKey(frame);
      frame.charge(stepCost);
      return isError(value) ? value : read(container, value);
    };
  }

  #planOperator(call: CallExpression, rootCost: number): Evaluator {
    switch (call.function) {
      case operators.and:
        return this.#planLogic(call, false);
      case operators.or:
        return this.#planLogic(call, true);
      case operators.conditional:
        return this.#planConditional(call);
      case operators.index:
        return this.#planIndex(call, rootCost, false);
      case operators.optionalIndex:
      case operators.optionalSelect:
        return this.#planIndex(call, rootCost, true);
      case operators.notStrictlyFalse:
        return this.#planNotStrictlyFalse(call);
      case operators.in:
        return this.#planIn(call);
      default:
        return this.#planFunction(call);
    }
  }

  // `&&` and `||`: an operand that decides does so, whatever error the other one is.
  #planLogic(call: CallExpression, deciding: boolean): Evaluator {
    const [left, right] = argumentsOf(call).map((part) => this.plan(part)) as [
      Evaluator,
      Evaluator,
    ];
    return (frame) => {
      const first = left(frame);
      if (first === deciding) return deciding;
      const second = right(frame);
      if (second === deciding) return deciding;
      if (typeof first !== 'boolean') return isError(first) ? first : noSuchOverload;
      if (typeof second !== 'boolean') return isError(second) ? second : noSuchOverload;
      return !deciding;
    };
  }

  #planConditional(call: CallExpression): Evaluator {
    const [condition, whenTrue, whenFalse] = call.arguments;
    if (condition === undefined || whenTrue === undefined || whenFalse === undefined) {
      return () => noSuchOverload;
    }
    const test = this.plan(condition);
    const [positive, negative] = [whenTrue, whenFalse].map((branch) =>
      this.#isAttribute(branch) ? this.#planKind(branch, 0) : this.plan(branch),
    ) as [Evaluator, Evaluator];
    return (frame) => {
      const value = test(frame);
      if (value === true) return positive(frame);
      if (value === false) return negative(frame);
      return isError(value) ? value : noSuchOverload;
    };
  }

  #planNotStrictlyFalse(call: CallExpression): Evaluator {
    const value = this.plan(call.arguments[0] ?? call);
    return (frame) => {
      const result = value(frame) !== false;
      frame.charge(1);
      return result;
    };
  }

  #planIn(call: CallExpression): Evaluator {
    const [value, container] = argumentsOf(call).map((part) => this.plan(part)) as [
      Evaluator,
      Evaluator,
    ];
    const [folded] = this.#constantValues([container]) ?? [];
    if (folded !== undefined && isList(folded) && [...elementsOf(folded)].every(isPrimitive)) {
      if (folded.size === 0) return this.#constantly(false);
      return (frame) => {
        const sought = value(frame);
        return isError(sought) ? sought : contains(folded, sought);
      };
    }
    const inList: Overload['invoke'] = (sought: CelValue, list: CelList) => contains(list, sought);
    const inMap: Overload['invoke'] = (sought: CelValue, map: CelValue) =>
      isMap(map) && hasKey(map, sought);
    return this.#planFunction(call, { in_list: inList, in_map: inMap });
  }

  // Conversions of constants are computed now; a constant pattern is at least compiled.
  #foldCall(call: CallExpression, values: readonly Evaluator[], evaluator: Evaluator): Evaluator {
    if (!this.#options.foldConstants) return evaluator;
    const name = this.#referenceOf(call)?.name ?? call.function;
    if (name === 'matches') this.#checkPattern(values[1]);
    if (!conversions.has(name) || values.length !== 1) return evaluator;
    if (this.#constantValues(values) === undefined) return evaluator;
    const result = evaluator(createFrame({}, {}, { interruptionCheckFrequency: 1 }));
    if (!isError(result)) return this.#constantly(result);
    this.#reportFailure(result);
    return () => result;
  }

  #checkPattern(pattern: Evaluator | undefined): void {
    const text = pattern === undefined ? undefined : this.#constants.get(pattern);
    if (typeof text !== 'string') return;
    const regex = compileRegex(text);
    if (typeof regex === 'string') this.#reportFailure(celError(regex));
  }

  #planFunction(
    call: CallExpression,
    implementations: Readonly<Record<string, Overload['invoke']>> = {},
  ): Evaluator {
    const reference = this.#referenceOf(call);
    const ids = reference?.overloadIds ?? [];
    const declared = this.#options.declarations.functions.get(reference?.name ?? call.function);
    const all = declared?.overloads ?? [];
    const overloads = ids.length === 1 ? all.filter((overload) => overload.id === ids[0]) : all;
    const isMember = call.target !== undefined && reference?.isNamespaced !== true;
    const values = [...(isMember && call.target ? [call.target] : []), ...call.arguments];
    const operands = values.map((part) => this.plan(part));
    const evaluator = planCall({
      function: reference?.name ?? call.function,
      overloadId: ids.length === 1 ? (ids[0] ?? '') : '',
      overloads: overloads.map((overload) => ({
        ...overload,
        invoke: implementations[overload.id] ?? overload.invoke,
      })),
      values: operands,
      count: this.#options.count,
    });
    return this.#foldCall(call, operands, evaluator);
  }

  #planList(list: ListExpression): Evaluator {
    const elements = list.elements.map((part) => this.plan(part));
    const optional = new Set(list.optionalIndices);
    const folded = optional.size === 0 ? this.#constantValues(elements) : undefined;
    if (folded !== undefined) return this.#constantly(celList(folded));
    return (frame) => {
      const values: CelValue[] = [];
      for (const [index, evaluate] of elements.entries()) {
        const value = evaluate(frame);
        if (isError(value)) return charged(frame, creationCosts.list, value);
        if (!optional.has(index)) {
          values.push(value);
        } else if (!isOptional(value)) {
          const text = formatValue(value);
          return celError(
            `cannot initialize optional list element from non-optional value ${text}`,
          );
        } else if (value.value !== undefined) values.push(value.value);
      }
      return charged(frame, creationCosts.list, celList(values));
    };
  }

  #planMap(map: MapExpression): Evaluator {
    const entries = map.entries.map((entry) => ({
      key: this.plan(entry.key),
      value: this.plan(entry.value),
      isOptional: entry.isOptional,
    }));
    const evaluator = this.#createMap(entries);
    const parts = entries.flatMap((entry) => [entry.key, entry.value]);
    const isFolded =
      entries.every((entry) => !entry.isOptional) && this.#constantValues(parts) !== undefined;
    if (!isFolded) return evaluator;
    const result = evaluator(createFrame({}, {}, { interruptionCheckFrequency: 1 }));
    return isError(result) ? evaluator : this.#constantly(result);
  }

  #createMap(entries: readonly PlannedEntry[]): Evaluator {
    return (frame) => {
      const result: (readonly [CelValue, CelValue])[] = [];
      const seen = new Set<unknown>();
      for (const entry of entries) {
        const key = entry.key(frame);
        if (isError(key)) return charged(frame, creationCosts.map, key);
        const value = entry.value(frame);
        if (isError(value)) return charged(frame, creationCosts.map, value);
        const problem = addEntry(result, seen, { key, value, isOptional: entry.isOptional });
        if (problem !== undefined) return problem;
      }
      return charged(frame, creationCosts.map, celMap(result));
    };
  }

  #planStruct(struct: StructExpression): Evaluator {
    const name = this.#referenceOf(struct)?.name ?? struct.typeName;
    const fields = struct.fields.map((field) => ({ ...field, evaluate: this.plan(field.value) }));
    const provider = this.#options.declarations.types.find(
      (candidate) => candidate.findType(name) !== undefined,
    );
    return (frame) => {
      const values = new Map<string, CelValue>();
      for (const field of fields) {
        const value = field.evaluate(frame);
        if (isError(value)) return charged(frame, creationCosts.struct, value);
        if (!field.isOptional) values.set(field.name, value);
        else if (!isOptional(value)) return nonOptionalEntry(field.name, value);
        else if (value.value !== undefined) values.set(field.name, value.value);
      }
      const built = provider?.construct?.(name, values) ?? celError(`unknown type: ${name}`);
      return charged(frame, creationCosts.struct, built);
    };
  }

  #withLocals(variables: readonly LocalVariable[], planInner: () => Evaluator): Evaluator {
    this.#locals.push(...variables);
    const evaluator = planInner();
    this.#locals.length -= variables.length;
    return evaluator;
  }

  #planComprehension(loop: ComprehensionExpression): Evaluator {
    if (isBinding(loop)) return this.#planBinding(loop);
    const range = this.plan(loop.range);
    const init = this.plan(loop.accumulatorInit);
    const slot = this.#slotCount;
    this.#slotCount += 3;
    const accumulator = { name: loop.accumulator, slot };
    const inner = [
      accumulator,
      { name: loop.iterationVariable, slot: slot + 1 },
      { name: loop.iterationVariable2, slot: slot + 2 },
    ];
    const condition = this.#withLocals(inner, () => this.plan(loop.loopCondition));
    const step = this.#withLocals(inner, () => this.plan(loop.loopStep));
    const result = this.#withLocals([accumulator], () => this.plan(loop.result));
    const hasTwo = loop.iterationVariable2 !== '';
    return (frame) => {
      const values = range(frame);
      if (isError(values)) return values;
      const { slots } = frame;
      slots[slot] = init(frame);
      const isLoop = eachRound(values, hasTwo, (first, second) => {
        slots[slot + 1] = first;
        slots[slot + 2] = second;
        if (condition(frame) === false) return false;
        slots[slot] = step(frame);
        frame.iterate();
        return true;
      });
      if (!isLoop) return celError(`got '${formatValue(values)}', expected iterable type`);
      return result(frame);
    };
  }

  #planBinding(loop: ComprehensionExpression): Evaluator {
    const range = this.plan(loop.range);
    const slot = this.#slotCount++;
    const init = this.plan(loop.accumulatorInit);
    const result = this.#withLocals([{ name: loop.accumulator, slot, init }], () =>
      this.plan(loop.result),
    );
    return (frame) => {
      range(frame);
      frame.slots[slot] = undefined;
      return result(frame);
    };
  }
}

const attributeOperators: ReadonlySet<string> = new Set([
  operators.conditional,
  operators.index,
  operators.optionalIndex,
  operators.optionalSelect,
]);

const conversions: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'duration',
  'dyn',
  'int',
  'string',
  'timestamp',
  'type',
  'uint',
]);

/** An entry of a map literal. */
interface PlannedEntry {
  readonly key: Evaluator;
  readonly value: Evaluator;
  readonly isOptional: boolean;
}

const primitives: ReadonlySet<CelValueKind> = new Set([
  'bool',
  'bytes',
  'double',
  'int',
  'string',
  'uint',
]);

function isPrimitive(value: CelValue): boolean {
  return primitives.has(kindOf(value));
}

function argumentsOf(call: CallExpression): [Expression, Expression] {
  const [first, second] = call.arguments;
  if (first === undefined || second === undefined)
    throw new Error('the operator takes two operands');
  return [first, second];
}

function charged(
  frame: { charge(cost: number): void },
  cost: number,
  result: CelResult,
): CelResult {
  frame.charge(cost);
  return result;
}

function isNone(value: CelResult): boolean {
  return isOptional(value) && value.value === undefined;
}
