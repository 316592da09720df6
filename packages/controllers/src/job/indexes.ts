// Sets of completion indexes, as a Job's status writes them: `1,3-5,7`. They are kept as intervals,
// so that a Job of a hundred thousand indexes costs as little as one of ten.

export interface Interval {
  readonly first: number;
  readonly last: number;
}
/** In order, apart from each other by at least one index. */
export type IndexSet = readonly Interval[];

/** What cannot be read is left out, and so are indexes from `completions` on. */
export function parseIndexes(text: string | undefined, completions: number): IndexSet {
  const intervals = (text ?? '').split(',').flatMap((part): Interval[] => {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (from === undefined) return [];
    const first = Number(from);
    const last = Math.min(Number(to ?? from), completions - 1);
    return first <= last ? [{ first, last }] : [];
  });
  return normalized(intervals);
}

/** Two neighbours are written as a list, three and more as an interval. */
export function formatIndexes(indexes: IndexSet): string {
  return indexes
    .map(({ first, last }) => {
      if (first === last) return String(first);
      return first + 1 === last ? `${first},${last}` : `${first}-${last}`;
    })
    .join(',');
}

export function countIndexes(indexes: IndexSet): number {
  return indexes.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

export function hasIndex(indexes: IndexSet, index: number): boolean {
  let [low, high] = [0, indexes.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { first, last } = indexes[middle] ?? { first: Infinity, last: Infinity };
    if (index < first) high = middle - 1;
    else if (index > last) low = middle + 1;
    else return true;
  }
  return false;
}

export function withIndexes(indexes: IndexSet, more: Iterable<number>): IndexSet {
  const added = Array.from(more, (index): Interval => ({ first: index, last: index }));
  return added.length === 0 ? indexes : normalized([...indexes, ...added]);
}
export function unionOf(a: IndexSet, b: IndexSet): IndexSet {
  return a.length === 0 ? b : b.length === 0 ? a : normalized([...a, ...b]);
}

/** How many indexes are in both. */
export function countCommon(a: IndexSet, b: IndexSet): number {
  return countIndexes(a) + countIndexes(b) - countIndexes(unionOf(a, b));
}

/** The first `count` indexes below `completions` that are not in the set. */
export function firstMissing(indexes: IndexSet, count: number, completions: number): number[] {
  const missing: number[] = [];
  let next = 0;
  for (const { first, last } of [...indexes, { first: completions, last: completions }]) {
    for (; next < Math.min(first, completions) && missing.length < count; next++)
      missing.push(next);
    next = Math.max(next, last + 1);
  }
  return missing;
}

function normalized(intervals: readonly Interval[]): IndexSet {
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of intervals.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else merged.push({ first, last });
  }
  return merged;
}
