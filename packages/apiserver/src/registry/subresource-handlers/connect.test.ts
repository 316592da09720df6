import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProxyTarget } from './connect.ts';

const rows: readonly (readonly [text: string, target: ReturnType<typeof parseProxyTarget>])[] = [
  ['web', { name: 'web', port: '' }],
  ['web:80', { name: 'web', port: '80' }],
  ['https:web:443', { name: 'web', port: '443' }],
  [':web:http', { name: 'web', port: 'http' }],
  ['http:web:', { name: 'web', port: '' }],
  ['ftp:web:21', undefined],
  ['http::80', undefined],
  ['a:b:c:d', undefined],
  ['', undefined],
];

test('the name of a proxied object may carry scheme and port', () => {
  for (const [text, target] of rows) assert.deepEqual(parseProxyTarget(text), target, text);
});
