/**
 * The standard library: what every environment has. Operators that do not treat their operands as
 * functions do (`&&`, `||`, `?:`, `==`, `[]`, …) are declared here and computed by the evaluator.
 */

import { operators } from '../../operators.ts';
import { standardMacros } from '../../macros/standard-macros.ts';
import { celTypes, listType, mapType, typeParameter, typeType } from '../../types/type.ts';
import type { CelType } from '../../types/type.ts';
import { isEqual } from '../../values/equality.ts';
import { noSuchOverload } from '../../values/error.ts';
import { celTypeValue } from '../../values/scalars.ts';
import { isOpaque } from '../../values/value.ts';
import type { CelValue } from '../../values/value.ts';
import { declareFunction, globalOverload } from '../library.ts';
import type { ConstantDeclaration, FunctionDeclaration, Library, Overload } from '../library.ts';
import { arithmeticFunctions } from './arithmetic.ts';
import { comparisonFunctions } from './comparison.ts';
import { conversionFunctions } from './conversions.ts';
import { textFunctions } from './text.ts';
import { timeFunctions } from './time.ts';

const { bool, dyn, int } = celTypes;
const a = typeParameter('A');
const b = typeParameter('B');

/** The standard library. */
export function standardLibrary(options: { readonly isCrossType: boolean }): Library {
  return {
    name: 'cel.standard',
    macros: standardMacros,
    constants: typeIdentifiers,
    functions: [
      ...evaluatorFunctions,
      ...arithmeticFunctions,
      ...comparisonFunctions(options.isCrossType),
      ...conversionFunctions,
      ...textFunctions,
      ...timeFunctions,
    ],
  };
}

const evaluatorFunctions: readonly FunctionDeclaration[] = [
  declareFunction(operators.conditional, special('conditional', [bool, a, a], a)),
  declareFunction(operators.and, special('logical_and', [bool, bool], bool)),
  declareFunction(operators.or, special('logical_or', [bool, bool], bool)),
  declareFunction(
    operators.not,
    globalOverload('logical_not', [[bool], bool], (value: boolean) => !value),
  ),
  declareFunction(operators.notStrictlyFalse, special('not_strictly_false', [bool], bool)),
  declareFunction(
    operators.equals,
    globalOverload('equals', [[a, a], bool], (x: CelValue, y: CelValue) =>
      isOpaque(x) && x.isComparableTo?.(y) === false ? noSuchOverload : isEqual(x, y),
    ),
  ),
  declareFunction(
    operators.notEquals,
    globalOverload('not_equals', [[a, a], bool], (x: CelValue, y: CelValue) => !isEqual(x, y)),
  ),
  declareFunction(
    operators.index,
    special('index_list', [listType(a), int], a),
    special('index_map', [mapType(a, b), a], b),
  ),
  declareFunction(
    operators.in,
    special('in_list', [a, listType(a)], bool),
    special('in_map', [a, mapType(a, b)], bool),
  ),
];

function special(id: string, parameters: readonly CelType[], result: CelType): Overload {
  return globalOverload(id, [parameters, result], () => noSuchOverload);
}

const typeIdentifiers: readonly ConstantDeclaration[] = [
  celTypes.bool,
  celTypes.bytes,
  celTypes.double,
  celTypes.duration,
  celTypes.int,
  celTypes.null,
  celTypes.string,
  celTypes.timestamp,
  celTypes.uint,
  listType(dyn),
  mapType(dyn, dyn),
  typeType(),
].map((type) => ({ name: type.name, type: typeType(type), value: celTypeValue(type) }));
