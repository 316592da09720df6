/**
 * Strings by code point, as the language counts them. Most strings are ASCII, for which no counting
 * is needed.
 */

/** How many code points a string has; a lone surrogate is one. */
export function codePointCount(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.charCodeAt(index + 1);
      if (next >= 0xdc00 && next <= 0xdfff) {
        count--;
        index++;
      }
    }
  }
  return count;
}

/** The offset in UTF-16 units of a code point; the length for an index at the end or behind it. */
export function codePointOffset(text: string, index: number): number {
  let offset = 0;
  for (let passed = 0; passed < index && offset < text.length; passed++) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  return offset;
}

/** How many code points stand before an offset in UTF-16 units. */
export function codePointIndex(text: string, offset: number): number {
  return codePointCount(text.slice(0, offset));
}
