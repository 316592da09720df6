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

/** Whether an order is what the operator asks for, and the operator on two ints, without detour. */
interface Order {
  readonly operator: string;
  readonly prefix: string;
  readonly holds: (order: number) => boolean;
  readonly ofInts: (left: bigint, right: bigint) => boolean;
}

const orders: readonly Order[] = [
  {
    operator: operators.less,
    prefix: 'less',
    holds: (order) => order < 0,
    ofInts: (left, right) => left < right,
  },
  {
    operator: operators.lessEquals,
    prefix: 'less_equals',
    holds: (order) => order <= 0,
    ofInts: (left, right) => left <= right,
  },
  {
    operator: operators.greater,
    prefix: 'greater',
    holds: (order) => order > 0,
    ofInts: (left, right) => left > right,
  },
  {
    operator: operators.greaterEquals,
    prefix: 'greater_equals',
    holds: (order) => order >= 0,
    ofInts: (left, right) => left >= right,
  },
];

/** The ordering operators; between different types of numbers only if asked for. */
export function comparisonFunctions(isCrossType: boolean): readonly FunctionDeclaration[] {
  return orders.map((order) => ({
    name: order.operator,
    overloads: [
      ...ordered.map(([suffix, type]) =>
        type === int
          ? globalOverload(`${order.prefix}_int64`, [[int, int], bool], order.ofInts)
          : compare(`${order.prefix}_${suffix}`, [type, type], order),
      ),
      ...(isCrossType ? crossTypeOverloads(order) : []),
    ],
  }));
}

function crossTypeOverloads(order: Order): Overload[] {
  return numbers.flatMap(([leftName, left]) =>
    numbers
      .filter(([rightName]) => rightName !== leftName)
      .map(([rightName, right]) =>
        compare(`${order.prefix}_${leftName}_${rightName}`, [left, right], order),
      ),
  );
}

function compare(id: string, types: readonly CelType[], { holds }: Order): Overload {
  return globalOverload(id, [types, bool], (left: CelValue, right: CelValue) => {
    const order = compareValues(left, right);
    return order === undefined ? unordered : holds(order);
  });
}
