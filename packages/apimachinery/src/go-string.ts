// Go compares strings by their UTF-8 bytes, JavaScript by UTF-16 units. The two orders differ only
// where a surrogate pair meets U+E000..U+FFFF; lists that Kubernetes sorts must agree there too.

const surrogates = /[\ud800-\udfff]/;

/** Negative, zero or positive, in the order of the UTF-8 bytes. */
export function compareGoStrings(a: string, b: string): number {
  if (a === b) return 0;
  if (!surrogates.test(a) && !surrogates.test(b)) return a < b ? -1 : 1;
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === shorter) return a.length - b.length;
  return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
}

/** Code units in the order of the code points that they begin. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
