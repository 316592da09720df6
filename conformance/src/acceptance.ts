// Which acceptance cases of the specification are tests. A test says so in its title: `auth §9.2 (1),
// (3)–(5): …` stands for cases 1 and 3 to 5 of section 9, whatever the subsection; a title may name
// several sections. What is no test has its reason here, so nothing is left out silently.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Cases by section. */
const counts: Readonly<Record<string, number>> = {
  '2': 15,
  '3': 15,
  '4': 15,
  '5': 12,
  '6': 14,
  '7': 14,
  '8': 8,
  '9': 15,
  '10': 15,
  '11': 14,
  '12': 13,
  '13': 9,
};

/** By case, the reason why no test has its number. */
export const leftOutCases: Readonly<Record<string, string>> = {
  'auth §4 (15)': 'how a kubelet renews tokens: it waits for the node agent',
};

/** `auth §9 (3)`, in order. */
export function acceptanceCases(): string[] {
  return Object.entries(counts).flatMap(([section, count]) =>
    Array.from({ length: count }, (_, i) => caseId(section, i + 1)),
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

function titlesIn(text: string): string[] {
  return Array.from(text.matchAll(/['"`](auth §.*?:)/g), ([, title = '']) => title);
}

/** The cases that a title stands for. */
export function casesIn(title: string): string[] {
  return Array.from(title.matchAll(/§(\d+)[\d.]*((?:[\s,–]*\([^)]*\))*)/g)).flatMap(
    ([, section = '', list = '']) => numbersIn(list).map((number) => caseId(section, number)),
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

function caseId(section: string, number: number): string {
  return `auth §${section} (${number})`;
}
