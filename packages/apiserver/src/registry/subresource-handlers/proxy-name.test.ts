import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProxyName } from './proxy-name.ts';

const rows: readonly (readonly [text: string, target: ReturnType<typeof parseProxyName>])[] = [
  ['web', { scheme: '', name: 'web', port: '' }],
  ['web:80', { scheme: '', name: 'web', port: '80' }],
  ['https:web:443', { scheme: 'https', name: 'web', port: '443' }],
  [':web:http', { scheme: '', name: 'web', port: 'http' }],
  ['http:web:', { scheme: 'http', name: 'web', port: '' }],
  ['ftp:web:21', undefined],
  ['http::80', undefined],
  ['a:b:c:d', undefined],
  ['', undefined],
];

test('the name of a proxied object may carry scheme and port', () => {
  for (const [text, target] of rows) assert.deepEqual(parseProxyName(text), target, text);
});
