// Which acceptance cases of the specification are tests. A test says so in its title: `auth §9.2 (1),
// (3)–(5): …` stands for cases 1 and 3 to 5 of section 9 of the part about authentication and
// authorization, whatever the subsection; `admission §4 (1)` for one of the part about admission. A
// title may name several sections. What is no test has its reason here, so nothing is left out
// silently.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const parts = {
  auth: [
    [2, 15],
    [3, 15],
    [4, 15],
    [5, 12],
    [6, 14],
    [7, 14],
    [8, 8],
    [9, 15],
    [10, 15],
    [11, 14],
    [12, 13],
    [13, 9],
  ],
  admission: [
    [1, 15],
    [2, 14],
    [3, 10],
    [4, 15],
    [5, 14],
    [6, 15],
    [7, 12],
    [8, 12],
    [9, 14],
  ],
} as const satisfies Readonly<
  Record<string, readonly (readonly [section: number, cases: number])[]>
>;

export type Part = keyof typeof parts;
export const partNames = Object.keys(parts) as Part[];

/** By case, the reason why no test has its number. */
export const leftOutCases: Readonly<Record<string, string>> = {
  'auth §4 (15)': 'how a kubelet renews tokens: it waits for the node agent',
};

/** `auth §9 (3)`, in order. */
export function acceptanceCases(part: Part): string[] {
  return parts[part].flatMap(([section, count]) =>
    Array.from({ length: count }, (_, i) => caseId(part, section, i + 1)),
  );
}

export function casesWithTests(root: string): ReadonlySet<string> {
  const files = globSync('{packages,conformance,examples}/**/*.test.ts', {
    cwd: root,
    exclude: (name) => name === 'node_modules',
  });
  const titles = files.flatMap((file) => titlesIn(readFileSync(join(root, file), 'utf8')));
  return new Set(titles.flatMap(casesIn));
}

const title = new RegExp(`['"\`]((?:${partNames.join('|')}) §.*?:)`, 'g');

function titlesIn(text: string): string[] {
  return Array.from(text.matchAll(title), ([, found = '']) => found);
}

/** The cases that a title stands for. */
export function casesIn(text: string): string[] {
  const part = partNames.find((name) => text.startsWith(`${name} §`));
  if (part === undefined) return [];
  return Array.from(text.matchAll(/§(\d+)[\d.]*((?:[\s,–]*\([^)]*\))*)/g)).flatMap(
    ([, section, list = '']) => numbersIn(list).map((n) => caseId(part, Number(section), n)),
  );
}

/** Of `(1), (3)–(5), (7, 8), (12a)`. */
function numbersIn(list: string): number[] {
  const numbers: number[] = [];
  for (const [, dash, digits] of list.matchAll(/(–)?\s*\(?\s*(\d+)[a-z]?/g)) {
    const number = Number(digits);
    const from = dash === undefined ? number : (numbers.at(-1) ?? number) + 1;
    for (let n = from; n <= number; n++) numbers.push(n);
  }
  return numbers;
}

function caseId(part: Part, section: number, number: number): string {
  return `${part} §${section} (${number})`;
}
