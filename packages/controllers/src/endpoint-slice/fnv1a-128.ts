// FNV-1a with 128 bits, by which Kubernetes orders ports and subsets of endpoints since 1.35 (it was
// MD5 before). Nothing is kept secret or safe by it.

/** A word of 32 bits, as a number that is not negative. */
const word = 2 ** 32;

/** Hexadecimal, so that texts compare as the bytes do. */
export function fnv1a128(bytes: Uint8Array): string {
  // From the lowest word to the highest: the offset basis.
  let [a, b, c, d] = [0x6295c58d, 0x62b82175, 0x07bb0142, 0x6c62272e];
  for (const byte of bytes) {
    const low = (a ^ byte) >>> 0;
    // Times 2^88 + 0x13b: what is shifted reaches the two upper words only.
    const first = low * 0x13b;
    const second = b * 0x13b + Math.floor(first / word);
    const third = c * 0x13b + Math.floor(second / word) + ((low << 24) >>> 0);
    const fourth = d * 0x13b + Math.floor(third / word) + (low >>> 8) + ((b << 24) >>> 0);
    [a, b, c, d] = [first % word, second % word, third % word, fourth % word];
  }
  return [d, c, b, a].map((one) => one.toString(16).padStart(8, '0')).join('');
}
