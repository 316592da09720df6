import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../json.ts';
import { encodeYaml, encodeYamlText } from './encode-yaml.ts';
import { parseYaml } from './yaml.ts';
import { compareYamlKeys } from './yaml-styles.ts';

const long = 'word '.repeat(30).trim();
const written: readonly (readonly [value: JsonValue, yaml: string])[] = [
  [{}, '{}\n'],
  [{ b: [], a: {} }, 'a: {}\nb: []\n'],
  [
    { spec: { list: [{ b: 1, a: [1, [2, { c: null }]] }, 'x'], on: true } },
    'spec:\n  list:\n  - a:\n    - 1\n    - - 2\n      - c: null\n    b: 1\n  - x\n  "on": true\n',
  ],
  [
    { t: '2024-02-03T04:05:06Z', n: '123', f: '1.5', y: 'y', e: '', u: '0e7c-1', s: '1:30' },
    'e: ""\nf: "1.5"\n"n": "123"\ns: "1:30"\nt: "2024-02-03T04:05:06Z"\nu: 0e7c-1\n"y": "y"\n',
  ],
  [
    ['a: b', '- x', "it's", '#x', 'a #b', ' x', '@x', '{}', 'null', '~', 'a:b', '-x', "'q'"],
    "- 'a: b'\n- '- x'\n- it's\n- '#x'\n- 'a #b'\n- ' x'\n- '@x'\n- '{}'\n- \"null\"\n- \"~\"\n- a:b\n- -x\n- '''q'''\n",
  ],
  [
    { a: 'x\ny\n', b: 'x\n\ny', c: 'x\n\n', d: ' x\ny' },
    'a: |\n  x\n  y\nb: |-\n  x\n\n  y\nc: |+\n  x\n\nd: |2-\n   x\n  y\n',
  ],
  [{ a: 'x \ny', b: 'tab\there', c: '\u0001"é' }, 'a: "x \\ny"\nb: "tab\\there"\nc: "\\x01\\"é"\n'],
  [{ a: long }, `a: ${'word '.repeat(16).trim()}\n  ${'word '.repeat(14).trim()}\n`],
  [{ a: `: ${long}` }, `a: ': ${'word '.repeat(16).trim()}\n  ${'word '.repeat(14).trim()}'\n`],
  [
    { a: 1.5, b: 1234567.5, c: 0.00001, d: 9007199254740993n },
    'a: 1.5\nb: 1.2345675e+06\nc: 1e-05\nd: 9007199254740993\n',
  ],
  [{ ['k'.repeat(130)]: 1 }, `? ${'k'.repeat(130)}\n: 1\n`],
  ['x', 'x\n'],
];

test('YAML is written as the reference writes it', () => {
  for (const [value, yaml] of written) assert.equal(encodeYamlText(value), yaml);
  assert.equal(Buffer.from(encodeYaml({ a: undefined, b: '<' })).toString(), 'b: <\n');
});

test('keys are in natural order', () => {
  const keys = ['b', 'a10', 'a9', 'a', 'a-1', 'f:x', '.', 'B', 'a01', 'a1', '1', '10', '2'];
  assert.deepEqual(keys.toSorted(compareYamlKeys), [
    '.',
    '1',
    '2',
    '10',
    'B',
    'a',
    'a-1',
    'a1',
    'a01',
    'a9',
    'a10',
    'b',
    'f:x',
  ]);
});

test('what is written is read back', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...'a0 :-#\n\t\'"?|>&*!%@`{}[],.~y\u0085é'.split('')) }),
    fc.constantFrom('yes', '0x1f', '1_000', '---', '...', '<<', '.inf', '1e+3'),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.constantFrom(null, true, 1, -1.5),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(text, tie('tree'), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const json = { value: value as JsonValue };
      assert.deepEqual(parseYaml(encodeYamlText(json)).value, json, encodeYamlText(json));
    }),
    { numRuns: 2000 },
  );
});
