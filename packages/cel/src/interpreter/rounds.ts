/**
 * What a loop goes over: elements of a list (with their indices, if asked), or keys of a map (with
 * their values).
 */

import { elementsOf } from '../values/list.ts';
import { isList, isMap } from '../values/value.ts';
import type { CelList, CelMap, CelValue } from '../values/value.ts';

/** The values of the one or two loop variables, round by round. */
export type Rounds = Iterable<readonly [CelValue, CelValue | undefined]>;

/** The rounds of a loop; undefined when the value cannot be looped over. */
export function roundsOf(range: CelValue, hasTwo: boolean): Rounds | undefined {
  if (isList(range)) return listRounds(range, hasTwo);
  if (isMap(range)) return hasTwo ? mapRounds(range) : keyRounds(range.keys());
  return undefined;
}

function* listRounds(list: CelList, hasTwo: boolean): Rounds {
  let index = 0n;
  for (const element of elementsOf(list)) {
    yield hasTwo ? [index++, element] : [element, undefined];
  }
}

function* keyRounds(keys: Iterable<CelValue>): Rounds {
  for (const key of keys) yield [key, undefined];
}

function* mapRounds(map: CelMap): Rounds {
  for (const key of map.keys()) yield [key, map.get(key)];
}
