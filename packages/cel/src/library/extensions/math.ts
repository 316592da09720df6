/**
 * Mathematics: `math.greatest` and `math.least` (version 0); rounding, `abs`, `sign`, tests of
 * doubles and bits (1); `sqrt` (2).
 */

import type { Macro } from '../../macros/macro.ts';
import { celTypes, listType } from '../../types/type.ts';
import type { CelType } from '../../types/type.ts';
import { celError, integerOverflow } from '../../values/error.ts';
import { elementsOf } from '../../values/list.ts';
import { compareNumbers, isNumber } from '../../values/ordering.ts';
import type { CelNumber } from '../../values/ordering.ts';
import { celUint, int64Min, uint64Max } from '../../values/scalars.ts';
import type { CelList, CelResult, CelUint, CelValue } from '../../values/value.ts';
import { declareFunction, globalOverload } from '../library.ts';
import type { FunctionDeclaration, Library, Overload } from '../library.ts';

const { bool, double, dyn, int, uint } = celTypes;
const numberTypes: readonly CelType[] = [double, int, uint];

/** Versions as cel-go counts them. */
export type MathVersion = 0 | 1 | 2;

/** The functions of a version and those before it. */
export function mathLibrary(version: MathVersion = 2): Library {
  return {
    name: 'cel.ext.math',
    macros: [extremeMacros('greatest'), extremeMacros('least')].flat(),
    functions: [
      extremeFunction('max', (order) => order > 0),
      extremeFunction('min', (order) => order < 0),
      ...(version >= 1 ? numberFunctions : []),
      ...(version >= 2 ? [squareRoot] : []),
    ],
  };
}

// `math.greatest(a, b, …)` takes any number of arguments, so it is a macro for each number that a
// call may have.
const argumentsMax = 40;

function extremeMacros(name: 'greatest' | 'least'): Macro[] {
  const target = name === 'greatest' ? 'math.@max' : 'math.@min';
  return Array.from({ length: argumentsMax + 1 }, (_, argumentCount) => ({
    name,
    isMember: true,
    argumentCount,
    expand: (call, make) => {
      if (call.target?.kind !== 'identifier' || call.target.name !== 'math') return undefined;
      const [first] = call.arguments;
      if (first === undefined) {
        const message = `math.${name}() requires at least one argument`;
        return { expressionId: call.target.id, message };
      }
      for (const value of call.arguments) {
        const isLiteral = value.kind === 'constant' && !isNumber(value.value);
        const isList = value.kind === 'list' && (argumentCount > 1 || value.elements.length === 0);
        if (isLiteral || isList || value.kind === 'map' || value.kind === 'struct') {
          const message = `math.${name}() invalid single argument value`;
          const several = `simple literal expected, got ${value.kind}`;
          return { expressionId: value.id, message: argumentCount === 1 ? message : several };
        }
      }
      if (argumentCount <= 2) return make.call(target, ...call.arguments);
      return make.call(target, make.list(...call.arguments));
    },
  }));
}

function extremeFunction(
  name: 'max' | 'min',
  isBetter: (order: number) => boolean,
): FunctionDeclaration {
  const better = (left: CelNumber, right: CelNumber): CelNumber =>
    isBetter(compareNumbers(right, left) ?? 0) ? right : left;
  const ofList = (list: CelList): CelResult => {
    let best: CelNumber | undefined;
    for (const element of elementsOf(list)) {
      if (!isNumber(element)) return celError('no such overload');
      best = best === undefined ? element : better(best, element);
    }
    return best ?? celError(`math.@${name}(list) argument must not be empty`);
  };
  const overloads: Overload[] = numberTypes.map((type) =>
    globalOverload(`math_@${name}_${type.name}`, [[type], type], (value: CelValue) => value),
  );
  for (const left of numberTypes) {
    for (const right of numberTypes) {
      const result = left === right ? left : dyn;
      const id = `math_@${name}_${left.name}_${right.name}`;
      overloads.push(globalOverload(id, [[left, right], result], better));
    }
  }
  for (const type of numberTypes) {
    const id = `math_@${name}_list_${type.name}`;
    overloads.push(globalOverload(id, [[listType(type)], type], ofList));
  }
  return { name: `math.@${name}`, overloads };
}

