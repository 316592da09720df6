import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from './decode-error.ts';
import { parseJson, parseJsonObject, readTypeMeta } from './decode-object.ts';
import { encodeJsonText } from './encode-json.ts';
import { JsonReader, keptDepthMax, textDepthMax } from './json-reader.ts';

const end = 'unexpected end of JSON input';
const syntaxErrors: readonly (readonly [text: string, message: string])[] = [
  ['', end],
  ['  ', end],
  ['{', end],
  ['{"a"', end],
  ['{"a":', end],
  ['{"a":1', end],
  ['[1,', end],
  ['"abc', end],
  ['"a\\', end],
  ['"\\u12', end],
  ['-', end],
  ['1.', end],
  ['1e', end],
  ['tru', end],
  ['x', "invalid character 'x' looking for beginning of value"],
  ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
  ['{"a":é}', "invalid character 'Ã' looking for beginning of value"],
  ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
  ['{1:1}', "invalid character '1' looking for beginning of object key string"],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ['{,}', "invalid character ',' looking for beginning of object key string"],
  ['[1,]', "invalid character ']' looking for beginning of value"],
  ['[,1]', "invalid character ',' looking for beginning of value"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', `invalid character '"' after object key:value pair`],
  ['[1 2]', "invalid character '2' after array element"],
  ['1 2', "invalid character '2' after top-level value"],
  ['{} x', "invalid character 'x' after top-level value"],
  ['01', "invalid character '1' after top-level value"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\u0001"', "invalid character '\\x01' in string literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
  ['-x', "invalid character 'x' in numeric literal"],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ['1ex', "invalid character 'x' in exponent of numeric literal"],
  ['+1', "invalid character '+' looking for beginning of value"],
  ['.5', "invalid character '.' looking for beginning of value"],
  ['NaN', "invalid character 'N' looking for beginning of value"],
  ['nul!', "invalid character '!' in literal null (expecting 'l')"],
  ['trve', "invalid character 'v' in literal true (expecting 'u')"],
  ['falsy', "invalid character 'y' in literal false (expecting 'e')"],
];

test('syntax errors have the words of Go, kept or skipped', () => {
  for (const [text, message] of syntaxErrors) {
    const expected = { name: 'DecodeError', message, reason: 'syntax' };
    assert.throws(() => parseJson(text), expected, text);
    assert.throws(() => parseJson(Buffer.from(text)), expected, text);
    assert.throws(() => readTypeMeta(text), expected, text);
    assert.throws(
      () => {
        const reader = new JsonReader(text);
        reader.skipValue();
        reader.end();
      },
      expected,
      text,
    );
  }
});

test('values are those of JSON.parse', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 3), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      // Go has one integer zero, and large integers are exact here.
      const same = (parsed: unknown): unknown =>
        JSON.parse(encodeJsonText(parsed), (_key, v: unknown) => (Object.is(v, -0) ? 0 : v));
      assert.deepEqual(same(parseJson(text)), same(JSON.parse(text)));
      assert.deepEqual(same(parseJson(Buffer.from(text))), same(JSON.parse(text)));
    }),
  );
});

test('malformed text throws nothing but DecodeError', () => {
  const piece = fc.constantFrom(...'{}[]":,\\utrue fal\n0-1.e5'.split(''), '"a"', 'null', '\u00e9');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('');
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      try {
        parseJson(text);
        assert.ok(valid, text);
      } catch (error) {
        assert.ok(error instanceof DecodeError && !valid, text);
      }
    }),
  );
});

test('integers of 64 bits are exact, larger ones are doubles', () => {
  const numbers: readonly (readonly [string, number | bigint])[] = [
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['9223372036854775808', 9223372036854775808],
    ['1e3', 1000],
    ['-0', 0],
  ];
  for (const [text, value] of numbers) assert.strictEqual(parseJson(text), value);
  assert.equal(encodeJsonText(parseJson('[9007199254740993]')), '[9007199254740993]');
});

test('keys of prototypes are ordinary keys', () => {
  const text = '{"__proto__":{"polluted":true},"constructor":1,"toString":null}';
  const { value } = parseJsonObject(text);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor', 'toString']);
  assert.equal(encodeJsonText(value), text);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('text that is not UTF-8 and lone surrogates become replacement characters', () => {
  assert.equal(parseJson(Buffer.from([0x22, 0xff, 0x61, 0x22])), '\ufffda');
  assert.equal(parseJson('"\\ud800"'), '\ufffd');
  assert.equal(parseJson('"\\ud83d\\ude00 and some more"'), '😀 and some more');
});

test('nesting is bounded', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  assert.ok(parseJson(nested(keptDepthMax)));
  const tooDeep = { message: 'exceeded max depth', reason: 'limit' };
  assert.throws(() => parseJson(nested(keptDepthMax + 1)), tooDeep);
  assert.throws(() => parseJson('{"a":'.repeat(1_000_000)), tooDeep);
  assert.deepEqual(readTypeMeta(`{"x":${nested(textDepthMax - 1)},"kind":"A"}`), {
    apiVersion: '',
    kind: 'A',
  });
  assert.throws(() => readTypeMeta(`{"x":${nested(textDepthMax)}}`), tooDeep);
});

test('duplicate keys are found with their path', () => {
  const text = '{"a":1,"l":[{},{"b":{"c":1,"c":2}}],"a":{"a":1}}';
  const { value, strictErrors } = parseJsonObject(text, { strict: true });
  assert.deepEqual(strictErrors, ['duplicate field "l[1].b.c"', 'duplicate field "a"']);
  assert.deepEqual(value, { a: { a: 1 }, l: [{}, { b: { c: 2 } }] });
  assert.deepEqual(parseJsonObject(text).strictErrors, []);
});

test('only objects are untyped objects', () => {
  assert.deepEqual(parseJsonObject('null').value, {});
  for (const [text, word] of [
    ['[]', 'array'],
    ['"x"', 'string'],
    ['1', 'number'],
    ['true', 'bool'],
  ] as const) {
    const message = `json: cannot unmarshal ${word} into Go value of type map[string]interface {}`;
    assert.throws(() => parseJsonObject(text), { message });
  }
});

test('apiVersion and kind are read from any place, in any case', () => {
  const meta = { apiVersion: 'apps/v1', kind: 'Deployment' };
  assert.deepEqual(
    readTypeMeta('{"spec":{"kind":"x"},"Kind":"Deployment","apiversion":"apps/v1"}'),
    meta,
  );
  assert.deepEqual(readTypeMeta('{"kind":null}'), { apiVersion: '', kind: '' });
  assert.deepEqual(readTypeMeta('null'), { apiVersion: '', kind: '' });
  const struct =
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  assert.throws(() => readTypeMeta('[]'), {
    message: `json: cannot unmarshal array into Go value of type ${struct}`,
  });
  assert.throws(() => readTypeMeta('{"kind":5}'), {
    message: 'json: cannot unmarshal number into Go struct field .kind of type string',
  });
});
