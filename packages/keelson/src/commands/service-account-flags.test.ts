// The flags about service account tokens, as `keelson up` and `keelson kube-apiserver` read them.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFeatures, createSigningKey, formatSigningKey } from '@keelson/apiserver';
import { Command } from 'commander';
import { parseGoFlags } from './go-flags.ts';
import { kubeApiserverFlags } from './kube-apiserver/flags.ts';
import { readKubeApiserverOptions } from './kube-apiserver/options.ts';
import {
  addServiceAccountFlags,
  readUpServiceAccounts,
  type UpServiceAccountFlags,
} from './up-service-account-flags.ts';

const ownKey = createSigningKey();
const issuer = '--service-account-issuer=https://a.example';

function writeKeys(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-token-flags-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const key = createSigningKey();
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return {
    key,
    signing: write('sa.key', formatSigningKey(key)),
    verifying: write('old.pub', rsa.export({ type: 'spki', format: 'pem' }).toString()),
    broken: write('broken.pem', 'SECRET, but no key'),
  };
}

function readUp(argv: readonly string[], emulatedVersion = '1.36') {
  const command = addServiceAccountFlags(new Command().exitOverride());
  const flags = command.parse(argv, { from: 'user' }).opts<UpServiceAccountFlags>();
  return readUpServiceAccounts(flags, createFeatures({ emulatedVersion }), () => ownKey);
}

function readDropIn(argv: readonly string[]) {
  const flags = ['--etcd-servers=http://127.0.0.1:1', ...argv];
  return readKubeApiserverOptions(parseGoFlags(kubeApiserverFlags, flags), () => {}).controlPlane;
}

test('without flags the control plane’s own key signs', () => {
  assert.deepEqual(readUp([]), { extendTokenExpiration: true });
});

test('both read the same', (t) => {
  const { key, signing, verifying } = writeKeys(t);
  const argv = [
    issuer,
    '--service-account-issuer=https://b.example',
    `--service-account-signing-key-file=${signing}`,
    `--service-account-key-file=${signing}`,
    `--service-account-key-file=${verifying}`,
    '--service-account-jwks-uri=https://a.example/keys',
    '--api-audiences=x,y',
    '--service-account-max-token-expiration=24h',
    '--service-account-extend-token-expiration=false',
  ];
  for (const read of [readUp(argv), readDropIn(argv)]) {
    assert.deepEqual(read.issuers, ['https://a.example', 'https://b.example']);
    assert.deepEqual(read.apiAudiences, ['x', 'y']);
    assert.equal(read.jwksUri, 'https://a.example/keys');
    assert.equal(read.tokenExpirationSecondsMax, 86_400);
    assert.equal(read.extendTokenExpiration, false);
    const files = read.tokenKeyFiles?.read();
    assert.equal(files?.signing.id, key.id);
    assert.deepEqual(
      files.verification.map(({ algorithm }) => algorithm),
      ['ES256', 'RS256'],
    );
  }
  const endpoint = [issuer, '--service-account-signing-endpoint=/run/signer.sock'];
  for (const read of [readUp(endpoint), readDropIn(endpoint)]) {
    assert.equal(read.tokenSigningEndpoint, '/run/signer.sock');
    assert.equal(read.tokenKeyFiles, undefined);
  }
});

const endpoint = '--service-account-signing-endpoint=/run/signer.sock';
const exclusive =
  /service-account-signing-key-file and service-account-signing-endpoint are mutually exclusive and cannot be set at the same time/;
const refused: [what: string, argv: string[], expected: RegExp][] = [
  [
    'auth §6.9 (10): a key that signs, and an endpoint',
    [issuer, endpoint, '--service-account-signing-key-file=SIGNING'],
    exclusive,
  ],
  [
    'auth §6.9 (10): a key that verifies, and an endpoint',
    [issuer, endpoint, '--service-account-key-file=VERIFYING'],
    /can't set `--service-account-signing-key-file` and\/or `--service-account-key-file` with `--service-account-signing-endpoint` \(They are mutually exclusive\)/,
  ],
  ...['@', '@a b', '@a..b', '@.a', '@a/b', '@@a'].map((name): [string, string[], RegExp] => [
    `an abstract name: ${name}`,
    [issuer, `--service-account-signing-endpoint=${name}`],
    /when prefixed with @ must be a valid abstract socket name/,
  ]),
  [
    'no issuer',
    ['--service-account-issuer=', '--service-account-signing-key-file=SIGNING'],
    /service-account-issuer should not be an empty string/,
  ],
  [
    'an issuer twice',
    [issuer, issuer, '--service-account-signing-key-file=SIGNING'],
    /service-account-issuer "https:\/\/a\.example" is already specified/,
  ],
  [
    'an issuer that looks like a URL',
    ['--service-account-issuer=http://[', '--service-account-signing-key-file=SIGNING'],
    /service-account-issuer "http:\/\/\[" contained a ':' but was not a valid URL/,
  ],
  [
    'keys in the open',
    [issuer, '--service-account-signing-key-file=SIGNING', '--service-account-jwks-uri=http://a'],
    /service-account-jwks-uri requires https scheme, parsed as: http:\/\/a/,
  ],
  ...['59m59s', '1193047h', '1s', '-1h'].map((duration): [string, string[], RegExp] => [
    `a bound of ${duration}`,
    [
      issuer,
      '--service-account-signing-key-file=SIGNING',
      `--service-account-max-token-expiration=${duration}`,
    ],
    /the service-account-max-token-expiration must be between 1 hour and 2\^32 seconds/,
  ]),
  [
    'a file without a key',
    [issuer, '--service-account-signing-key-file=SIGNING', '--service-account-key-file=BROKEN'],
    /broken\.pem: /,
  ],
  [
    'a file that is not there',
    [issuer, '--service-account-signing-key-file=/nowhere/sa.key'],
    /\/nowhere\/sa\.key/,
  ],
];
for (const [what, argv, expected] of refused)
  test(`refused: ${what}`, (t) => {
    const { signing, verifying, broken } = writeKeys(t);
    const files = argv.map((word) =>
      word.replace('SIGNING', signing).replace('VERIFYING', verifying).replace('BROKEN', broken),
    );
    for (const read of [() => readUp(files), () => readDropIn(files)])
      assert.throws(read, (error: Error) => {
        assert.match(error.message, expected);
        assert.doesNotMatch(error.message, /SECRET/);
        return true;
      });
  });

test('an external signer needs its gate', () => {
  const text = /requires enabling ExternalServiceAccountTokenSigner feature gate/;
  assert.throws(() => readUp([endpoint], '1.33'), text);
  assert.equal(readUp([endpoint], '1.34').tokenSigningEndpoint, '/run/signer.sock');
});

test('kube-apiserver wants to know who signs', () => {
  const rows: [argv: string[], expected: RegExp][] = [
    [
      [],
      /service-account-issuer is a required flag.*--service-account-signing-key-file and --service-account-issuer are required flags/,
    ],
    [
      [issuer],
      /--service-account-signing-key-file, --service-account-issuer, and --api-audiences should be specified together/,
    ],
    [
      ['--service-account-signing-key-file=x'],
      /service-account-issuer is a required flag.*should be specified together/,
    ],
  ];
  for (const [argv, expected] of rows) assert.throws(() => readDropIn(argv), expected);
});
