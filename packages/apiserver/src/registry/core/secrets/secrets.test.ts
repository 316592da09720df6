import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCreate } from '../../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../../testing/strategy-tables.ts';
import { secretStrategy } from './strategy.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

function secret(more: object, metadata: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'n', ...metadata },
    ...more,
  };
}
const frozen = 'field is immutable when `immutable` is set';

testCreates(secretStrategy, [
  ['without data', secret({}), []],
  ['any key', secret({ data: { 'a.b_c-D': base64('x') } }), []],
  [
    'a bad key',
    secret({ data: { 'a b': base64('x') } }),
    [
      "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
  ],
  [
    'too much data',
    secret({ data: { a: base64('x'.repeat(1024 * 1024 + 1)) } }),
    ['data: Too long: may not be more than 1048576 bytes'],
  ],
  ['TLS', secret({ type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } }), []],
  [
    'TLS without its key',
    secret({ type: 'kubernetes.io/tls', data: { 'tls.crt': '' } }),
    ['data[tls.key]: Required value'],
  ],
  [
    'TLS without data',
    secret({ type: 'kubernetes.io/tls' }),
    ['data[tls.crt]: Required value', 'data[tls.key]: Required value'],
  ],
  [
    'basic authentication with a password',
    secret({ type: 'kubernetes.io/basic-auth', stringData: { password: 'p' } }),
    [],
  ],
  [
    'basic authentication without anything',
    secret({ type: 'kubernetes.io/basic-auth' }),
    ['data[username]: Required value', 'data[password]: Required value'],
  ],
  [
    'SSH without a key',
    secret({ type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } }),
    ['data[ssh-privatekey]: Required value'],
  ],
  [
    'docker configuration that is no JSON',
    secret({ type: 'kubernetes.io/dockercfg', stringData: { '.dockercfg': 'nope' } }),
    [
      "data[.dockercfg]: Invalid value: \"<secret contents redacted>\": invalid character 'o' in literal null (expecting 'u')",
    ],
  ],
  [
    'docker configuration in the wrong place',
    secret({ type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockercfg': '{}' } }),
    ['data[.dockerconfigjson]: Required value'],
  ],
  [
    'token of nobody',
    secret({ type: 'kubernetes.io/service-account-token' }),
    ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  ],
]);

const old = secret({ immutable: true, data: { a: base64('x') } }, { resourceVersion: '1' });
testUpdates(secretStrategy, [
  ['same', old, old, []],
  [
    'type',
    { ...old, type: 'example.com/b' },
    { ...old, type: 'example.com/a' },
    ['type: Invalid value: "example.com/b": field is immutable'],
  ],
  [
    'data of a frozen one',
    { ...old, data: { a: base64('y') } },
    old,
    [`data: Forbidden: ${frozen}`],
  ],
  ['thawed', { ...old, immutable: false }, old, [`immutable: Forbidden: ${frozen}`]],
]);

test('plain text ends up in data, over what is there', () => {
  const given = secret({ data: { a: base64('old'), b: base64('b') }, stringData: { a: 'new' } });
  const { object } = runCreate(secretStrategy, given);
  assert.deepEqual(object['data'], { a: base64('new'), b: base64('b') });
  assert.equal(object['stringData'], undefined);
  assert.equal(object['type'], 'Opaque');
});
