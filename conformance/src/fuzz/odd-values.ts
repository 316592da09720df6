// Values that break careless code: wrong types, numbers at the edges, keys of the prototype, text
// that is no text, and objects that follow a schema with one of these in some place.

import type { Field, JsonObject, JsonValue, StructType, TypeRef } from '@keelson/apimachinery';
import type { Chance } from './chance.ts';

const prototypeKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  'toJSON',
  'length',
  'then',
];
const oddTexts = [
  '',
  ' ',
  '\u0000',
  '\u0001\u0002',
  '..',
  '.',
  '/',
  '../../etc/passwd',
  'A'.repeat(300),
  'é'.repeat(70),
  '\ud800',
  '💥',
  '%s%n',
  '${x}',
  '{{x}}',
  '*',
  'a/b/c',
  'a b',
  '-',
  '-a',
  'a-',
  '0',
  '-1',
  '1e9',
  '99999999999999999999',
  'NaN',
  '1Ei',
  '1e-400',
  '0x10',
  '1m',
  '-5',
  '1.5.5',
  'true',
  'null',
  '2024-01-01T00:00:00Z',
  '2024-13-41T99:99:99Z',
  '9999999h',
  '-1s',
  '10.0.0.1',
  '10.0.0.0/33',
  '::1',
  'fe80::/129',
  '999.1.1.1',
  'example.com',
  'EXAMPLE.com',
  'example.com/',
  'kubernetes.io/x',
  'http://[::1',
  '((((',
  '[a-',
  '(a+)+$',
  'self.x',
  'object.spec.replicas > ',
  '25%',
  '101%',
  '-1%',
  '{.a.b',
  '* * * * *',
  '61 * * * *',
  'TZ=x * * * * *',
  ...prototypeKeys,
];
const oddNumbers = [
  0, -1, 1, 0.5, -0.0001, 65_535, 65_536, 2_147_483_647, 2_147_483_648, -2_147_483_649,
  9_007_199_254_740_992, 1e21, 1e308, -1e308, 5e-324,
];

export function oddValue(chance: Chance, depth = 0): JsonValue {
  switch (chance.below(depth > 2 ? 4 : 7)) {
    case 0:
      return chance.pick(oddTexts);
    case 1:
      return chance.pick(oddNumbers);
    case 2:
      return chance.percent(50);
    case 3:
      return null;
    case 4:
      return Array.from({ length: chance.below(4) }, () => oddValue(chance, depth + 1));
    default:
      return oddObject(chance, depth);
  }
}

export function oddText(chance: Chance): string {
  return chance.pick(oddTexts);
}

function oddObject(chance: Chance, depth: number): JsonObject {
  const object: JsonObject = {};
  const count = chance.below(4);
  for (let i = 0; i < count; i++)
    define(
      object,
      chance.percent(50) ? chance.pick(prototypeKeys) : chance.pick(oddTexts),
      oddValue(chance, depth + 1),
    );
  return object;
}

function define(object: JsonObject, key: string, value: JsonValue): void {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

/**
 * An object whose fields are those of `type`, filled at random; about one value in `oddOneIn` is
 * of a wrong kind.
 */
export function objectOfType(
  chance: Chance,
  type: StructType,
  oddOneIn: number,
  depth = 0,
): JsonObject {
  const object: JsonObject = {};
  for (const field of type.fields) {
    if (field.name === 'managedFields' && chance.percent(90)) continue;
    const wanted = field.required ? 95 : depth === 0 ? 90 : 40 / (1 + depth / 2);
    if (chance.percent(wanted))
      object[field.name] =
        chance.below(oddOneIn) === 0
          ? oddValue(chance)
          : valueOf(chance, field.type, { field, oddOneIn, depth: depth + 1 });
  }
  if (chance.percent(2)) define(object, chance.pick(prototypeKeys), oddValue(chance));
  return object;
}

const depthMax = 9;

interface Place {
  readonly field: Field;
  readonly oddOneIn: number;
  readonly depth: number;
}

function valueOf(chance: Chance, type: TypeRef, place: Place): JsonValue {
  const { oddOneIn, depth } = place;
  const inside = { ...place, depth: depth + 1 };
  switch (type.kind) {
    case 'list':
      return depth > depthMax
        ? []
        : Array.from({ length: chance.below(3) }, () => valueOf(chance, type.items, inside));
    case 'map': {
      const map: JsonObject = {};
      if (depth <= depthMax)
        for (let i = chance.below(3); i > 0; i--)
          define(
            map,
            chance.percent(70) ? chance.pick(['a', 'b', 'app']) : chance.pick(oddTexts),
            valueOf(chance, type.values, inside),
          );
      return map;
    }
    case 'struct':
      return depth > depthMax ? {} : objectOfType(chance, type.type, oddOneIn, depth);
    default:
      return scalarOf(chance, type, place.field);
  }
}

type ScalarType = Exclude<TypeRef, { kind: 'list' } | { kind: 'map' } | { kind: 'struct' }>;

function scalarOf(chance: Chance, type: ScalarType, field: Field): JsonValue {
  switch (type.kind) {
    case 'string':
      return field.enum !== undefined && chance.percent(80)
        ? chance.pick(field.enum)
        : chance.percent(60)
          ? chance.pick(['a', 'b', 'x-1', 'default', 'kube-system'])
          : chance.pick(oddTexts);
    case 'bool':
      return chance.percent(50);
    case 'int32':
    case 'int64':
      return chance.percent(70)
        ? chance.below(100)
        : chance.pick(oddNumbers.filter(Number.isInteger));
    case 'double':
      return chance.pick(oddNumbers);
    case 'bytes':
      return chance.percent(80)
        ? Buffer.from(chance.bytes(chance.below(20))).toString('base64')
        : chance.pick(oddTexts);
    case 'time':
    case 'micro-time':
      return chance.percent(70) ? '2024-02-03T04:05:06.000007Z' : chance.pick(oddTexts);
    case 'duration':
      return chance.pick(['1s', '-1m', '9999999h', '', 'x']);
    case 'quantity':
      return chance.pick<JsonValue>([
        '1',
        '100m',
        '1Gi',
        '-1',
        '1e30',
        '',
        'x',
        3,
        1.5,
        '99999999999999999999999999999999E',
      ]);
    case 'int-or-string':
      return chance.pick<JsonValue>([1, '25%', 'http', -1, 70_000, '', '101%', 1.5]);
    case 'any':
      return oddValue(chance);
    case 'fields-v1':
      return chance.pick<JsonValue>([
        {},
        { 'f:metadata': {} },
        { 'k:{"a":': {} },
        { 'v:': {} },
        [],
        'x',
        { 'i:-1': {} },
        { __x: { '.': 1 } },
      ]);
  }
}
