/**
 * Optional values: `optional.of`, `optional.none`, `optional.ofNonZeroValue`, their members,
 * `first` and `last` of lists, `optional.unwrap`, and the macros `optMap` and `optFlatMap`. The
 * syntax `a.?b` goes with it.
 */

import type { ExpressionFactory } from '../../ast/expression-factory.ts';
import type { Expression } from '../../ast/expression.ts';
import type { Macro, MacroCall, MacroError } from '../../macros/macro.ts';
import { operators, unusedVariableName } from '../../operators.ts';
import {
  celTypes,
  listType,
  mapType,
  optionalType,
  typeParameter,
  typeType,
} from '../../types/type.ts';
import { celError, noSuchOverload } from '../../values/error.ts';
import { celList, elementsOf } from '../../values/list.ts';
import { celTypeValue, optionalNone, optionalOf } from '../../values/scalars.ts';
import { isOptional } from '../../values/value.ts';
import type { CelList, CelOptional, CelResult, CelValue } from '../../values/value.ts';
import { isZeroValue } from '../../values/zero-value.ts';
import { declareFunction, globalOverload, memberOverload } from '../library.ts';
import type { FunctionDeclaration, Library } from '../library.ts';

const { bool, dyn, int, string } = celTypes;
const v = typeParameter('V');
const k = typeParameter('K');
const optionalV = optionalType(v);
const listV = listType(v);
const mapKv = mapType(k, v);

const functions: readonly FunctionDeclaration[] = [
  declareFunction(
    'optional.of',
    globalOverload('optional_of', [[v], optionalV], (value: CelValue) => optionalOf(value)),
  ),
  declareFunction(
    'optional.ofNonZeroValue',
    globalOverload('optional_ofNonZeroValue', [[v], optionalV], (value: CelValue) =>
      isZeroValue(value) ? optionalNone : optionalOf(value),
    ),
  ),
  declareFunction(
    'optional.none',
    globalOverload('optional_none', [[], optionalV], () => optionalNone),
  ),
  declareFunction(
    'value',
    memberOverload('optional_value', [[optionalV], v], (optional: CelOptional) =>
      optional.value === undefined ? celError('optional.none() dereference') : optional.value,
    ),
  ),
  declareFunction(
    'hasValue',
    memberOverload(
      'optional_hasValue',
      [[optionalV], bool],
      (optional: CelOptional) => optional.value !== undefined,
    ),
  ),
  declareFunction(
    'or',
    memberOverload('optional_or_optional', [[optionalV, optionalV], optionalV], or),
  ),
  declareFunction(
    'orValue',
    memberOverload('optional_orValue_value', [[optionalV, v], v], orValue),
  ),
  declareFunction(
    operators.optionalSelect,
    globalOverload('select_optional_field', [[dyn, string], optionalV], () => noSuchOverload),
  ),
  declareFunction(
    operators.optionalIndex,
    globalOverload('list_optindex_optional_int', [[listV, int], optionalV], () => noSuchOverload),
    globalOverload(
      'optional_list_optindex_optional_int',
      [[optionalType(listV), int], optionalV],
      () => noSuchOverload,
    ),
    globalOverload('map_optindex_optional_value', [[mapKv, k], optionalV], () => noSuchOverload),
    globalOverload(
      'optional_map_optindex_optional_value',
      [[optionalType(mapKv), k], optionalV],
      () => noSuchOverload,
    ),
  ),
  declareFunction(
    operators.index,
    globalOverload(
      'optional_list_index_int',
      [[optionalType(listV), int], optionalV],
      () => noSuchOverload,
    ),
    globalOverload(
      'optional_map_index_value',
      [[optionalType(mapKv), k], optionalV],
      () => noSuchOverload,
    ),
  ),
  declareFunction(
    'first',
    memberOverload('list_first', [[listV], optionalV], (list: CelList) =>
      list.size === 0 ? optionalNone : optionalOf(list.get(0)),
    ),
  ),
  declareFunction(
    'last',
    memberOverload('list_last', [[listV], optionalV], (list: CelList) =>
      list.size === 0 ? optionalNone : optionalOf(list.get(list.size - 1)),
    ),
  ),
  declareFunction(
    'optional.unwrap',
    globalOverload('optional_unwrap', [[listType(optionalV)], listV], unwrap),
  ),
  declareFunction(
    'unwrapOpt',
    memberOverload('optional_unwrapOpt', [[listType(optionalV)], listV], unwrap),
  ),
];

function or(left: CelOptional, right: CelOptional): CelOptional {
  return left.value === undefined ? right : left;
}

function orValue(optional: CelOptional, otherwise: CelValue): CelValue {
  return optional.value === undefined ? otherwise : optional.value;
}

function unwrap(list: CelList): CelResult {
  const present: CelValue[] = [];
  for (const element of elementsOf(list)) {
    if (!isOptional(element)) return celError('expected optional element in list');
    if (element.value !== undefined) present.push(element.value);
  }
  return celList(present);
}

function expandOptional(
  call: MacroCall,
  make: ExpressionFactory,
  wrap: (value: Expression) => Expression,
  name: string,
): Expression | MacroError {
  const { target } = call;
  const [variable, body] = call.arguments;
  if (variable?.kind !== 'identifier' || target === undefined || body === undefined) {
    const message = `${name}() variable name must be a simple identifier`;
    return { expressionId: variable?.id ?? call.id, message };
  }
  const binding = make.comprehension({
    range: make.list(),
    iterationVariable: unusedVariableName,
    iterationVariable2: '',
    accumulator: variable.name,
    accumulatorInit: make.memberCall('value', target),
    loopCondition: make.constant(false),
    loopStep: make.identifier(variable.name),
    result: body,
  });
  return make.call(
    operators.conditional,
    make.memberCall('hasValue', target),
    wrap(binding),
    make.call('optional.none'),
  );
}

const macros: readonly Macro[] = [
  {
    name: 'optMap',
    isMember: true,
    argumentCount: 2,
    expand: (call, make) =>
      expandOptional(call, make, (value) => make.call('optional.of', value), 'optMap'),
  },
  {
    name: 'optFlatMap',
    isMember: true,
    argumentCount: 2,
    expand: (call, make) => expandOptional(call, make, (value) => value, 'optFlatMap'),
  },
];

/** The optional library, in its newest version. */
export const optionalLibrary: Library = {
  name: 'cel.optional',
  functions,
  macros,
  constants: [
    {
      name: 'optional_type',
      type: typeType(optionalType(dyn)),
      value: celTypeValue(optionalType(dyn)),
    },
  ],
};
