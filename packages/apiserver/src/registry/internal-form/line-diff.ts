// The difference of two lists of lines as Python's difflib and its Go port find it: the longest
// common block first, then the same on both sides of it. Kubernetes shows such differences in
// errors, so the choice of blocks must be the same, including that lines which are very common
// are ignored at first.

/** Lines [a1, a2) of the old text became lines [b1, b2) of the new one; equal or not. */
interface Block {
  readonly a1: number;
  readonly a2: number;
  readonly b1: number;
  readonly b2: number;
  readonly equal: boolean;
}
interface Match {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

const contextLines = 3;
/**
 * From this many lines on, a line that makes up more than one percent of the new text is popular.
 */
const popularFrom = 200;

/** Unified hunks without file names; empty when the texts are equal. */
export function unifiedDiff(oldText: string, newText: string): string {
  const a = lines(oldText);
  const b = lines(newText);
  let out = '';
  for (const group of groups(blocks(a, b))) {
    const first = group[0];
    const last = group.at(-1);
    if (!first || !last) continue;
    out += `@@ -${range(first.a1, last.a2)} +${range(first.b1, last.b2)} @@\n`;
    for (const block of group) {
      if (block.equal) for (const line of a.slice(block.a1, block.a2)) out += ` ${line}`;
      else {
        for (const line of a.slice(block.a1, block.a2)) out += `-${line}`;
        for (const line of b.slice(block.b1, block.b2)) out += `+${line}`;
      }
    }
  }
  return out;
}

const lines = (text: string) => text.split('\n').map((line) => `${line}\n`);

function range(start: number, stop: number): string {
  const length = stop - start;
  if (length === 1) return String(start + 1);
  return `${length === 0 ? start : start + 1},${length}`;
}

function blocks(a: readonly string[], b: readonly string[]): Block[] {
  const out: Block[] = [];
  let i = 0;
  let j = 0;
  for (const m of matchingBlocks(a, b)) {
    if (i < m.a || j < m.b) out.push({ a1: i, a2: m.a, b1: j, b2: m.b, equal: false });
    i = m.a + m.size;
    j = m.b + m.size;
    if (m.size > 0) out.push({ a1: m.a, a2: i, b1: m.b, b2: j, equal: true });
  }
  return out;
}

/** Maximal matches in order, ended by one of size zero. */
function matchingBlocks(a: readonly string[], b: readonly string[]): Match[] {
  const positions = linePositions(b);
  const found: Match[] = [];
  const queue: [a1: number, a2: number, b1: number, b2: number][] = [[0, a.length, 0, b.length]];
  for (let next = queue.pop(); next; next = queue.pop()) {
    const [a1, a2, b1, b2] = next;
    const m = longestMatch({ a, b, positions }, next);
    if (m.size === 0) continue;
    found.push(m);
    if (a1 < m.a && b1 < m.b) queue.push([a1, m.a, b1, m.b]);
    if (m.a + m.size < a2 && m.b + m.size < b2) queue.push([m.a + m.size, a2, m.b + m.size, b2]);
  }
  found.sort((x, y) => x.a - y.a || x.b - y.b);
  const merged: Match[] = [];
  for (const m of found) {
    const last = merged.at(-1);
    if (last && last.a + last.size === m.a && last.b + last.size === m.b) {
      merged[merged.length - 1] = { ...last, size: last.size + m.size };
    } else merged.push(m);
  }
  return [...merged, { a: a.length, b: b.length, size: 0 }];
}

function linePositions(b: readonly string[]): Map<string, number[]> {
  const positions = new Map<string, number[]>();
  b.forEach((line, i) => {
    const list = positions.get(line);
    if (list) list.push(i);
    else positions.set(line, [i]);
  });
  if (b.length < popularFrom) return positions;
  const max = Math.floor(b.length / 100) + 1;
  for (const [line, list] of positions) if (list.length > max) positions.delete(line);
  return positions;
}

interface Texts {
  readonly a: readonly string[];
  readonly b: readonly string[];
  readonly positions: ReadonlyMap<string, readonly number[]>;
}

function longestMatch(
  { a, b, positions }: Texts,
  [a1, a2, b1, b2]: readonly [number, number, number, number],
): Match {
  let best: Match = { a: a1, b: b1, size: 0 };
  /** Length of the match that ends at a position of `b`. */
  let ending = new Map<number, number>();
  for (let i = a1; i < a2; i++) {
    const next = new Map<number, number>();
    for (const j of positions.get(a[i] ?? '') ?? []) {
      if (j < b1) continue;
      if (j >= b2) break;
      const size = (ending.get(j - 1) ?? 0) + 1;
      next.set(j, size);
      if (size > best.size) best = { a: i - size + 1, b: j - size + 1, size };
    }
    ending = next;
  }
  // Popular lines join a match only at its ends.
  let { a: start, b: other, size } = best;
  while (start > a1 && other > b1 && a[start - 1] === b[other - 1]) {
    start--;
    other--;
    size++;
  }
  while (start + size < a2 && other + size < b2 && a[start + size] === b[other + size]) size++;
  return { a: start, b: other, size };
}

/** Hunks: changes with a few equal lines around them; far apart changes fall into several. */
function groups(all: readonly Block[]): Block[][] {
  const list = [...all];
  if (list.length === 0 || (list.length === 1 && list[0]?.equal)) return [];
  const n = contextLines;
  const first = list[0];
  if (first?.equal) {
    list[0] = {
      ...first,
      a1: Math.max(first.a1, first.a2 - n),
      b1: Math.max(first.b1, first.b2 - n),
    };
  }
  const last = list.at(-1);
  if (last?.equal) {
    const end = { a2: Math.min(last.a2, last.a1 + n), b2: Math.min(last.b2, last.b1 + n) };
    list[list.length - 1] = { ...last, ...end };
  }
  const out: Block[][] = [];
  let group: Block[] = [];
  for (const block of list) {
    let rest = block;
    if (block.equal && block.a2 - block.a1 > 2 * n) {
      group.push({
        ...block,
        a2: Math.min(block.a2, block.a1 + n),
        b2: Math.min(block.b2, block.b1 + n),
      });
      out.push(group);
      group = [];
      rest = {
        ...block,
        a1: Math.max(block.a1, block.a2 - n),
        b1: Math.max(block.b1, block.b2 - n),
      };
    }
    group.push(rest);
  }
  if (group.length > 0 && !(group.length === 1 && group[0]?.equal)) out.push(group);
  return out;
}
