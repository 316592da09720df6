/**
 * A checked tree to closures: everything that can be decided before evaluation is decided here, once.
 *
 * COMPAT: costs are charged as cel-go charges them. There, a name with the fields and indices behind it is one
 * attribute: 1 for the name (or for starting from a computed value), 1 for each step; an index that is itself an
 * attribute costs no step of its own, and the branches of a conditional cost nothing for their names.
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
import { celMap, toMapKey } from '../values/map.ts';
import { isError, isList, isMap, isOptional, kindOf } from '../values/value.ts';
import type { CelError, CelList, CelResult, CelValue, CelValueKind } from '../values/value.ts';
import { formatValue } from '../values/value-text.ts';
import { planCall } from './call.ts';
import { createFrame } from './frame.ts';
import type { Evaluator } from './frame.ts';
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
  const plan = createPlanner(checked, options, (failure) => failures.push(failure));
  const evaluator = plan(checked.expression);
  return { evaluator, failure: failures[0] };
}

/** The slots of names that loops bring in; a name with `init` is computed when it is first used. */
interface LocalVariable {
  readonly name: string;
  readonly slot: number;
  readonly init?: Evaluator;
}

function createPlanner(
  checked: CheckedExpression,
  options: PlanOptions,
  reportFailure: (failure: CelError) => void,
): (expression: Expression) => Evaluator {
  const locals: LocalVariable[] = [];
  const planned = new Map<Expression, Evaluator>();
  // Each loop has slots of its own: a binding may be computed for the first time inside of any other loop.
  let slotCount = 0;
  const constants = new Map<Evaluator, CelValue>();

  const constantly = (value: CelValue): Evaluator => {
    const evaluator: Evaluator = () => value;
    constants.set(evaluator, value);
    return evaluator;
  };

  // The values of evaluators that are all constant, where constants are folded.
  const constantValues = (evaluators: readonly Evaluator[]): CelValue[] | undefined => {
    if (!options.foldConstants || !evaluators.every((evaluator) => constants.has(evaluator))) {
      return undefined;
    }
    return evaluators.map((evaluator) => constants.get(evaluator) ?? null);
  };

  const referenceOf = (expression: Expression): Reference | undefined =>
    checked.references.get(expression.id);

  const plan = (expression: Expression): Evaluator => {
    const known = planned.get(expression);
    if (known !== undefined) return known;
    const evaluator = planKind(expression, 1);
    planned.set(expression, evaluator);
    return evaluator;
  };

  // `rootCost` is what an attribute costs beside its steps.
  const planKind = (expression: Expression, rootCost: number): Evaluator => {
    switch (expression.kind) {
      case 'constant':
        return constantly(expression.value);
      case 'identifier':
        return planIdentifier(expression, expression.name, rootCost);
      case 'select':
        return planSelect(expression, rootCost);
      case 'call':
        return planOperator(expression, rootCost);
      case 'list':
        return planList(expression);
      case 'map':
        return planMap(expression);
      case 'struct':
        return planStruct(expression);
      case 'comprehension':
        return planComprehension(expression);
    }
  };

  const isAttribute = (expression: Expression): boolean => {
    if (expression.kind === 'identifier') return referenceOf(expression)?.value === undefined;
    if (expression.kind === 'select') return true;
    if (expression.kind !== 'call') return false;
    return attributeOperators.has(expression.function);
  };

  // The operand of a step: an attribute goes on, anything else starts one.
  const planOperand = (operand: Expression, rootCost: number): Evaluator => {
    if (isAttribute(operand)) return rootCost === 1 ? plan(operand) : planKind(operand, rootCost);
    const evaluate = plan(operand);
    if (rootCost === 0) return evaluate;
    return (frame) => {
      const value = evaluate(frame);
      frame.charge(1);
      return value;
    };
  };

  const planIdentifier = (expression: Expression, name: string, rootCost: number): Evaluator => {
    const local = locals.findLast((variable) => variable.name === name);
    if (local !== undefined) return planLocal(local, rootCost);
    const reference = referenceOf(expression);
    if (reference?.value !== undefined) return constantly(reference.value);
    const variable = reference?.name ?? name;
    return (frame) => {
      frame.charge(rootCost);
      return frame.variable(variable);
    };
  };

  const planLocal = ({ slot, init }: LocalVariable, rootCost: number): Evaluator => {
    return (frame) => {
      frame.charge(rootCost);
      const value = frame.slots[slot];
      if (value !== undefined) return value;
      const initial = init?.(frame) ?? noSuchOverload;
      frame.slots[slot] = initial;
      return initial;
    };
  };

  const planSelect = (expression: SelectExpression, rootCost: number): Evaluator => {
    const { operand, field, isTest } = expression;
    const reference = referenceOf(expression);
    if (reference !== undefined) return planIdentifier(expression, reference.name, rootCost);
    const evaluate = planOperand(operand, rootCost);
    if (isTest) {
      const testCost = options.freePresenceTests ? 0 : 1;
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
  };

  const planIndex = (call: CallExpression, rootCost: number, isOptional: boolean): Evaluator => {
    const [operand, key] = argumentsOf(call);
    const evaluate = planOperand(operand, rootCost);
    const read = isOptional ? selectOptionally : select;
    if (key.kind === 'constant') {
      const { value } = key;
      return (frame) => {
        const result = read(evaluate(frame), value);
        if (!isNone(result)) frame.charge(1);
        return result;
      };
    }
    const evaluateKey = plan(key);
    const stepCost = isAttribute(key) ? 0 : 1;
    return (frame) => {
      const container = evaluate(frame);
      if (isError(container)) return container;
      const value = evaluateKey(frame);
      frame.charge(stepCost);
      return isError(value) ? value : read(container, value);
    };
  };

  const planOperator = (call: CallExpression, rootCost: number): Evaluator => {
    switch (call.function) {
      case operators.and:
        return planLogic(call, false);
      case operators.or:
        return planLogic(call, true);
      case operators.conditional:
        return planConditional(call);
      case operators.index:
        return planIndex(call, rootCost, false);
      case operators.optionalIndex:
      case operators.optionalSelect:
        return planIndex(call, rootCost, true);
      case operators.notStrictlyFalse:
        return planNotStrictlyFalse(call);
      case operators.in:
        return planIn(call);
      default:
        return planFunction(call);
    }
  };

  // `&&` and `||`: an operand that decides does so, whatever error the other one is.
  const planLogic = (call: CallExpression, deciding: boolean): Evaluator => {
    const [left, right] = argumentsOf(call).map(plan) as [Evaluator, Evaluator];
    return (frame) => {
      const first = left(frame);
      if (first === deciding) return deciding;
      const second = right(frame);
      if (second === deciding) return deciding;
      if (typeof first !== 'boolean') return isError(first) ? first : noSuchOverload;
      if (typeof second !== 'boolean') return isError(second) ? second : noSuchOverload;
      return !deciding;
    };
  };

  const planConditional = (call: CallExpression): Evaluator => {
    const [condition, whenTrue, whenFalse] = call.arguments;
    if (condition === undefined || whenTrue === undefined || whenFalse === undefined) {
      return () => noSuchOverload;
    }
    const test = plan(condition);
    const [positive, negative] = [whenTrue, whenFalse].map((branch) =>
      isAttribute(branch) ? planKind(branch, 0) : plan(branch),
    ) as [Evaluator, Evaluator];
    return (frame) => {
      const value = test(frame);
      if (value === true) return positive(frame);
      if (value === false) return negative(frame);
      return isError(value) ? value : noSuchOverload;
    };
  };

  const planNotStrictlyFalse = (call: CallExpression): Evaluator => {
    const value = plan(call.arguments[0] ?? call);
    return (frame) => {
      const result = value(frame) !== false;
      frame.charge(1);
      return result;
    };
  };

  const planIn = (call: CallExpression): Evaluator => {
    const [value, container] = argumentsOf(call).map(plan) as [Evaluator, Evaluator];
    const [folded] = constantValues([container]) ?? [];
    if (folded !== undefined && isList(folded) && [...elementsOf(folded)].every(isPrimitive)) {
      if (folded.size === 0) return constantly(false);
      return (frame) => {
        const sought = value(frame);
        return isError(sought) ? sought : contains(folded, sought);
      };
    }
    const inList: Overload['invoke'] = (sought: CelValue, list: CelList) => contains(list, sought);
    const inMap: Overload['invoke'] = (sought: CelValue, map: CelValue) =>
      isMap(map) && hasKey(map, sought);
    return planFunction(call, { in_list: inList, in_map: inMap });
  };

  // Conversions of constants are computed now; a constant pattern is at least compiled.
  const foldCall = (
    call: CallExpression,
    values: readonly Evaluator[],
    evaluator: Evaluator,
  ): Evaluator => {
    if (!options.foldConstants) return evaluator;
    const name = referenceOf(call)?.name ?? call.function;
    if (name === 'matches') checkPattern(values[1]);
    if (!conversions.has(name) || values.length !== 1) return evaluator;
    if (constantValues(values) === undefined) return evaluator;
    const result = evaluator(createFrame({}, {}, { interruptionCheckFrequency: 1 }));
    if (!isError(result)) return constantly(result);
    reportFailure(result);
    return () => result;
  };

  const checkPattern = (pattern: Evaluator | undefined): void => {
    const text = pattern === undefined ? undefined : constants.get(pattern);
    if (typeof text !== 'string') return;
    const regex = compileRegex(text);
    if (typeof regex === 'string') reportFailure(celError(regex));
  };

  const planFunction = (
    call: CallExpression,
    implementations: Readonly<Record<string, Overload['invoke']>> = {},
  ): Evaluator => {
    const reference = referenceOf(call);
    const ids = reference?.overloadIds ?? [];
    const declared = options.declarations.functions.get(reference?.name ?? call.function);
    const all = declared?.overloads ?? [];
    const overloads = ids.length === 1 ? all.filter((overload) => overload.id === ids[0]) : all;
    const isMember = call.target !== undefined && reference?.isNamespaced !== true;
    const values = [...(isMember && call.target ? [call.target] : []), ...call.arguments];
    const planned = values.map(plan);
    const evaluator = planCall({
      function: reference?.name ?? call.function,
      overloadId: ids.length === 1 ? (ids[0] ?? '') : '',
      overloads: overloads.map((overload) => ({
        ...overload,
        invoke: implementations[overload.id] ?? overload.invoke,
      })),
      values: planned,
      count: options.count,
    });
    return foldCall(call, planned, evaluator);
  };

  const planList = (list: ListExpression): Evaluator => {
    const elements = list.elements.map(plan);
    const optional = new Set(list.optionalIndices);
    const folded = optional.size === 0 ? constantValues(elements) : undefined;
    if (folded !== undefined) return constantly(celList(folded));
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
  };

  const planMap = (map: MapExpression): Evaluator => {
    const entries = map.entries.map((entry) => ({
      key: plan(entry.key),
      value: plan(entry.value),
      isOptional: entry.isOptional,
    }));
    const evaluator = createMap(entries);
    const parts = entries.flatMap((entry) => [entry.key, entry.value]);
    const isFolded =
      entries.every((entry) => !entry.isOptional) && constantValues(parts) !== undefined;
    if (!isFolded) return evaluator;
    const result = evaluator(createFrame({}, {}, { interruptionCheckFrequency: 1 }));
    return isError(result) ? evaluator : constantly(result);
  };

  const createMap = (entries: readonly PlannedEntry[]): Evaluator => {
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
  };

  const planStruct = (struct: StructExpression): Evaluator => {
    const name = referenceOf(struct)?.name ?? struct.typeName;
    const fields = struct.fields.map((field) => ({ ...field, evaluate: plan(field.value) }));
    const provider = options.declarations.types.find(
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
  };

  const withLocals = (
    variables: readonly LocalVariable[],
    planInner: () => Evaluator,
  ): Evaluator => {
    locals.push(...variables);
    const evaluator = planInner();
    locals.length -= variables.length;
    return evaluator;
  };

  const planComprehension = (loop: ComprehensionExpression): Evaluator => {
    if (isBinding(loop)) return planBinding(loop);
    const range = plan(loop.range);
    const init = plan(loop.accumulatorInit);
    const slot = slotCount;
    slotCount += 3;
    const accumulator = { name: loop.accumulator, slot };
    const inner = [
      accumulator,
      { name: loop.iterationVariable, slot: slot + 1 },
      { name: loop.iterationVariable2, slot: slot + 2 },
    ];
    const condition = withLocals(inner, () => plan(loop.loopCondition));
    const step = withLocals(inner, () => plan(loop.loopStep));
    const result = withLocals([accumulator], () => plan(loop.result));
    const hasTwo = loop.iterationVariable2 !== '';
    return (frame) => {
      const values = range(frame);
      if (isError(values)) return values;
      const rounds = iterations(values, hasTwo);
      if (rounds === undefined) {
        return celError(`got '${formatValue(values)}', expected iterable type`);
      }
      frame.slots[slot] = init(frame);
      for (const [first, second] of rounds) {
        frame.slots[slot + 1] = first;
        frame.slots[slot + 2] = second;
        if (condition(frame) === false) break;
        frame.slots[slot] = step(frame);
        frame.iterate();
      }
      return result(frame);
    };
  };

  const planBinding = (loop: ComprehensionExpression): Evaluator => {
    const range = plan(loop.range);
    const slot = slotCount++;
    const init = plan(loop.accumulatorInit);
    const result = withLocals([{ name: loop.accumulator, slot, init }], () => plan(loop.result));
    return (frame) => {
      range(frame);
      frame.slots[slot] = undefined;
      return result(frame);
    };
  };

  return plan;
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

interface NewEntry {
  readonly key: CelValue;
  readonly value: CelValue;
  readonly isOptional: boolean;
}

function addEntry(
  entries: (readonly [CelValue, CelValue])[],
  seen: Set<unknown>,
  { key, value, isOptional: mayBeAbsent }: NewEntry,
): CelResult | undefined {
  const normal = typeof key === 'number' ? undefined : toMapKey(key);
  if (normal === undefined) return celError('unsupported key type');
  let present = value;
  if (mayBeAbsent) {
    if (!isOptional(value)) return nonOptionalEntry(formatValue(key), value);
    if (value.value === undefined) return undefined;
    present = value.value;
  }
  if (seen.has(normal)) return celError('Failed with repeated key');
  seen.add(normal);
  entries.push([key, present]);
  return undefined;
}

function nonOptionalEntry(key: string, value: CelValue): CelResult {
  const text = formatValue(value);
  return celError(`cannot initialize optional entry '${key}' from non-optional value ${text}`);
}

type Rounds = Iterable<readonly [CelValue, CelValue | undefined]>;

function iterations(range: CelValue, hasTwo: boolean): Rounds | undefined {
  if (isList(range)) return listRounds(range, hasTwo);
  if (isMap(range)) return hasTwo ? mapRounds(range) : keyRounds(range.keys());
  return undefined;
}

function* listRounds(list: CelList, hasTwo: boolean): Rounds {
  let index = 0n;
  for (const element of elementsOf(list)) {
    yield hasTwo ? [index++, element] : [element, undefined];
  }
}

function* keyRounds(keys: Iterable<CelValue>): Rounds {
  for (const key of keys) yield [key, undefined];
}

function* mapRounds(map: Extract<CelValue, { kind: 'map' }>): Rounds {
  for (const key of map.keys()) yield [key, map.get(key)];
}
