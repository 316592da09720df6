/**
 * `< <= > >=` between values of one type, and between numbers of different types. Equality is the
 * evaluator's own, for it takes any two values.
 */

import { operators } from '../../operators.ts';
import { celTypes } from '../../types/type.ts';
import type { CelType } from '../../types/type.ts';
import { celError } from '../../values/error.ts';
import { compareValues } from '../../values/ordering.ts';
import type { CelValue } from '../../values/value.ts';
import { globalOverload } from '../library.ts';
import type { FunctionDeclaration, Overload } from '../library.ts';

const { bool, bytes, double, duration, int, string, timestamp, uint } = celTypes;

const ordered: readonly (readonly [name: string, type: CelType])[] = [
  ['bool', bool],
  ['int64', int],
  ['uint64', uint],
  ['double', double],
  ['string', string],
  ['bytes', bytes],
  ['timestamp', timestamp],
  ['duration', duration],
];

const unordered = celError('NaN values cannot be ordered');

const numbers = ordered.filter(([, type]) => type === int || type === uint || type === double);

const orders: readonly (readonly [operator: string, prefix: string, Holds])[] = [
  [operators.less, 'less', (order) => order < 0],
  [operators.lessEquals, 'less_equals', (order) => order <= 0],
  [operators.greater, 'greater', (order) => order > 0],
  [operators.greaterEquals, 'greater_equals', (order) => order >= 0],
];

type Holds = (order: number) => boolean;

/** The ordering operators; between different types of numbers only if asked for. */
export function comparisonFunctions(isCrossType: boolean): readonly FunctionDeclaration[] {
  return orders.map(([name, prefix, holds]) => ({
    name,
    overloads: [
      ...ordered.map(([suffix, type]) => compare(`${prefix}_${suffix}`, [type, type], holds)),
      ...(isCrossType ? crossTypeOverloads(prefix, holds) : []),
    ],
  }));
}

function crossTypeOverloads(prefix: string, holds: Holds): Overload[] {
  return numbers.flatMap(([leftName, left]) =>
    numbers
      .filter(([rightName]) => rightName !== leftName)
      .map(([rightName, right]) =>
        compare(`${prefix}_${leftName}_${rightName}`, [left, right], holds),
      ),
  );
}

function compare(id: string, types: readonly CelType[], holds: Holds): Overload {
  return globalOverload(id, [types, bool], (left: CelValue, right: CelValue) => {
    const order = compareValues(left, right);
    return order === undefined ? unordered : holds(order);
  });
}
