import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError } from '@keelson/apimachinery';
import type { Errors } from './checks.ts';
import { domainPrefixedPath } from './domain-paths.ts';

function findings(value: string): string[] {
  const errors: Errors = [];
  domainPrefixedPath(errors, 'f', value);
  return errors.map(renderFieldError);
}

test('a domain and a path', () => {
  assert.deepEqual(findings('acme.io/foo'), []);
  assert.deepEqual(findings('acme.io/foo/bar:1'), []);
});

test('nothing at all is required', () => assert.deepEqual(findings(''), ['f: Required value']));

for (const value of ['acme.io', '/foo', 'acme.io/']) {
  test(`${value} lacks a part`, () => {
    const why = 'must be a domain-prefixed path (such as "acme.io/foo")';
    assert.deepEqual(findings(value), [`f: Invalid value: "${value}": ${why}`]);
  });
}

test('the error shows the part that is wrong', () => {
  assert.match(findings('Acme/foo')[0] ?? '', /^f: Invalid value: "Acme": a lowercase RFC 1123/);
  assert.match(findings('acme/f o')[0] ?? '', /^f: Invalid value: "f o": Invalid path \(regex/);
});
