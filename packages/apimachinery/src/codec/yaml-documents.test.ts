import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYamlDocuments } from './yaml-documents.ts';

const text = `# a file
kind: A
spec:
  list:
  - name: one
  - name: two
    deep: {x: 1}
---
# nothing but a comment
---
- a
- b
...
---
"last": |
  --- not a document
  text
`;

test('documents have their values', () => {
  const values = parseYamlDocuments(text).map(({ value }) => value);
  assert.deepEqual(values, [
    { kind: 'A', spec: { list: [{ name: 'one' }, { name: 'two', deep: { x: 1 } }] } },
    ['a', 'b'],
    { last: '--- not a document\ntext\n' },
  ]);
  for (const empty of ['', '\n', '---\n', '# only\n---\n---\n'])
    assert.deepEqual(parseYamlDocuments(empty), [], empty);
});

const lines: [document: number, path: (string | number)[], line: number][] = [
  [0, [], 2],
  [0, ['kind'], 2],
  [0, ['spec', 'list', 0], 5],
  [0, ['spec', 'list', 1, 'name'], 6],
  [0, ['spec', 'list', 1, 'deep', 'x'], 7],
  // What is not there stands where its parent does.
  [0, ['spec', 'missing', 'deeper'], 3],
  [1, [1], 12],
  [2, ['last'], 15],
];

test('members have lines', () => {
  const documents = parseYamlDocuments(text);
  for (const [document, path, line] of lines)
    assert.equal(documents[document]?.lineOf(path), line, JSON.stringify(path));
});

const refused: [text: string, message: RegExp][] = [
  ['a: 1\n---\nb: [1\n', /^yaml: line 4: /],
  ['a: 1\n---\nb: 1\nc: 2\nb: 3\n', /line 5: key "b" already set in map/],
  ['a: *none\n', /unknown anchor/],
];

test('what is wrong is said by line of the file', () => {
  for (const [wrong, message] of refused)
    assert.throws(() => parseYamlDocuments(wrong), { name: 'DecodeError', message });
});
