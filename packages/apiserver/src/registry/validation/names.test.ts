import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as rules from './names.ts';

const valid: Readonly<Record<string, readonly [rules.TextRule, readonly string[]]>> = {
  dns1123Label: [rules.dns1123Label, ['a', 'a-1', '0', 'x'.repeat(63)]],
  dns1123Subdomain: [rules.dns1123Subdomain, ['a.b', 'a', '1.2.3']],
  dns1035Label: [rules.dns1035Label, ['a', 'a-0']],
  qualifiedName: [rules.qualifiedName, ['A_b.c', 'example.com/Name']],
  labelValue: [rules.labelValue, ['', 'A', 'a_b.c-d']],
  portName: [rules.portName, ['http', '80a', 'a'.repeat(15)]],
  strictEnvVarName: [rules.strictEnvVarName, ['A', '_x.y-z', '.x']],
  relaxedEnvVarName: [rules.relaxedEnvVarName, ['1 a#', '~']],
  configMapKey: [rules.configMapKey, ['a.b', '.a', '-']],
  wildcard: [rules.wildcardDns1123Subdomain, ['*.a.b']],
  percent: [rules.percent, ['0%', '120%']],
};
for (const [name, [rule, values]] of Object.entries(valid)) {
  test(`${name} accepts`, () => {
    for (const value of values) assert.deepEqual(rule(value), [], value);
  });
}

const invalid: readonly (readonly [rules.TextRule, string, number, RegExp])[] = [
  [rules.dns1123Label, '', 1, /^a lowercase RFC 1123 label must/],
  [rules.dns1123Label, 'a.b', 1, /^must not contain dots$/],
  [rules.dns1123Label, 'é'.repeat(40), 2, /^must be no more than 63 characters$/],
  [rules.dns1123Subdomain, 'a..b', 1, /regex used for validation is '\[a-z0-9\]/],
  [rules.dns1035Label, '1a', 1, /\(e\.g\. 'my-name', {2}or 'abc-123', regex used/],
  [rules.qualifiedName, '/a', 1, /^prefix part must be non-empty$/],
  [rules.qualifiedName, 'a/', 2, /^name part must be non-empty$/],
  [rules.qualifiedName, 'a/b/c', 1, /^a valid label key must consist of/],
  [rules.labelValue, '-', 1, /^a valid label must be an empty string or consist of/],
  [rules.portName, '', 2, /^must contain only alpha-numeric/],
  [rules.portName, '-a--b', 2, /^must not contain consecutive hyphens$/],
  [rules.strictEnvVarName, '1A', 1, /must not start with a digit/],
  [rules.strictEnvVarName, '..', 1, /^must not be '\.\.'$/],
  [rules.relaxedEnvVarName, 'a=b', 1, /printable ASCII characters other than '='$/],
  [rules.relaxedEnvVarName, '', 1, /^environment variable name must be non-empty$/],
  [rules.configMapKey, '..a', 1, /^must not start with '\.\.'$/],
  [rules.percent, '5', 1, /numeric string followed by an ending '%'/],
];
for (const [rule, value, count, first] of invalid) {
  test(`rule refuses ${JSON.stringify(value)} with ${first}`, () => {
    const sentences = rule(value);
    assert.equal(sentences.length, count);
    assert.match(sentences[0] ?? '', first);
  });
}

test('a generateName may end in a dash, a name may not', () => {
  assert.deepEqual(rules.nameIsDns1123Subdomain('web-', true), []);
  assert.equal(rules.nameIsDns1123Subdomain('web-', false).length, 1);
  assert.deepEqual(rules.pathSegmentName('..', true), []);
  assert.deepEqual(rules.pathSegmentName('..', false), ["may not be '..'"]);
  assert.deepEqual(rules.pathSegmentName('a/b%', false), [
    "may not contain '/'",
    "may not contain '%'",
  ]);
});
