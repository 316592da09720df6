import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { tokenize } from './lexer.ts';

/** Kinds of the tokens of a text, the last one left out. */
function kinds(source: string): string {
  return tokenize(source)
    .tokens.slice(0, -1)
    .map(({ kind }) => kind)
    .join(' ');
}

describe('tokens', () => {
  const rows: readonly (readonly [source: string, kinds: string])[] = [
    ['a.b', 'IDENTIFIER . IDENTIFIER'],
    ['1.5.2', 'NUM_FLOAT NUM_FLOAT'],
    ['1.a', 'NUM_INT . IDENTIFIER'],
    ['1e5 1e 0x 0xfU 1u', 'NUM_FLOAT NUM_INT IDENTIFIER NUM_INT IDENTIFIER NUM_UINT NUM_UINT'],
    ['.5', 'NUM_FLOAT'],
    ['in inn true null', 'in IDENTIFIER true null'],
    ['<= < == != && || ! ?', '<= < == != && || ! ?'],
    ['"a\\"b" \'c\' r"\\d" b"x" Rb"x"', 'STRING STRING STRING BYTES IDENTIFIER STRING'],
    ['"""a"b""" \'\'\'c\nd\'\'\'', 'STRING STRING'],
    ['// all\n1 // rest', 'NUM_INT'],
    ['`a-b/c.d`', 'ESC_IDENTIFIER'],
  ];
  for (const [source, expected] of rows) {
    it(`of ${JSON.stringify(source)}`, () => assert.equal(kinds(source), expected));
  }

  it('are reported when they are none', () => {
    const messages = (source: string): string[] =>
      tokenize(source).errors.map(({ message }) => message.replace(/^.*at: /, ''));
    assert.deepEqual(messages('"a'), ["'\"a'"]);
    assert.deepEqual(messages('"a\nb"'), ["'\"a\n'", "'\"'"]);
    assert.deepEqual(messages('"\\q"'), ["'\"\\q'", "'\"'"]);
    assert.deepEqual(messages('a & b'), ["'& '"]);
    assert.deepEqual(messages('#'), ["'#'"]);
    assert.deepEqual(messages('"""a'), ["'\"a'"]);
  });

  it('cover the text in order', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (source) => {
        let end = 0;
        for (const token of tokenize(source).tokens) {
          assert.ok(token.start >= end);
          end = token.end;
        }
        assert.equal(end, source.length);
      }),
      { seed: 1 },
    );
  });
});
