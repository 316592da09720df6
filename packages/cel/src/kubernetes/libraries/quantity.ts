// Quantities: `quantity('1.5Gi').isGreaterThan(quantity('1G'))`.
// COMPAT: `sign` is a function only (`sign(q)`), although it is documented as a method.

import {
  declareFunction,
  globalOverload,
  memberOverload,
  type Library,
} from '../../library/library.ts';
import { celTypes } from '../../types/type.ts';
import { celError } from '../../values/error.ts';
import type { CelResult } from '../../values/value.ts';
import { kubernetesTypes, quantityValue, type HeldValue } from '../types.ts';
import {
  addQuantities,
  approximateFloat,
  compareQuantities,
  integerOf,
  parseQuantity,
  quantityOfInteger,
  signOfQuantity,
  subtractQuantities,
  type Quantity,
} from '../values/quantity.ts';

type Held = HeldValue<Quantity>;

const { quantity } = kubernetesTypes;
const { bool, double, int, string } = celTypes;
const create = quantityValue.create;

function fromText(text: string): CelResult {
  const parsed = parseQuantity(text);
  return 'error' in parsed ? celError(parsed.error) : create(parsed);
}

function asInteger({ held }: Held): CelResult {
  return integerOf(held) ?? celError('cannot convert value to integer');
}

const comparison = (id: string, holds: (order: number) => boolean) =>
  memberOverload(id, [[quantity, quantity], bool], (a: Held, b: Held) =>
    holds(compareQuantities(a.held, b.held)),
  );

type Operation = (a: Quantity, b: Quantity) => Quantity;

const arithmetic = (id: string, operate: Operation) => [
  memberOverload(id, [[quantity, quantity], quantity], (a: Held, b: Held) =>
    create(operate(a.held, b.held)),
  ),
  memberOverload(`${id}_int`, [[quantity, int], quantity], (a: Held, b: bigint) =>
    create(operate(a.held, quantityOfInteger(b))),
  ),
];

export const quantityLibrary: Library = {
  name: 'kubernetes.quantity',
  functions: [
    declareFunction(
      'quantity',
      globalOverload('string_to_quantity', [[string], quantity], fromText),
    ),
    declareFunction(
      'isQuantity',
      globalOverload(
        'is_quantity_string',
        [[string], bool],
        (text: string) => !('error' in parseQuantity(text)),
      ),
    ),
    declareFunction(
      'sign',
      globalOverload('quantity_sign', [[quantity], int], (q: Held) => signOfQuantity(q.held)),
    ),
    declareFunction(
      'isGreaterThan',
      comparison('quantity_is_greater_than', (order) => order > 0),
    ),
    declareFunction(
      'isLessThan',
      comparison('quantity_is_less_than', (order) => order < 0),
    ),
    declareFunction(
      'compareTo',
      memberOverload('quantity_compare_to', [[quantity, quantity], int], (a: Held, b: Held) =>
        BigInt(compareQuantities(a.held, b.held)),
      ),
    ),
    declareFunction(
      'asApproximateFloat',
      memberOverload('quantity_get_float', [[quantity], double], (q: Held) =>
        approximateFloat(q.held),
      ),
    ),
    declareFunction('asInteger', memberOverload('quantity_get_int', [[quantity], int], asInteger)),
    declareFunction(
      'isInteger',
      memberOverload(
        'quantity_is_integer',
        [[quantity], bool],
        (q: Held) => integerOf(q.held) !== undefined,
      ),
    ),
    declareFunction('add', ...arithmetic('quantity_add', addQuantities)),
    declareFunction('sub', ...arithmetic('quantity_sub', subtractQuantities)),
  ],
};
