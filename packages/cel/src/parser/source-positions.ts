/**
 * Offsets to lines and columns. Columns count code points, as cel-go does.
 */

import type { Issue } from '../issue.ts';

/** A place in the source: lines from 1, columns from 0. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The position of an offset in UTF-16 units. */
export function positionAt(source: string, offset: number): Position {
  let line = 1;
  let lineStart = 0;
  for (let end = source.indexOf('\n'); end >= 0 && end < offset;) {
    line++;
    lineStart = end + 1;
    end = source.indexOf('\n', lineStart);
  }
  let column = 0;
  for (let index = lineStart; index < offset; column++) {
    index += (source.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  }
  return { line, column };
}

/** What is wrong with a text as a whole. */
export function withoutPosition(message: string): Issue {
  return { message, line: -1, column: -1 };
}

/** What is wrong at an offset; a negative one is none. */
export function issueAt(source: string, offset: number, message: string): Issue {
  return offset < 0 ? withoutPosition(message) : { message, ...positionAt(source, offset) };
}
