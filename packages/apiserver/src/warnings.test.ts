import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWarningRecorder } from './warnings.ts';

const long = (character: string, length: number) => character.repeat(length);

const rows: readonly (readonly [
  what: string,
  given: readonly string[],
  kept: readonly string[],
])[] = [
  ['each once', ['a', 'b', 'a'], ['a', 'b']],
  ['nothing empty', [''], []],
  ['nothing that no header may have', ['a\nb', 'a\u0000', 'a\u0085'], []],
  ['any other character', ['ü ☃ "\\'], ['ü ☃ "\\']],
  ['as much as fits', [long('x', 4096)], [long('x', 4096)]],
  [
    'all of them shortened when it does not',
    [long('x', 300), long('y', 4000), 'short'],
    [long('x', 256), long('y', 256), 'short'],
  ],
  ['whole characters', [long('😀', 4097)], [long('😀', 256)]],
];
for (const [what, given, kept] of rows)
  test(`warnings: ${what}`, () => {
    const recorder = createWarningRecorder(4096);
    for (const text of given) recorder.add(text);
    assert.deepEqual(recorder.texts, kept);
  });

test('warnings: no more than the bound, even when shortened', () => {
  const recorder = createWarningRecorder(4096);
  for (let i = 0; i < 100; i++) recorder.add(`${i} ${long('x', 300)}`);
  assert.equal(recorder.texts.length, 4096 / 256);
});
