import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  duplicateField,
  forbiddenField,
  invalidField,
  renderFieldErrors,
  requiredField,
} from './field-error.ts';
import {
  compareBytes,
  joinQuoted,
  namedContainers,
  plural,
  quoteGo,
  sortedSet,
} from './wording.ts';

describe('quoteGo', () => {
  const rows: [text: string, quoted: string][] = [
    ['', '""'],
    ['plain', '"plain"'],
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ['\n\t\r\u0007\b\f\v', '"\\n\\t\\r\\a\\b\\f\\v"'],
    ['\u0000\u001b\u007f', '"\\x00\\x1b\\x7f"'],
    ['naïve 世界 😀', '"naïve 世界 😀"'],
    ['\u00a0\u200b\ufeff', '"\\u00a0\\u200b\\ufeff"'],
    ['\u{e0001}', '"\\U000e0001"'],
  ];
  for (const [text, quoted] of rows) {
    it(`quotes ${JSON.stringify(text)}`, () => assert.equal(quoteGo(text), quoted));
  }
});

describe('lists', () => {
  it('are quoted without escaping', () => {
    assert.equal(joinQuoted(['a', 'b="c"']), '"a", "b="c""');
    assert.equal(namedContainers(['a']), 'container "a"');
    assert.equal(namedContainers(['a', 'b']), 'containers "a", "b"');
  });
  it('are plural for none and many', () => {
    assert.deepEqual(
      [0, 1, 2].map((count) => plural('one', 'many', count)),
      ['many', 'one', 'many'],
    );
  });
  it('are sorted by bytes and lose repetitions', () => {
    assert.deepEqual(sortedSet(['b', 'a', 'B', 'a', '81', '8080']), ['8080', '81', 'B', 'a', 'b']);
    assert.deepEqual(sortedSet(['😀', '\uffee', 'a', 'ab']), ['a', 'ab', '\uffee', '😀']);
    assert.equal(compareBytes('same', 'same'), 0);
    assert.ok(compareBytes('😀', '😁') < 0);
  });
});

describe('renderFieldErrors', () => {
  const rows: [Parameters<typeof renderFieldErrors>[0], string][] = [
    [[invalidField('a', 'x"', 'must not')], 'a: Invalid value: "x\\"": must not'],
    [[duplicateField('a[1]', 'x')], 'a[1]: Duplicate value: "x"'],
    [[requiredField('a')], 'a: Required value'],
    [[forbiddenField('a', 3)], 'a: Forbidden'],
    [
      [requiredField('a'), requiredField('b'), requiredField('a')],
      '[a: Required value, b: Required value]',
    ],
    [[requiredField('a'), requiredField('a')], 'a: Required value'],
  ];
  for (const [errors, text] of rows) {
    it(text, () => assert.equal(renderFieldErrors(errors), text));
  }
});
