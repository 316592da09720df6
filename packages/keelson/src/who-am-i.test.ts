// Who every kind of caller is found to be, asked over TLS by SelfSubjectReview and, where there
// is a kubectl, by `kubectl auth whoami` (KEP-3325, spec/auth §8.2); and headers that try to be
// somebody.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import {
  callInProcess,
  createFeatures,
  createMemoryStorage,
  defaultLimits,
  openListener,
  parseTokenFile,
  type KeyPairPem,
  type Listener,
} from '@keelson/apiserver';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { createPki } from './pki.ts';
import {
  audience,
  startIdentityProvider,
  type IdentityProvider,
} from './testing/identity-provider.ts';
import { until } from './testing/authenticated-plane.ts';
import { openTokenWebhook } from './token-webhook-endpoint.ts';

const run = promisify(execFile);
const dependencies = { clock: systemClock, random: systemRandom };
const pki = createPki(dependencies, { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
const admin = { name: 'root', uid: '', groups: ['system:masters'], extra: {} };
const reviewPath = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const review = JSON.stringify({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'SelfSubjectReview',
});
const jane = pki.authority.issueClient({ name: 'jane', groups: ['dev'], userUid: 'u-7' });

interface User {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}
interface Caller {
  readonly token?: string;
  readonly certificate?: KeyPairPem;
  readonly headers?: readonly (readonly [string, string])[];
}

let plane: ControlPlane;
let listener: Listener;
let provider: IdentityProvider;
let accountToken = '';
const cleanUps: (() => unknown)[] = [];

before(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-whoami-'));
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }));
  provider = await startIdentityProvider();
  cleanUps.push(() => provider.close());
  const webhook = await startWebhook(directory);
  const config = providerConfiguration(provider);
  plane = await startControlPlane({
    storage: createMemoryStorage(dependencies),
    features: createFeatures({}),
    pki,
    serverAddress: () => '127.0.0.1:6443',
    staticTokens: parseTokenFile('s3cret,ann,u-1,"ops"\n', 'tokens.csv').tokens,
    bootstrapTokens: true,
    authenticationConfig: { path: join(directory, 'authentication.yaml'), initial: config },
    tokenWebhook: { endpoint: webhook, version: 'v1', cacheTtlMs: 120_000 },
  });
  listener = await openListener(plane.server.serve, {
    address: '127.0.0.1',
    port: 0,
    certificate: pki.serving.certificatePem,
    key: pki.serving.privateKeyPem,
    http2: true,
    limits: defaultLimits,
  });
  await createCallers();
  const token = provider.token({ oid: 'o', team: 't' });
  await until(async () => (await whoAmI({ token })).status === 201);
});
after(async () => {
  await listener.close(0);
  await plane.close();
  for (const clean of cleanUps) await clean();
});

function providerConfiguration({ url, authorityPem }: IdentityProvider): Buffer {
  return Buffer.from(
    JSON.stringify({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AuthenticationConfiguration',
      jwt: [
        {
          issuer: { url, audiences: [audience], certificateAuthority: authorityPem },
          claimMappings: {
            username: { claim: 'sub', prefix: 'idp:' },
            groups: { claim: 'groups', prefix: 'idp:' },
            uid: { claim: 'oid' },
            extra: [{ key: 'acme.io/team', valueExpression: 'claims.team' }],
          },
        },
      ],
    }),
  );
}

