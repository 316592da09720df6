import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCheck, isSupportedFormat } from './formats.ts';

const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['date', ['2024-02-29'], ['2024-2-29', '29.02.2024']],
  ['date-time', ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00.5+02:00'], ['2024-01-01', 'now']],
  ['duration', ['1h', '1h30m', '300ms'], ['1 year ago', 'x']],
  ['ipv4', ['10.0.0.1'], ['::1', '10.0.0.256']],
  ['ipv6', ['::1'], ['10.0.0.1', ':::']],
  ['cidr', ['10.0.0.0/8'], ['10.0.0.0', '10.0.0.0/33']],
  ['mac', ['00:00:5e:00:53:01'], ['00:00:5e']],
  ['uuid', ['123e4567-e89b-12d3-a456-426614174000'], ['123e4567']],
  ['email', ['ann@example.com'], ['ann']],
  ['hostname', ['example.com'], ['-a-.-']],
  ['byte', ['aGVsbG8='], ['%']],
  ['hexcolor', ['#fff', '#00ff00'], ['#ggg']],
  ['k8s-short-name', ['a-b'], ['A', 'a.b']],
  ['k8s-long-name', ['a.b'], ['A']],
];

for (const [format, good, bad] of rows) {
  test(`format ${format}`, () => {
    const check = formatCheck(format);
    assert.ok(check);
    for (const text of good) assert.equal(check(text), true, text);
    for (const text of bad) assert.equal(check(text), false, text);
  });
}

test('formats of numbers have no text to check, unknown ones are ignored', () => {
  assert.deepEqual([isSupportedFormat('int32'), formatCheck('int32')], [true, undefined]);
  assert.equal(isSupportedFormat('colour'), false);
});
