// The blocks of one range of addresses: which are taken, and which comes next. Blocks are given out
// in turn, so one that was released rests before it comes again. What is taken may be other than a
// block: a part of one, or many, when a node or the Services have it from elsewhere.
//
// Its memory grows with what is taken, not with the range.

import { formatIp, networkOf, parseCidr, type IpFamily } from '@keelson/apimachinery';
import type { CidrSetMeter } from './cidr-set-metrics.ts';
import type { NodeRange } from './node-ranges.ts';

export interface CidrSet {
  /** A free block, which is taken then; undefined when there is none. */
  take(): string | undefined;
  /** It may be taken already, and is then released as often. False when it is not of this range. */
  occupy(cidr: string): boolean;
  /** What was taken or occupied. */
  release(cidr: string): void;
}

interface Span {
  readonly first: number;
  readonly last: number;
}

const addressBits: Readonly<Record<IpFamily, bigint>> = { 4: 32n, 6: 128n };

export function createCidrSet(range: NodeRange, meter: CidrSetMeter): CidrSet {
  const count = 2 ** (range.blockBits - range.cidr.bits);
  /** By block, how often. */
  const single = new Map<number, number>();
  const wide: Span[] = [];
  let next = 0;
  /** The last block of what holds this one. */
  const endOf = (at: number) =>
    wide.find(({ first, last }) => first <= at && at <= last)?.last ??
    (single.has(at) ? at : undefined);
  const show = () => {
    const blocks = wide.reduce((sum, { first, last }) => sum + last - first + 1, single.size);
    meter.used(Math.min(1, blocks / count));
  };
  const add = (span: Span) => {
    if (span.first === span.last) single.set(span.first, (single.get(span.first) ?? 0) + 1);
    else wide.push(span);
    meter.taken(span.last - span.first + 1);
    show();
  };
  const remove = (span: Span) => {
    const times = single.get(span.first) ?? 0;
    const at = wide.findIndex(({ first, last }) => first === span.first && last === span.last);
    if (span.first !== span.last) wide.splice(at, at < 0 ? 0 : 1);
    else if (times > 1) single.set(span.first, times - 1);
    else single.delete(span.first);
    meter.released(span.last - span.first + 1);
    show();
  };
  meter.size(count);
  return {
    take() {
      // Each step passes something that is taken, or comes round to the first block once.
      for (let tries = 0; tries <= single.size + wide.length + 1; tries++) {
        const end = endOf(next);
        if (end === undefined) {
          const block = next;
          next = (block + 1) % count;
          add({ first: block, last: block });
          meter.tried(tries);
          return blockText(range, block);
        }
        next = (end + 1) % count;
      }
      return undefined;
    },
    occupy(cidr) {
      const span = spanOf(range, cidr);
      if (span !== undefined) add(span);
      return span !== undefined;
    },
    release(cidr) {
      const span = spanOf(range, cidr);
      if (span !== undefined) remove(span);
    },
  };
}

function blockText({ cidr, blockBits }: NodeRange, block: number): string {
  const { family } = cidr;
  const value = networkOf(cidr) + (BigInt(block) << (addressBits[family] - BigInt(blockBits)));
  return `${formatIp({ family, value })}/${blockBits}`;
}

/** The blocks that it has a part of; undefined when it is outside. */
function spanOf({ cidr, blockBits }: NodeRange, text: string): Span | undefined {
  const other = parseCidr(text);
  if (other === undefined || other.mapped || other.family !== cidr.family) return undefined;
  const bits = addressBits[cidr.family];
  const sizeOf = (prefix: number) => 1n << (bits - BigInt(prefix));
  const [start, otherStart] = [networkOf(cidr), networkOf(other)];
  const end = start + sizeOf(cidr.bits) - 1n;
  const otherEnd = otherStart + sizeOf(other.bits) - 1n;
  if (otherEnd < start || otherStart > end) return undefined;
  const blockOf = (address: bigint) => Number((address - start) / sizeOf(blockBits));
  return {
    first: blockOf(otherStart < start ? start : otherStart),
    last: blockOf(otherEnd > end ? end : otherEnd),
  };
}
