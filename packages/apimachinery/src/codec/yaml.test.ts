import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typeForKind } from '../schema/builtin.ts';
import { encodeJsonText } from './encode-json.ts';
import { decodeYamlObject, parseYaml, yamlDepthMax } from './yaml.ts';
import { processorMs } from './testing/processor-time.ts';

const values: readonly (readonly [yaml: string, json: string])[] = [
  ['', 'null'],
  ['# nothing\n', 'null'],
  ['a: yes\nb: "yes"\nc: off\nd: y', '{"a":true,"b":"yes","c":false,"d":true}'],
  ['[007, 0x1f, 0b11, 0o17, 1_000, -5, +3, 0]', '[7,31,3,15,1000,-5,3,0]'],
  ['[1.5, .5, 1e3, 1e+3, 1.0, 08, 1:30]', '[1.5,0.5,"1e3",1000,1,8,"1:30"]'],
  ['[9223372036854775807, 18446744073709551616]', '[9223372036854775807,18446744073709552000]'],
  ['[2001-01-01, 2001-01-01T00:00:00Z, 1.2.3]', '["2001-01-01","2001-01-01T00:00:00Z","1.2.3"]'],
  ['[~, null, "", \'~\', ]', '[null,null,"","~"]'],
  ['1: a\ntrue: b\n1.5: c', '{"1":"a","true":"b","1.5":"c"}'],
  ['a: !!str 5\nb: !!int "5"\nc: !custom x\nd: !!binary YWI=', '{"a":"5","b":5,"c":"x","d":"ab"}'],
  ['a: |\n  x\n  y\nb: >-\n  x\n  y\n', '{"a":"x\\ny\\n","b":"x y"}'],
  ['a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2', '{"a":{"b":1},"c":{"b":1},"d":{"b":1,"e":2}}'],
  ['---\na: 1\n---\nb: [', '{"a":1}'],
  ['--- {a: 1}\n...\n]', '{"a":1}'],
  ['%YAML 1.1\n---\na: 1', '{"a":1}'],
  ['__proto__: {x: 1}', '{"__proto__":{"x":1}}'],
  ['{"a": [1, {"b": null}]}', '{"a":[1,{"b":null}]}'],
];

test('YAML means what it means to Kubernetes', () => {
  for (const [yaml, json] of values) {
    assert.equal(encodeJsonText(parseYaml(yaml).value), json, yaml);
    assert.equal(encodeJsonText(parseYaml(Buffer.from(yaml)).value), json, yaml);
  }
});

const errors: readonly (readonly [yaml: string, message: string])[] = [
  ['a: [1', "yaml: line 1: did not find expected ',' or ']'"],
  ['a: {b: 1', "yaml: line 1: did not find expected ',' or '}'"],
  [': : :', 'yaml: did not find expected key'],
  ['a: b: c', 'yaml: mapping values are not allowed in this context'],
  ['x: 1\na: b: c', 'yaml: line 2: mapping values are not allowed in this context'],
  ['a:\n\tb: 1', 'yaml: line 2: found character that cannot start any token'],
  ['a: @x', 'yaml: found character that cannot start any token'],
  ['a: "x', 'yaml: found unexpected end of stream'],
  ['a: "\\q"', 'yaml: found unknown escape character'],
  ['a:\n  - b\n c', 'yaml: line 2: did not find expected key'],
  ['- a\nb: c', "yaml: line 1: did not find expected '-' indicator"],
  ['a: *x', "yaml: unknown anchor 'x' referenced"],
  ['a: &x [*x]', "yaml: anchor 'x' value contains itself"],
  ['<<: 5', 'yaml: map merge requires map or sequence of maps as the value'],
  ['a: !!int x', 'yaml: cannot decode !!str `x` as a !!int'],
  ['a: .nan', 'json: unsupported value: NaN'],
  ['? [a]\n: b', 'yaml: invalid map key'],
];

test('YAML errors have the words of Go', () => {
  for (const [yaml, message] of errors) {
    assert.throws(() => parseYaml(yaml), { name: 'DecodeError', message }, yaml);
  }
});

test('duplicate keys keep the last value and are told with their line', () => {
  const { value, duplicateKeys } = parseYaml('a: 1\nb:\n  c: 1\n  c:\n    d: 1\na: 2\n');
  assert.deepEqual(value, { a: 2, b: { c: { d: 1 } } });
  assert.equal(
    duplicateKeys,
    'yaml: unmarshal errors:\n  line 5: key "c" already set in map\n  line 6: key "a" already set in map',
  );
});

test('nesting and aliases are bounded', () => {
  const limit = { name: 'DecodeError', reason: 'limit' };
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  assert.ok(parseYaml(nested(yamlDepthMax - 1)));
  assert.throws(() => parseYaml(nested(yamlDepthMax + 1)), limit);
  assert.throws(() => parseYaml(nested(100_000)), limit);
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (const [i, name] of [...'bcdefghij'].entries()) {
    const before = 'abcdefghij'.charAt(i);
    bomb.push(`${name}: &${name} [${`*${before},`.repeat(9)}]`);
  }
  assert.throws(() => parseYaml(bomb.join('\n')), {
    message: 'yaml: document contains excessive aliasing',
  });
  const wide = `a: &a "${'x'.repeat(1_000_000)}"\nb: [${'*a,'.repeat(500)}]`;
  assert.throws(() => parseYaml(wide), limit);
});

test('the time that YAML takes is linear in its size', () => {
  const lines = Array.from({ length: 50_000 }, (_, i) => `k${i}: ${i}\n`).join('');
  const tookMs = processorMs(() => {
    const { duplicateKeys } = parseYaml(lines + lines);
    assert.equal(duplicateKeys?.split('\n').length, 101);
    parseYaml(`a: ${'9'.repeat(500_000)}x`);
    parseYaml(`a: ${'9'.repeat(300)}`);
    parseYaml(`a: !!binary ${'AAAA'.repeat(200_000)}`);
  });
  assert.ok(tookMs < 10_000);
});

test('YAML bodies are decoded by schema', () => {
  const type = typeForKind({ group: '', version: 'v1', kind: 'ConfigMap' });
  assert.ok(type);
  const body = 'kind: ConfigMap\nbogus: 1\ndata:\n  k: a\n  k: b\n';
  const { object, strictErrors } = decodeYamlObject(body, type, { strict: true });
  assert.deepEqual(object, { kind: 'ConfigMap', metadata: {}, data: { k: 'b' } });
  assert.deepEqual(strictErrors, [
    'yaml: unmarshal errors:\n  line 5: key "k" already set in map',
    'unknown field "bogus"',
  ]);
  assert.deepEqual(decodeYamlObject(body, type).strictErrors, []);
  assert.throws(() => decodeYamlObject('data: {n: yes}', type), {
    message: 'json: cannot unmarshal bool into Go struct field ConfigMap.data of type string',
  });
});
