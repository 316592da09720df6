// Indexes of an indexed Job as text: `0,3-5,7`, growing and below the number of completions.

type Interval = readonly [first: number, last: number];

/** How many indexes the text names, or what is wrong with it. */
export function countIndexes(text: string, completions: number): number | Error {
  if (text === '') return 0;
  let total = 0;
  let previous: number | undefined;
  for (const part of text.split(',')) {
    const interval = parseInterval(part, completions);
    if (interval instanceof Error) return interval;
    const [first, last] = interval;
    if (previous !== undefined && previous >= first) return notIncreasing(previous, first);
    total += last - first + 1;
    previous = last;
  }
  return total;
}

function parseInterval(text: string, completions: number): Interval | Error {
  const parts = text.split('-');
  if (parts.length > 2) {
    return new Error(
      `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`,
    );
  }
  const limits: number[] = [];
  for (const part of parts) {
    if (!/^[+-]?\d+$/.test(part)) {
      return new Error(`cannot convert string to integer for index: ${JSON.stringify(part)}`);
    }
    if (Number(part) >= completions) return new Error(`too large index: ${JSON.stringify(part)}`);
    limits.push(Number(part));
  }
  const [first = 0, last] = limits;
  if (last !== undefined && first >= last) return notIncreasing(first, last);
  return [first, last ?? first];
}

const notIncreasing = (previous: number, current: number) =>
  new Error(`non-increasing order, previous: ${previous}, current: ${current}`);

/** The first index that both texts name. Parts that cannot be read are passed over. */
export function firstCommonIndex(
  texts: readonly [string, string],
  completions: number,
): number | undefined {
  const [left = [], right = []] = texts.map((text) => readableIntervals(text, completions));
  let [i, j] = [0, 0];
  for (let a = left[i], b = right[j]; a && b; a = left[i], b = right[j]) {
    if (a[0] <= b[1] && b[0] <= a[1]) return Math.max(a[0], b[0]);
    if (a[0] <= b[0]) i += 1;
    else j += 1;
  }
  return undefined;
}

function readableIntervals(text: string, completions: number): Interval[] {
  if (text === '') return [];
  return text.split(',').flatMap((part) => {
    const interval = parseInterval(part, completions);
    return interval instanceof Error ? [] : [interval];
  });
}
