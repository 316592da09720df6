/**
 * What a loop goes over: elements of a list (with their indices, if asked), or keys of a map (with
 * their values).
 */

import { isList, isMap } from '../values/value.ts';
import type { CelList, CelMap, CelValue } from '../values/value.ts';
import type { Frame } from './frame.ts';

/** One round, with the values of the one or two loop variables; false ends the loop. */
export type Round = (frame: Frame, first: CelValue, second: CelValue | undefined) => boolean;

/** How often, and with how many variables. */
export interface Rounds {
  readonly hasTwo: boolean;
  readonly round: Round;
}

/** Goes round; false when the value is nothing to loop over. */
export function eachRound(frame: Frame, range: CelValue, { hasTwo, round }: Rounds): boolean {
  if (isList(range)) {
    if (hasTwo) eachIndexed(frame, range, round);
    else eachElement(frame, range, round);
    return true;
  }
  if (!isMap(range)) return false;
  eachKey(frame, range, { hasTwo, round });
  return true;
}

function eachElement(frame: Frame, list: CelList, round: Round): void {
  for (let index = 0; index < list.size; index++) {
    if (!round(frame, list.get(index), undefined)) return;
  }
}

function eachIndexed(frame: Frame, list: CelList, round: Round): void {
  for (let index = 0; index < list.size; index++) {
    if (!round(frame, BigInt(index), list.get(index))) return;
  }
}

function eachKey(frame: Frame, map: CelMap, { hasTwo, round }: Rounds): void {
  for (const key of map.keys()) {
    if (!round(frame, key, hasTwo ? map.get(key) : undefined)) return;
  }
}