/** Knows one token, `from-the-webhook`. */
async function startWebhook(directory: string) {
  const { certificatePem: cert, privateKeyPem: key } = pki.serving;
  const server = createTlsServer({ cert, key }, (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const { apiVersion, spec } = JSON.parse(text) as {
        apiVersion: string;
        spec: { token: string };
      };
      const user = { username: 'hook', uid: 'u-9', groups: ['hooked'], extra: { 'a.io/b': ['c'] } };
      const authenticated = spec.token === 'from-the-webhook';
      const status = authenticated ? { authenticated, user } : { authenticated };
      response.end(JSON.stringify({ apiVersion, kind: 'TokenReview', status }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const file = join(directory, 'webhook.kubeconfig');
  writeFileSync(file, kubeconfig({}, `https://127.0.0.1:${port}/`));
  return openTokenWebhook(file);
}

async function createCallers(): Promise<void> {
  const post = async (url: string, body: object) => {
    const answer = await callInProcess(plane.server.serve, {
      method: 'POST',
      url,
      user: admin,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
    });
    const text = Buffer.from(await answer.bytes()).toString();
    assert.equal(answer.status, 201, text);
    return JSON.parse(text) as { status?: { token?: string } };
  };
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  await post(accounts, { metadata: { name: 'bot' } });
  const { status } = await post(`${accounts}/bot/token`, { spec: {} });
  accountToken = status?.token ?? '';
  await post('/api/v1/namespaces/kube-system/secrets', {
    metadata: { name: 'bootstrap-token-abcdef' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm',
    },
  });
}

function kubeconfig({ token, certificate }: Caller, server: string): string {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'c',
        cluster: { server, 'certificate-authority-data': encode(pki.authority.certificatePem) },
      },
    ],
    users: [
      {
        name: 'u',
        user: {
          ...(token === undefined ? {} : { token }),
          ...(certificate === undefined
            ? {}
            : {
                'client-certificate-data': encode(certificate.certificatePem),
                'client-key-data': encode(certificate.privateKeyPem),
              }),
        },
      },
    ],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}

interface Answer {
  readonly status: number;
  readonly user: User | undefined;
}

/** Sends a review as it is written here, byte for byte: no client library puts headers right. */
async function whoAmI(caller: Caller, trailers = ''): Promise<Answer> {
  const lines = [
    ...(caller.token === undefined ? [] : [`Authorization: Bearer ${caller.token}`]),
    ...(caller.headers ?? []).map(([name, value]) => `${name}: ${value}`),
  ];
  const size = review.length.toString(16);
  const text = await exchange(
    [
      `POST ${reviewPath} HTTP/1.1`,
      'Host: localhost',
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
      'Connection: close',
      ...lines,
      '',
      `${size}\r\n${review}\r\n0\r\n${trailers}\r\n`,
    ].join('\r\n'),
    caller.certificate,
  );
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
  const json = /\{.*\}/s.exec(text)?.[0];
  const body = json === undefined ? {} : (JSON.parse(json) as { status?: { userInfo?: User } });
  return { status, user: body.status?.userInfo };
}

function exchange(text: string, certificate?: KeyPairPem): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      port: listener.port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: pki.authority.certificatePem,
      ALPNProtocols: ['http/1.1'],
      ...(certificate === undefined
        ? {}
        : { cert: certificate.certificatePem, key: certificate.privateKeyPem }),
    });
    let answer = '';
    socket.on('secureConnect', () => socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

const proxy = pki.frontProxy.client;
const asProxy = (...headers: [string, string][]): Caller => ({ certificate: proxy, headers });
const credentialId = 'authentication.kubernetes.io/credential-id';

describe('auth §8.2: who each kind of caller is', () => {
  const idpClaims = { oid: 'o-1', groups: ['g'], team: ['x', 'y'], jti: 'j-1' };
  const callers: [what: string, caller: () => Caller, expected: User][] = [
    [
      'a client certificate',
      () => ({ certificate: jane }),
      { username: 'jane', uid: 'u-7', groups: ['dev', 'system:authenticated'] },
    ],
    [
      'a static token',
      () => ({ token: 's3cret' }),
      { username: 'ann', uid: 'u-1', groups: ['ops', 'system:authenticated'] },
    ],
    [
      'a bootstrap token',
      () => ({ token: 'abcdef.0123456789abcdef' }),
      {
        username: 'system:bootstrap:abcdef',
        groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm', 'system:authenticated'],
      },
    ],
    [
      'a service account token',
      () => ({ token: accountToken }),
      {
        username: 'system:serviceaccount:default:bot',
        groups: [
          'system:serviceaccounts',
          'system:serviceaccounts:default',
          'system:authenticated',
        ],
      },
    ],
    [
      'a token of an identity provider',
      () => ({ token: provider.token({ ...idpClaims }) }),
      {
        username: 'idp:jane',
        uid: 'o-1',
        groups: ['idp:g', 'system:authenticated'],
        extra: { 'acme.io/team': ['x', 'y'], [credentialId]: ['JTI=j-1'] },
      },
    ],
    [
      'a token that the webhook knows',
      () => ({ token: 'from-the-webhook' }),
      {
        username: 'hook',
        uid: 'u-9',
        groups: ['hooked', 'system:authenticated'],
        extra: { 'a.io/b': ['c'] },
      },
    ],
    [
      'a user whom the front proxy names',
      () =>
        asProxy(
          ['X-Remote-User', 'zoe'],
          ['X-Remote-Uid', 'u-3'],
          ['X-Remote-Group', 'a,b'],
          ['x-remote-group', 'c'],
          ['X-Remote-Extra-Acme.io%2Fteam', 'x'],
        ),
      {
        username: 'zoe',
        uid: 'u-3',
        groups: ['a,b', 'c', 'system:authenticated'],
        extra: { 'acme.io/team': ['x'] },
      },
    ],
    [
      'an impersonated user',
      () => ({ certificate: pki.admin, headers: [['Impersonate-User', 'joe']] }),
      { username: 'joe', groups: ['system:authenticated'] },
    ],
  ];

  for (const [what, caller, expected] of callers)
    it(what, async () => {
      const { status, user } = await whoAmI(caller());
      assert.equal(status, 201);
      const { extra = {}, ...rest } = user ?? {};
      const uid = what === 'a service account token' ? { uid: rest.uid ?? '' } : {};
      const { extra: expectedExtra, ...expectedRest } = expected;
      assert.deepEqual(rest, { ...uid, ...expectedRest });
      if (expectedExtra !== undefined) assert.deepEqual(extra, expectedExtra);
      if (what === 'a client certificate')
        assert.match(extra[credentialId]?.[0] ?? '', /^X509SHA256=[0-9a-f]{64}$/);
      if (what === 'a service account token')
        assert.match(extra[credentialId]?.[0] ?? '', /^JTI=[0-9a-f-]{36}$/);
    });

  it('an anonymous caller may not ask', async () => {
    assert.equal((await whoAmI({})).status, 403);
  });
});

describe('headers that try to be somebody', () => {
  const rows: [what: string, caller: Caller, expected: string, trailers?: string][] = [
    [
      'the proxy’s headers from an ordinary client',
      {
        certificate: jane,
        headers: [
          ['X-Remote-User', 'root'],
          ['X-Remote-Group', 'system:masters'],
        ],
      },
      'jane [dev system:authenticated]',
    ],
    [
      'the proxy’s headers without a certificate',
      {
        headers: [
          ['X-Remote-User', 'root'],
          ['X-Remote-Group', 'system:masters'],
        ],
      },
      '403',
    ],
    [
      'a certificate of the client authority with the proxy’s name',
      {
        certificate: pki.authority.issueClient({ name: 'front-proxy-client' }),
        headers: [['X-Remote-User', 'root']],
      },
      'front-proxy-client [system:authenticated]',
    ],
    ['two users', asProxy(['X-Remote-User', 'zoe'], ['X-Remote-User', 'root']), '401'],
    [
      'two users in different case',
      asProxy(['X-Remote-User', 'zoe'], ['x-REMOTE-user', 'root']),
      '401',
    ],
    [
      'two uids',
      asProxy(['X-Remote-User', 'zoe'], ['X-Remote-Uid', '1'], ['X-Remote-Uid', '2']),
      '401',
    ],
    ['underscores', asProxy(['X_Remote_User', 'root']), '401'],
    ['an empty user', asProxy(['X-Remote-User', '']), '401'],
    ['another case', asProxy(['x-ReMoTe-UsEr', 'zoe']), 'zoe [system:authenticated]'],
    [
      'underscores beside the real ones',
      asProxy(['X-Remote-User', 'zoe'], ['X_Remote_Group', 'system:masters']),
      'zoe [system:authenticated]',
    ],
    [
      'headers that the connection lists',
      asProxy(['X-Remote-User', 'zoe'], ['X-Remote-Group', 'g'], ['Connection', 'X-Remote-Group']),
      'zoe [g system:authenticated]',
    ],
    ['a space before the colon', asProxy(['X-Remote-User ', 'root']), '400'],
    [
      'a folded header',
      asProxy(['X-Remote-User', 'zoe\r\n X-Remote-Group: system:masters']),
      '400',
    ],
    [
      'a name with a line in it',
      asProxy(['X-Remote-User', 'zoe\nX-Remote-Group: system:masters']),
      '400',
    ],
    ['trailers that name a user', asProxy(), '401', 'X-Remote-User: root\r\n'],
    ['trailers with a token', {}, '403', 'Authorization: Bearer s3cret\r\n'],
    [
      'trailers that impersonate',
      { certificate: pki.admin },
      'kubernetes-admin',
      'Impersonate-User: joe\r\n',
    ],
    [
      'two tokens',
      { token: 's3cret', headers: [['Authorization', 'Bearer from-the-webhook']] },
      '401',
    ],
    [
      'a token beside basic credentials',
      { token: 's3cret', headers: [['authorization', 'Basic eDp5']] },
      '401',
    ],
    [
      'a token in a header of another name',
      { headers: [['Proxy-Authorization', 'Bearer s3cret']] },
      '403',
    ],
    ['an unknown token', { token: 'guess' }, '401'],
    [
      'an unknown token and a good certificate',
      { token: 'guess', certificate: jane },
      'jane [dev system:authenticated]',
    ],
    [
      'two users to impersonate',
      {
        certificate: pki.admin,
        headers: [
          ['Impersonate-User', 'joe'],
          ['Impersonate-User', 'root'],
        ],
      },
      '400',
    ],
    [
      'impersonation with underscores',
      { certificate: pki.admin, headers: [['Impersonate_User', 'joe']] },
      'kubernetes-admin',
    ],
    [
      'impersonation through the front proxy is the named user’s',
      asProxy(['X-Remote-User', 'zoe'], ['Impersonate-User', 'root']),
      '403',
    ],
    ['an oversized token', { token: 'x'.repeat(60_000) }, '401'],
  ];
  for (const [what, caller, expected, trailers] of rows)
    it(what, async () => {
      const { status, user } = await whoAmI(caller, trailers);
      const shown =
        status === 201 ? `${user?.username} [${(user?.groups ?? []).join(' ')}]` : `${status}`;
      assert.ok(shown.startsWith(expected), shown);
    });

  it('HTTP/2: trailers and repeated lines', async () => {
    const session = connectHttp2(`https://127.0.0.1:${listener.port}`, {
      ca: pki.authority.certificatePem,
      servername: 'localhost',
      cert: jane.certificatePem,
      key: jane.privateKeyPem,
    });
    const status = (headers: Record<string, string | string[]>, trailers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const stream = session.request(
          {
            ':method': 'POST',
            ':path': reviewPath,
            'content-type': 'application/json',
            ...headers,
          },
          { waitForTrailers: true },
        );
        stream.on('wantTrailers', () => stream.sendTrailers(trailers));
        stream.on('response', (answer) => resolve(Number(answer[':status'])));
        stream.on('error', reject);
        stream.resume().end(review);
      });
    assert.equal(await status({}, { 'impersonate-user': 'root' }), 201);
    assert.equal(await status({ 'impersonate-user': 'root' }, {}), 403);
    assert.equal(await status({ 'x-remote-user': 'root' }, {}), 201);
    session.destroy();
  });
});

