// `shardSelector` of lists and watches (KEP-5866, gate ShardedListAndWatch): the objects whose hash
// lies in one of some ranges, so that several clients can share a collection between them.
//
//   shardRange(object.metadata.uid, '0x0', '0x8000000000000000')
//   shardRange(object.metadata.namespace, '0x0', '0x10') || shardRange(…)
//
// The hash is FNV-1a with 64 bits; the first bound is inclusive, the second exclusive and at most
// 2^64. The text is an expression in CEL, of which only this form is allowed.

import { statusErrors, type KubeObject } from '@keelson/apimachinery';

/** Two halves of 64 bits; the upper one is 2^32 for 2^64 itself. */
interface Bound {
  readonly high: number;
  readonly low: number;
}
interface Range {
  readonly field: 'uid' | 'namespace';
  readonly from: Bound;
  readonly until: Bound;
}

const rangePattern =
  /^\s*shardRange\(\s*([\w.]+)\s*,\s*'0x([0-9a-fA-F]{1,17})'\s*,\s*'0x([0-9a-fA-F]{1,17})'\s*\)\s*$/;
const fields: Readonly<Record<string, Range['field']>> = {
  'object.metadata.uid': 'uid',
  'object.metadata.namespace': 'namespace',
};
const end: Bound = { high: 2 ** 32, low: 0 };

/** Throws 400. */
export function parseShardSelector(text: string): (object: KubeObject) => boolean {
  const ranges = text.split('||').map(parseRange);
  return ({ metadata }) =>
    ranges.some(({ field, from, until }) => {
      const hash = hashOf(metadata[field] ?? '');
      return compareBounds(from, hash) <= 0 && compareBounds(hash, until) < 0;
    });
}

function parseRange(text: string): Range {
  const [, path = '', first = '', second = ''] = rangePattern.exec(text) ?? [];
  if (path === '')
    throw invalid(text, "must be shardRange(FIELD, '0xSTART', '0xEND'), or several joined by ||");
  const field = Object.hasOwn(fields, path) ? fields[path] : undefined;
  if (field === undefined)
    throw invalid(text, `${path} is not one of ${Object.keys(fields).join(', ')}`);
  const [from, until] = [parseBound(first), parseBound(second)];
  if (compareBounds(until, end) > 0) throw invalid(text, 'the end is beyond 2^64');
  if (compareBounds(from, until) >= 0) throw invalid(text, 'the start must be before the end');
  return { field, from, until };
}

function invalid(text: string, why: string) {
  return statusErrors.badRequest(`invalid shardSelector ${JSON.stringify(text.trim())}: ${why}`);
}

function parseBound(hex: string): Bound {
  return {
    high: Number.parseInt(`0${hex.slice(0, -8)}`, 16),
    low: Number.parseInt(hex.slice(-8), 16),
  };
}

function compareBounds(a: Bound, b: Bound): number {
  return a.high === b.high ? a.low - b.low : a.high - b.high;
}

/** FNV-1a of the bytes in UTF-8. The prime is 2^40 + 0x1b3. */
function hashOf(text: string): Bound {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of Buffer.from(text)) {
    const mixed = (low ^ byte) >>> 0;
    const product = mixed * 0x1b3;
    low = product % 2 ** 32;
    const carry = Math.floor(product / 2 ** 32);
    high = (Math.imul(high, 0x1b3) + carry + (mixed << 8)) >>> 0;
  }
  return { high, low };
}
