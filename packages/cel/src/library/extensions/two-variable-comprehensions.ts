/**
 * Loops with two names: index and element of a list, or key and value of a map. `all`, `exists`,
 * `existsOne` (also `exists_one`), `transformList`, `transformMap` and `transformMapEntry`.
 */

import type { ExpressionFactory } from '../../ast/expression-factory.ts';
import type { Expression } from '../../ast/expression.ts';
import { loopVariable } from '../../macros/loop-variable.ts';
import type { Macro, MacroCall, MacroError } from '../../macros/macro.ts';
import { allLoop, appendLoop, existsLoop, existsOneLoop } from '../../macros/standard-macros.ts';
import type { LoopParts } from '../../macros/standard-macros.ts';
import { accumulatorName, operators } from '../../operators.ts';
import { mapType, typeParameter } from '../../types/type.ts';
import { celError } from '../../values/error.ts';
import { entriesOf, toMapKey, withEntry } from '../../values/map.ts';
import type { CelMap, CelResult, CelValue } from '../../values/value.ts';
import { formatValue } from '../../values/value-text.ts';
import { declareFunction, globalOverload } from '../library.ts';
import type { Library } from '../library.ts';

const insertName = 'cel.@mapInsert';
const key = typeParameter('K');
const value = typeParameter('V');
const map = mapType(key, value);

type MakeLoop = (make: ExpressionFactory, call: TwoVariableCall) => LoopParts;

/** The parts of a call behind its two names. */
interface TwoVariableCall {
  readonly first: string;
  readonly filter: Expression | undefined;
  readonly body: Expression;
}

function loopMacro(name: string, argumentCount: number, makeLoop: MakeLoop): Macro {
  return {
    name,
    isMember: true,
    argumentCount,
    expand: (call, make) => expandLoop(call, make, makeLoop),
  };
}

function expandLoop(
  call: MacroCall,
  make: ExpressionFactory,
  makeLoop: MakeLoop,
): Expression | MacroError | undefined {
  const [variable, variable2, ...rest] = call.arguments;
  const first = loopVariable(variable, 'argument must be a simple name');
  if (typeof first !== 'string') return first;
  const second = loopVariable(variable2, 'argument must be a simple name');
  if (typeof second !== 'string') return second;
  if (first === second) {
    const message = `duplicate variable name: ${second}`;
    return { expressionId: variable2?.id ?? call.id, message };
  }
  const body = rest.at(-1);
  if (call.target === undefined || body === undefined) return undefined;
  return make.comprehension({
    range: call.target,
    iterationVariable: first,
    iterationVariable2: second,
    accumulator: accumulatorName,
    ...makeLoop(make, { first, body, filter: rest.length > 1 ? rest[0] : undefined }),
  });
}

function insertLoop(make: ExpressionFactory, insert: Expression, filter?: Expression): LoopParts {
  return {
    accumulatorInit: make.map(),
    loopCondition: make.constant(true),
    loopStep:
      filter === undefined
        ? insert
        : make.call(operators.conditional, filter, insert, make.identifier(accumulatorName)),
    result: make.identifier(accumulatorName),
  };
}

const transformMap: MakeLoop = (make, { first, body, filter }) =>
  insertLoop(
    make,
    make.call(insertName, make.identifier(accumulatorName), make.identifier(first), body),
    filter,
  );

const transformMapEntry: MakeLoop = (make, { body, filter }) =>
  insertLoop(make, make.call(insertName, make.identifier(accumulatorName), body), filter);

const transformList: MakeLoop = (make, { body, filter }) => appendLoop(make, body, filter);

/** The map with one more entry; a key that is there already is an error. */
function insertEntry(into: CelMap, newKey: CelValue, newValue: CelValue): CelResult {
  if (toMapKey(newKey) === undefined) return celError('unsupported key type');
  if (into.get(newKey) !== undefined) {
    return celError(`insert failed: key ${formatValue(newKey)} already exists`);
  }
  return withEntry(into, newKey, newValue);
}

function insertMap(into: CelMap, added: CelMap): CelResult {
  let map = into;
  for (const [newKey, newValue] of entriesOf(added)) {
    if (map.get(newKey) !== undefined) {
      return celError(`insert failed: key ${formatValue(newKey)} already exists`);
    }
    map = withEntry(map, newKey, newValue);
  }
  return map;
}

/** Comprehensions over indices and elements, or keys and values. */
export const twoVariableComprehensionsLibrary: Library = {
  name: 'cel.ext.comprehensions',
  functions: [
    declareFunction(
      insertName,
      globalOverload('@mapInsert_map_key_value', [[map, key, value], map], insertEntry),
      globalOverload('@mapInsert_map_map', [[map, map], map], insertMap),
    ),
  ],
  macros: [
    loopMacro('all', 3, (make, { body }) => allLoop(make, body)),
    loopMacro('exists', 3, (make, { body }) => existsLoop(make, body)),
    loopMacro('existsOne', 3, (make, { body }) => existsOneLoop(make, body)),
    loopMacro('exists_one', 3, (make, { body }) => existsOneLoop(make, body)),
    loopMacro('transformList', 3, transformList),
    loopMacro('transformList', 4, transformList),
    loopMacro('transformMap', 3, transformMap),
    loopMacro('transformMap', 4, transformMap),
    loopMacro('transformMapEntry', 3, transformMapEntry),
    loopMacro('transformMapEntry', 4, transformMapEntry),
  ],
};
