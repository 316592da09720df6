import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBoolean, parseDuration, parsePositiveDuration } from './flag-values.ts';

const invalid = { code: 'commander.invalidArgument' };

test('a boolean is true or false and nothing else', () => {
  assert.equal(parseBoolean('true'), true);
  assert.equal(parseBoolean('false'), false);
  for (const text of ['', 'yes', '1', 'True', 'true '])
    assert.throws(() => parseBoolean(text), invalid, JSON.stringify(text));
});

test('a duration is Go’s', () => {
  assert.equal(parseDuration('1m30s'), 90_000);
  assert.equal(parseDuration('0s'), 0);
  for (const text of ['', '5', 'soon', '1 m', '1d'])
    assert.throws(() => parseDuration(text), invalid, JSON.stringify(text));
});

test('where a duration must be positive, none is none', () => {
  assert.equal(parsePositiveDuration('1h'), 3_600_000);
  for (const text of ['0s', '-1s', 'soon'])
    assert.throws(() => parsePositiveDuration(text), invalid, JSON.stringify(text));
});
