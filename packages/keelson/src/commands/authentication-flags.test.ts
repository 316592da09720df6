// The flags about whose credentials are taken: what is refused and in which words, what each means,
// and that `keelson up` and the drop-in read the same (spec/auth §2.6, §2.7, §3.2).

import assert from 'node:assert/strict';
import { rmSync, writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Command } from 'commander';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import {
  createCertificateAuthority,
  createFeatures,
  createSigningKey,
  formatSigningKey,
} from '@keelson/apiserver';
import { addAuthenticationFlags } from './add-authentication-flags.ts';
import {
  AuthenticationFlagError,
  readAuthenticationFlags,
  type AuthenticationFlags,
} from './authentication-flags.ts';
import { parseGoFlags } from './go-flags.ts';
import { kubeApiserverFlags } from './kube-apiserver/flags.ts';
import { readKubeApiserverOptions } from './kube-apiserver/options.ts';

const directory = mkdtempSync(join(tmpdir(), 'keelson-flags-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, text: string) => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const { certificatePem } = createCertificateAuthority(
  { clock: systemClock, random: systemRandom },
  { commonName: 'ca' },
);
const ca = file('ca.crt', certificatePem);
const config = file('authentication.yaml', 'kind: AuthenticationConfiguration');
const tokens = file('tokens.csv', 't,ann,u1,"a,b"\n,bob,u2\n');
const badTokens = file('bad.csv', 't,ann\n');
const webhook = file(
  'webhook.kubeconfig',
  JSON.stringify({
    clusters: [{ name: 'w', cluster: { server: 'https://127.0.0.1:1/' } }],
    contexts: [{ name: 'c', context: { cluster: 'w' } }],
    'current-context': 'c',
  }),
);
const programs = file(
  'exec.kubeconfig',
  JSON.stringify({
    clusters: [{ name: 'w', cluster: { server: 'https://127.0.0.1:1/' } }],
    users: [{ name: 'u', user: { exec: { command: 'evil' } } }],
    contexts: [{ name: 'c', context: { cluster: 'w', user: 'u' } }],
    'current-context': 'c',
  }),
);
const signingKey = file('sa.key', formatSigningKey(createSigningKey()));

/** As `keelson up` reads them. */
function asUp(argv: readonly string[]): AuthenticationFlags {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addAuthenticationFlags(command);
  return command.parse(argv, { from: 'user' }).opts<AuthenticationFlags>();
}
const read = (argv: readonly string[], emulatedVersion = '1.36', warn = (_text: string) => {}) =>
  readAuthenticationFlags(asUp(argv), createFeatures({ emulatedVersion }), warn);
const required = [
  '--etcd-servers=http://127.0.0.1:2379',
  '--service-account-issuer=https://issuer.test',
  `--service-account-signing-key-file=${signingKey}`,
];
const readDropIn = (argv: readonly string[], version = '1.36') =>
  readKubeApiserverOptions(
    parseGoFlags(kubeApiserverFlags, [...required, `--emulated-version=${version}`, ...argv]),
    () => {},
  ).controlPlane;

const oidc = ['--oidc-issuer-url=https://idp.test', '--oidc-client-id=k'];
const together =
  'oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set';
const refusals: [argv: string[], message: string, release?: string][] = [
  [['--oidc-client-id=k'], together],
  [['--oidc-issuer-url=https://idp.test'], together],
  [['--oidc-groups-claim=groups'], together],
  [[...oidc, '--oidc-signing-algs=HS256'], 'oidc: unsupported signing alg: "HS256"'],
  [[...oidc, '--oidc-signing-algs=RS256,none'], 'oidc: unsupported signing alg: "none"'],
  [
    [...oidc, '--oidc-required-claim=tenant'],
    'invalid argument "tenant" for "--oidc-required-claim" flag: malformed pair, expect string=string',
  ],
  [
    [`--authentication-config=${config}`, ...oidc],
    'authentication-config file and oidc-* flags are mutually exclusive',
  ],
  [
    [`--authentication-config=${config}`, '--oidc-groups-prefix=x'],
    `[${together}, authentication-config file and oidc-* flags are mutually exclusive]`,
  ],
  [
    [`--authentication-config=${config}`],
    'set --feature-gates=StructuredAuthenticationConfiguration=true to use authentication-config file',
    '1.29',
  ],
  [
    [
      `--authentication-token-webhook-config-file=${webhook}`,
      '--authentication-token-webhook-version=v2',
    ],
    'unsupported authentication webhook version "v2", supported versions are "v1", "v1beta1"',
  ],
  [
    [`--authentication-token-webhook-config-file=${programs}`],
    `${programs}: "exec": credential plugins are not supported`,
  ],
  [
    [`--requestheader-client-ca-file=${ca}`, '--requestheader-username-headers= '],
    'empty value in "requestheader-username-headers"',
  ],
  [
    [`--requestheader-client-ca-file=${ca}`, '--requestheader-group-headers=a, '],
    'empty value in "requestheader-group-headers"',
  ],
  [
    ['--requestheader-uid-headers=X-Remote-Uid'],
    '--requestheader-uid-headers requires the "RemoteRequestHeaderUID" feature to be enabled',
    '1.32',
  ],
  [
    ['--requestheader-uid-headers=X-My-Uid'],
    '--requestheader-uid-headers is set without specifying the standard X-Remote-Uid header - API aggregation will not work',
  ],
  [['--client-ca-file=/nowhere/ca.crt'], 'open /nowhere/ca.crt: no such file or directory'],
  [['--authentication-config=/nowhere/a'], 'open /nowhere/a: no such file or directory'],
  [
    [`--token-auth-file=${badTokens}`],
    `${badTokens}: token file '${badTokens}' must have at least 3 columns (token, user name, user uid), found 2`,
  ],
];

test('flags that are refused, by up and by the drop-in', () => {
  for (const [argv, message, release] of refusals) {
    const isExpected = (error: unknown) =>
      error instanceof AuthenticationFlagError && error.message === message;
    assert.throws(() => read(argv, release), isExpected, argv.join(' '));
    assert.throws(() => readDropIn(argv, release), isExpected, argv.join(' '));
  }
});

test('what flags mean, to up and to the drop-in', () => {
  const rows: [argv: string[], expected: object][] = [
    [[], { bootstrapTokens: false, staticTokens: [] }],
    [['--anonymous-auth=false'], { anonymous: false }],
    [['--anonymous-auth'], { anonymous: true }],
    [['--enable-bootstrap-token-auth'], { bootstrapTokens: true }],
    [[`--client-ca-file=${ca}`], { clientCaPem: certificatePem, clientCaFile: ca }],
    [
      [`--authentication-config=${config}`],
      {
        authenticationConfig: {
          path: config,
          initial: Buffer.from('kind: AuthenticationConfiguration'),
        },
      },
    ],
    [
      [`--token-auth-file=${tokens}`],
      {
        staticTokens: [
          { token: 't', user: { name: 'ann', uid: 'u1', groups: ['a', 'b'], extra: {} } },
        ],
      },
    ],
    [
      [
        `--requestheader-client-ca-file=${ca}`,
        '--requestheader-allowed-names=a,b',
        '--requestheader-username-headers=X-Remote-User,X-User',
        '--requestheader-uid-headers=X-Remote-Uid',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      ],
      {
        requestHeader: {
          clientCa: certificatePem,
          clientCaFile: ca,
          allowedNames: ['a', 'b'],
          usernameHeaders: ['X-Remote-User', 'X-User'],
          uidHeaders: ['X-Remote-Uid'],
          groupHeaders: ['X-Remote-Group'],
          extraHeaderPrefixes: ['X-Remote-Extra-'],
        },
      },
    ],
    [
      [
        ...oidc,
        `--oidc-ca-file=${ca}`,
        '--oidc-username-claim=email',
        '--oidc-username-prefix=-',
        '--oidc-groups-claim=g',
        '--oidc-groups-prefix=p:',
        '--oidc-required-claim=a=b=c',
        '--oidc-required-claim=d=e,f',
        '--oidc-signing-algs=RS256,ES256',
      ],
      {
        oidc: {
          settings: {
            issuerUrl: 'https://idp.test',
            clientId: 'k',
            certificateAuthority: certificatePem,
            usernameClaim: 'email',
            usernamePrefix: '-',
            groupsClaim: 'g',
            groupsPrefix: 'p:',
            requiredClaims: new Map([
              ['a', 'b=c'],
              ['d', 'e,f'],
            ]),
          },
          algorithms: ['RS256', 'ES256'],
        },
      },
    ],
    [
      oidc,
      {
        oidc: {
          settings: {
            issuerUrl: 'https://idp.test',
            clientId: 'k',
            certificateAuthority: '',
            usernameClaim: 'sub',
            usernamePrefix: '',
            groupsClaim: '',
            groupsPrefix: '',
            requiredClaims: new Map(),
          },
          algorithms: ['RS256'],
        },
      },
    ],
  ];
  for (const [argv, expected] of rows)
    for (const options of [read(argv), readDropIn(argv)]) {
      const names = Object.keys(expected);
      const picked = Object.fromEntries(
        Object.entries(options).filter(([name]) => names.includes(name)),
      );
      assert.deepEqual(picked, expected, argv.join(' '));
    }
});

test('a flag that was not given leaves the default to others', () => {
  for (const options of [read([]), readDropIn([])]) {
    assert.equal(options.anonymous, undefined);
    assert.equal(options.requestHeader, undefined);
    assert.equal(options.oidc, undefined);
    assert.equal(options.tokenWebhook, undefined);
  }
});

test('the token webhook', () => {
  const config = `--authentication-token-webhook-config-file=${webhook}`;
  const rows: [argv: string[], version: string, cacheTtlMs: number][] = [
    [[config], 'v1beta1', 120_000],
    [[config, '--authentication-token-webhook-version=v1'], 'v1', 120_000],
    [[config, '--authentication-token-webhook-cache-ttl=30s'], 'v1beta1', 30_000],
    [[config, '--authentication-token-webhook-cache-ttl=0s'], 'v1beta1', 0],
  ];
  for (const [argv, version, cacheTtlMs] of rows)
    for (const { tokenWebhook } of [read(argv), readDropIn(argv)]) {
      assert.equal(tokenWebhook?.version, version);
      assert.equal(tokenWebhook.cacheTtlMs, cacheTtlMs);
      tokenWebhook.endpoint.close();
    }
});

test('what is odd about a token file is said, without its tokens', () => {
  const said: string[] = [];
  read([`--token-auth-file=${tokens}`], '1.36', (text) => said.push(text));
  assert.deepEqual(said, [
    `empty token has been found in token file '${tokens}', record number '2'`,
  ]);
});