function ofDouble(
  name: string,
  result: CelType,
  invoke: (value: number) => CelResult,
): FunctionDeclaration {
  return declareFunction(
    `math.${name}`,
    globalOverload(`math_${name}_double`, [[double], result], invoke),
  );
}

function roundAwayFromZero(value: number): number {
  const rounded = Math.trunc(value);
  return Math.abs(value - rounded) >= 0.5 ? rounded + Math.sign(value) : rounded;
}

const squareRoot = declareFunction(
  'math.sqrt',
  globalOverload('math_sqrt_double', [[double], double], (value: number) => Math.sqrt(value)),
  globalOverload('math_sqrt_int', [[int], double], (value: bigint) => Math.sqrt(Number(value))),
  globalOverload('math_sqrt_uint', [[uint], double], (value: CelUint) =>
    Math.sqrt(Number(value.value)),
  ),
);

const signsAndSizes: readonly FunctionDeclaration[] = [
  declareFunction(
    'math.abs',
    globalOverload('math_abs_double', [[double], double], (value: number) => Math.abs(value)),
    globalOverload('math_abs_int', [[int], int], (value: bigint) =>
      value === int64Min ? integerOverflow : value < 0n ? -value : value,
    ),
    globalOverload('math_abs_uint', [[uint], uint], (value: CelUint) => value),
  ),
  declareFunction(
    'math.sign',
    globalOverload('math_sign_double', [[double], double], (value: number) => Math.sign(value)),
    globalOverload('math_sign_int', [[int], int], (value: bigint) =>
      value === 0n ? 0n : value < 0n ? -1n : 1n,
    ),
    globalOverload('math_sign_uint', [[uint], uint], (value: CelUint) =>
      celUint(value.value === 0n ? 0n : 1n),
    ),
  ),
];

function bitwise(
  name: string,
  compute: (left: bigint, right: bigint) => bigint,
): FunctionDeclaration {
  return declareFunction(
    `math.${name}`,
    globalOverload(`math_${name}_int_int`, [[int, int], int], (left: bigint, right: bigint) =>
      BigInt.asIntN(64, compute(left, right)),
    ),
    globalOverload(
      `math_${name}_uint_uint`,
      [[uint, uint], uint],
      (left: CelUint, right: CelUint) =>
        celUint(BigInt.asUintN(64, compute(left.value, right.value))),
    ),
  );
}

function shift(
  name: 'bitShiftLeft' | 'bitShiftRight',
  compute: (value: bigint, count: bigint) => bigint,
): FunctionDeclaration {
  const guard = (count: bigint, shifted: (count: bigint) => CelResult): CelResult =>
    count < 0n
      ? celError(`math.${name}() negative offset: ${count}`)
      : shifted(count > 63n ? 64n : count);
  return declareFunction(
    `math.${name}`,
    globalOverload(`math_${name}_int_int`, [[int, int], int], (value: bigint, count: bigint) =>
      // Bits, not arithmetic: the sign is not kept.
      guard(count, (by) => BigInt.asIntN(64, compute(BigInt.asUintN(64, value), by))),
    ),
    globalOverload(`math_${name}_uint_int`, [[uint, int], uint], (value: CelUint, count: bigint) =>
      guard(count, (by) => celUint(BigInt.asUintN(64, compute(value.value, by)))),
    ),
  );
}

const numberFunctions: readonly FunctionDeclaration[] = [
  ofDouble('ceil', double, Math.ceil),
  ofDouble('floor', double, Math.floor),
  ofDouble('round', double, roundAwayFromZero),
  ofDouble('trunc', double, Math.trunc),
  ofDouble('isInf', bool, (value) => value === Infinity || value === -Infinity),
  ofDouble('isNaN', bool, Number.isNaN),
  ofDouble('isFinite', bool, Number.isFinite),
  ...signsAndSizes,
  bitwise('bitAnd', (left, right) => left & right),
  bitwise('bitOr', (left, right) => left | right),
  bitwise('bitXor', (left, right) => left ^ right),
  declareFunction(
    'math.bitNot',
    globalOverload('math_bitNot_int_int', [[int], int], (value: bigint) => ~value),
    globalOverload('math_bitNot_uint_uint', [[uint], uint], (value: CelUint) =>
      celUint(value.value ^ uint64Max),
    ),
  ),
  shift('bitShiftLeft', (value, count) => value << count),
  shift('bitShiftRight', (value, count) => value >> count),
];
