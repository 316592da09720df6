/**
 * `size`, `contains`, `startsWith`, `endsWith` and `matches`. Sizes of strings count code points.
 */

import { celTypes, listType, mapType, typeParameter } from '../../types/type.ts';
import type { CelType } from '../../types/type.ts';
import { codePointCount } from '../../values/code-points.ts';
import { celError } from '../../values/error.ts';
import type { CelList, CelMap, CelResult } from '../../values/value.ts';
import { declareFunction, globalOverload, memberOverload } from '../library.ts';
import type { FunctionDeclaration, Overload } from '../library.ts';
import { compileRegex } from '../regex.ts';

const { bool, bytes, int, string } = celTypes;
const anyList = listType(typeParameter('A'));
const anyMap = mapType(typeParameter('A'), typeParameter('B'));

/** The functions of texts, and `size` of everything that has one. */
export const textFunctions: readonly FunctionDeclaration[] = [
  declareFunction(
    'size',
    ...sizes('string', string, (value: string) => BigInt(codePointCount(value))),
    ...sizes('bytes', bytes, (value: Uint8Array) => BigInt(value.length)),
    ...sizes('list', anyList, (value: CelList) => BigInt(value.size)),
    ...sizes('map', anyMap, (value: CelMap) => BigInt(value.size)),
  ),
  test('contains', 'contains_string', (text, part) => text.includes(part)),
  test('startsWith', 'starts_with_string', (text, part) => text.startsWith(part)),
  test('endsWith', 'ends_with_string', (text, part) => text.endsWith(part)),
  declareFunction(
    'matches',
    globalOverload('matches', [[string, string], bool], matches),
    memberOverload('matches_string', [[string, string], bool], matches),
  ),
];

function sizes(name: string, type: CelType, invoke: Overload['invoke']): Overload[] {
  return [
    globalOverload(`size_${name}`, [[type], int], invoke),
    memberOverload(`${name}_size`, [[type], int], invoke),
  ];
}

function test(
  name: string,
  id: string,
  holds: (text: string, part: string) => boolean,
): FunctionDeclaration {
  return declareFunction(name, memberOverload(id, [[string, string], bool], holds));
}

function matches(text: string, pattern: string): CelResult {
  const regex = compileRegex(pattern);
  if (typeof regex === 'string') return celError(regex);
  return regex.test(text);
}