it('auth §2.9 (14): who is not authenticated gets GOAWAY on HTTP/2', async () => {
  const goesAway = (certificate: KeyPairPem | undefined, path: string) =>
    new Promise<boolean>((resolve, reject) => {
      const session = connectHttp2(`https://127.0.0.1:${listener.port}`, {
        ca: pki.authority.certificatePem,
        servername: 'localhost',
        ...(certificate === undefined
          ? {}
          : { cert: certificate.certificatePem, key: certificate.privateKeyPem }),
      });
      let isGone = false;
      session.on('goaway', () => (isGone = true));
      session.on('error', reject);
      const get = () =>
        new Promise<void>((done) => {
          const stream = session.request({ ':path': path });
          stream.resume().on('end', done).on('error', done).end();
        });
      void get().then(async () => {
        // What was sent before the answer to this has arrived before it.
        if (!isGone && certificate !== undefined) await get();
        else await until(() => isGone);
        session.destroy();
        resolve(isGone);
      });
    });
  assert.equal(await goesAway(undefined, '/version'), true, 'anonymous');
  assert.equal(await goesAway(jane, '/version'), false, 'a client certificate');
});

describe('kubectl auth whoami', () => {
  it('shows what SelfSubjectReview says', async (t) => {
    if (!(await hasKubectl())) return t.skip('no kubectl on PATH');
    const directory = mkdtempSync(join(tmpdir(), 'keelson-kubectl-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const rows: [what: string, caller: Caller, expected: readonly RegExp[], flags?: string[]][] = [
      [
        'certificate',
        { certificate: jane },
        [
          /^Username +jane$/m,
          /^UID +u-7$/m,
          /^Groups +\[dev system:authenticated\]$/m,
          /^Extra: authentication.kubernetes.io\/credential-id +\[X509SHA256=[0-9a-f]{64}\]$/m,
        ],
      ],
      [
        'service account',
        { token: accountToken },
        [
          /^Username +system:serviceaccount:default:bot$/m,
          /^Extra: authentication.kubernetes.io\/credential-id +\[JTI=/m,
        ],
      ],
      [
        'provider',
        { token: provider.token({ oid: 'o', team: ['x', 'y'] }) },
        [/^Username +idp:jane$/m, /^Extra: acme.io\/team +\[x y\]$/m],
      ],
      [
        'impersonation',
        { certificate: pki.admin },
        [/^Username +joe$/m, /^Groups +\[g system:authenticated\]$/m],
        ['--as=joe', '--as-group=g'],
      ],
    ];
    for (const [what, caller, expected, flags = []] of rows) {
      const file = join(directory, `${what.replace(' ', '-')}.kubeconfig`);
      writeFileSync(file, kubeconfig(caller, `https://127.0.0.1:${listener.port}`));
      const { stdout } = await run('kubectl', ['--kubeconfig', file, 'auth', 'whoami', ...flags]);
      for (const line of expected) assert.match(stdout, line, what);
    }
  });
});

async function hasKubectl(): Promise<boolean> {
  return run('kubectl', ['version', '--client']).then(
    () => true,
    () => false,
  );
}
