/**
 * What a loop goes over: elements of a list (with their indices, if asked), or keys of a map (with
 * their values).
 */

import { isList, isMap } from '../values/value.ts';
import type { CelList, CelMap, CelValue } from '../values/value.ts';

/** One round, with the values of the one or two loop variables; false ends the loop. */
export type Round = (first: CelValue, second: CelValue | undefined) => boolean;

/** Goes round; false when the value is nothing to loop over. */
export function eachRound(range: CelValue, hasTwo: boolean, round: Round): boolean {
  if (isList(range)) {
    if (hasTwo) eachIndexed(range, round);
    else eachElement(range, round);
    return true;
  }
  if (!isMap(range)) return false;
  eachKey(range, hasTwo, round);
  return true;
}

function eachElement(list: CelList, round: Round): void {
  for (let index = 0; index < list.size; index++) {
    if (!round(list.get(index), undefined)) return;
  }
}

function eachIndexed(list: CelList, round: Round): void {
  for (let index = 0; index < list.size; index++) {
    if (!round(BigInt(index), list.get(index))) return;
  }
}

function eachKey(map: CelMap, hasTwo: boolean, round: Round): void {
  for (const key of map.keys()) {
    if (!round(key, hasTwo ? map.get(key) : undefined)) return;
  }
}
