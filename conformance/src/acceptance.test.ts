import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptanceCases, casesIn, casesWithTests, leftOutCases, partNames } from './acceptance.ts';
import { repositoryRoot } from './reference.ts';

test('a title names its cases', () => {
  const rows: [title: string, sections: string, numbers: number[]][] = [
    ['auth §9.2 (3): names', '9', [3]],
    ['auth §9 (1), (15): masters', '9', [1, 15]],
    ['auth §10 (1)–(3), (9): nodes', '10', [1, 2, 3, 9]],
    ['auth §5.3 (10, 11): what', '5', [10, 11]],
    ['auth §11.7 (12a): reload', '11', [12]],
    ['auth §3.4: no case', '3', []],
  ];
  for (const [title, section, numbers] of rows)
    assert.deepEqual(
      casesIn(title),
      numbers.map((n) => `auth §${section} (${n})`),
      title,
    );
  assert.deepEqual(casesIn('auth §3.9 (10), §2.9 (15): both'), ['auth §3 (10)', 'auth §2 (15)']);
  assert.deepEqual(casesIn('admission §4 (2): reasons'), ['admission §4 (2)']);
  assert.deepEqual(casesIn('audit §4 (2): no part'), []);
});

test('every acceptance case is a test or has its reason', () => {
  const tested = casesWithTests(repositoryRoot);
  const missing = partNames
    .flatMap(acceptanceCases)
    .filter((id) => !tested.has(id) && !(id in leftOutCases));
  assert.deepEqual(missing, []);
});

test('no test stands for a case that is none', () => {
  const known = new Set(partNames.flatMap(acceptanceCases));
  const unknown = [...casesWithTests(repositoryRoot)].filter((id) => !known.has(id));
  assert.deepEqual(unknown, []);
});

test('no reason is given for what is a test', () => {
  const tested = casesWithTests(repositoryRoot);
  assert.deepEqual(
    Object.keys(leftOutCases).filter((id) => tested.has(id)),
    [],
  );
});
