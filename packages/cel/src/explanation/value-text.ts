/**
 * Values for people who ask why: JSON where there is JSON for it, cut to a bounded length.
 */

import { elementsOf } from '../values/list.ts';
import { entriesOf } from '../values/map.ts';
import { formatValue } from '../values/value-text.ts';
import { isError, isList, isMap, isOptional } from '../values/value.ts';
import type { CelResult } from '../values/value.ts';

/**
 * The text of a value in at most `charactersMax` characters, the last of which says if it was cut.
 */
export function describeValue(value: CelResult, charactersMax = 200): string {
  const text = write(value, charactersMax);
  return text.length > charactersMax ? `${text.slice(0, charactersMax - 1)}…` : text;
}

/** Stops soon after `room` characters: a list may have a million elements. */
function write(value: CelResult, room: number): string {
  if (room <= 0) return '…';
  if (isError(value)) return `error: ${value.message}`;
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room));
  if (isList(value)) return `[${joined(elementsOf(value), room, write)}]`;
  if (isMap(value)) {
    const entries = joined(entriesOf(value), room, ([key, member], left) => {
      return `${write(key, left)}: ${write(member, left)}`;
    });
    return `{${entries}}`;
  }
  if (isOptional(value)) {
    return value.value === undefined ? 'none' : `optional(${write(value.value, room)})`;
  }
  return formatValue(value);
}

function joined<T>(
  items: Iterable<T>,
  room: number,
  toText: (item: T, room: number) => string,
): string {
  const texts: string[] = [];
  let left = room;
  for (const item of items) {
    if (left <= 0) {
      texts.push('…');
      break;
    }
    const text = toText(item, left);
    texts.push(text);
    left -= text.length + 2;
  }
  return texts.join(', ');
}
