import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionTrace, createSeededRandom, noDecisionTrace } from '@keelson/apimachinery';
import { createFeatures } from '../features/create-features.ts';
import type { AuthenticationResult } from './authenticator.ts';
import { createCertificateAuthority } from './certificates/certificate-authority.ts';
import { readPem } from './certificates/pem.ts';
import { createAuthentication, type AuthenticationOptions } from './create-authentication.ts';
import { percentDecodedKey, withMultiValues } from './headers.ts';
import { parseTokenFile, TokenFileError } from './static-tokens.ts';
import { createStoppedClock, createTestObjects, createTestRequest } from './testing.ts';

const clock = createStoppedClock(Date.UTC(2026, 0, 15));
const random = createSeededRandom(3);
const hour = 3_600_000;
const ca = createCertificateAuthority({ clock, random }, { commonName: 'client-ca' });
const proxyCa = createCertificateAuthority({ clock, random }, { commonName: 'proxy-ca' });
const derOf = (pem: string) => readPem(pem).map((b) => b.bytes);
const clientOf = (request: Parameters<typeof ca.issueClient>[0], by = ca) =>
  derOf(by.issueClient(request).certificatePem);

const bootstrapSecret = (
  changes: Record<string, string> = {},
  type = 'bootstrap.kubernetes.io/token',
) => ({
  metadata: { namespace: 'kube-system', name: 'bootstrap-token-abcdef' },
  type,
  data: Object.fromEntries(
    Object.entries({
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      ...changes,
    }).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  ),
});

function authentication(changes: Partial<AuthenticationOptions> = {}) {
  return createAuthentication({
    clock,
    random,
    features: createFeatures(),
    apiAudiences: ['https://kubernetes.default.svc.cluster.local'],
    anonymous: { enabled: true },
    clientCa: ca.certificatePem,
    requestHeader: {
      clientCa: proxyCa.certificatePem,
      allowedNames: ['front-proxy-client'],
      usernameHeaders: ['X-Remote-User'],
      uidHeaders: ['X-Remote-Uid'],
      groupHeaders: ['X-Remote-Group'],
      extraHeaderPrefixes: ['X-Remote-Extra-'],
    },
    staticTokens: parseTokenFile('s3cret,ann,u1,"dev,ops"\n', 'tokens.csv').tokens,
    bootstrapTokenSecrets: createTestObjects([bootstrapSecret()]),
    ...changes,
  });
}

type RequestParts = Parameters<typeof createTestRequest>[0];
/** `name [groups] extra` of the user, or the outcome. */
function summary(result: AuthenticationResult): string {
  if (result.outcome === 'rejected') return `rejected: ${result.reason}`;
  if (result.outcome === 'no-credential') return 'no credential';
  return `${result.user.name} [${result.user.groups.join(' ')}]`;
}
const ask = async (parts: RequestParts, changes?: Partial<AuthenticationOptions>) =>
  summary(
    await authentication(changes).authenticator.authenticate(
      createTestRequest(parts),
      noDecisionTrace,
    ),
  );

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const websocket = (...protocols: string[]) => ({
  headers: {
    upgrade: 'websocket',
    connection: 'keep-alive, Upgrade',
    'sec-websocket-protocol': protocols.join(', '),
  },
});
const encodedToken = `base64url.bearer.authorization.k8s.io.${Buffer.from('s3cret').toString('base64url')}`;
const anonymous = 'system:anonymous [system:unauthenticated]';
const ann = 'ann [dev ops system:authenticated]';

test('auth §2.9 (1), (2), (8), (9), (10): who the caller is', async () => {
  const proxy = clientOf({ name: 'front-proxy-client' }, proxyCa);
  const rows: [what: string, parts: RequestParts, expected: string][] = [
    ['nothing', {}, anonymous],
    ['a token of the file', bearer('s3cret'), ann],
    ['another word for bearer', { headers: { authorization: 'bEARER s3cret' } }, ann],
    ['a word after the token', { headers: { authorization: 'Bearer s3cret more' } }, ann],
    ['an unknown token', bearer('wrong'), 'rejected: invalid bearer token'],
    ['a token in another case', bearer('S3CRET'), 'rejected: invalid bearer token'],
    ['an empty token', { headers: { authorization: 'Bearer ' } }, anonymous],
    ['a space before the token', { headers: { authorization: 'Bearer  s3cret' } }, anonymous],
    ['basic credentials', { headers: { authorization: 'Basic dTpw' } }, anonymous],
    ['no scheme', { headers: { authorization: 's3cret' } }, anonymous],
    ['a token in the query', { url: '/api?access_token=s3cret' }, anonymous],
    [
      'a client certificate',
      { certificates: clientOf({ name: 'jane', groups: ['dev'] }) },
      'jane [dev system:authenticated]',
    ],
    [
      'a certificate without a name',
      { certificates: clientOf({ name: '', groups: ['system:masters'] }) },
      `rejected: verifying`,
    ],
    [
      'a foreign certificate',
      {
        certificates: clientOf(
          { name: 'jane' },
          createCertificateAuthority({ clock, random }, { commonName: 'client-ca' }),
        ),
      },
      'rejected: verifying',
    ],
    [
      'bytes that are no certificate',
      { certificates: [Uint8Array.of(1, 2)] },
      'rejected: x509: malformed client certificate',
    ],
    ['a websocket token', websocket('v5.channel.k8s.io', encodedToken), ann],
    ['only a websocket token', websocket(encodedToken), 'rejected: missing additional subprotocol'],
    [
      'two websocket tokens',
      websocket('a', encodedToken, encodedToken),
      'rejected: multiple base64.bearer.authorization tokens specified',
    ],
    [
      'padded base64',
      websocket('a', `${encodedToken}=`),
      'rejected: invalid base64.bearer.authorization token encoding',
    ],
    [
      'a websocket token without upgrade',
      { headers: { 'sec-websocket-protocol': `a, ${encodedToken}` } },
      anonymous,
    ],
    [
      'the front proxy',
      { certificates: proxy, headers: { 'x-remote-user': 'zoe', 'x-remote-group': ['a,b', 'c'] } },
      'zoe [a,b c system:authenticated]',
    ],
    [
      'a client pretending to be the proxy',
      {
        certificates: clientOf({ name: 'front-proxy-client' }),
        headers: { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' },
      },
      'front-proxy-client [system:authenticated]',
    ],
    ['proxy headers alone', { headers: { 'x-remote-user': 'admin' } }, anonymous],
    [
      'another client of the proxy CA',
      { certificates: clientOf({ name: 'eve' }, proxyCa), headers: { 'x-remote-user': 'admin' } },
      'rejected: [x509: subject with cn=eve is not in the allowed list, verifying',
    ],
    [
      'a bootstrap token',
      bearer('abcdef.0123456789abcdef'),
      'system:bootstrap:abcdef [system:bootstrappers system:authenticated]',
    ],
    [
      'a bootstrap token with a wrong secret',
      bearer('abcdef.0123456789abcdee'),
      'rejected: invalid bearer token',
    ],
  ];
  for (const [what, parts, expected] of rows) {
    const actual = await ask(parts);
    if (expected.endsWith('verifying'))
      assert.ok(actual.startsWith(expected), `${what}: ${actual}`);
    else assert.equal(actual, expected, what);
  }
  assert.equal(
    await ask(
      { certificates: clientOf({ name: '', groups: ['system:masters'] }) },
      { requestHeader: undefined },
    ),
    anonymous,
  );
});

test('a good credential counts although another one is bad', async () => {
  const certificates = clientOf({ name: 'jane' });
  assert.equal(await ask({ certificates, ...bearer('wrong') }), 'jane [system:authenticated]');
});

test('expired certificates are refused, also when they were good before', async () => {
  const { authenticator } = authentication({ requestHeader: undefined });
  const request = createTestRequest({ certificates: clientOf({ name: 'jane', validForMs: hour }) });
  assert.equal(
    summary(await authenticator.authenticate(request, noDecisionTrace)),
    'jane [system:authenticated]',
  );
  clock.nowMs += 2 * hour;
  try {
    const result = summary(await authenticator.authenticate(request, noDecisionTrace));
    assert.match(
      result,
      /^rejected: verifying certificate SN=\d+, AKID=[0-9A-F:]+ failed: x509: certificate has expired/,
    );
  } finally {
    clock.nowMs -= 2 * hour;
  }
});

test('uid and fingerprint of a certificate by release', async () => {
  const request = createTestRequest({ certificates: clientOf({ name: 'jane', userUid: 'u-1' }) });
  const rows: [version: string, uid: string, extra: number][] = [
    ['1.31', '', 0],
    ['1.32', '', 1],
    ['1.36', 'u-1', 1],
  ];
  for (const [emulatedVersion, uid, extra] of rows) {
    const { authenticator } = authentication({ features: createFeatures({ emulatedVersion }) });
    const result = await authenticator.authenticate(request, noDecisionTrace);
    assert.ok(result.outcome === 'authenticated');
    assert.equal(result.user.uid, uid, emulatedVersion);
    assert.equal(Object.keys(result.user.extra).length, extra, emulatedVersion);
  }
});

test('anonymous by configuration', async () => {
  const only = { anonymous: { enabled: true, paths: ['/livez'] } };
  const rows: [url: string, changes: Partial<AuthenticationOptions>, expected: string][] = [
    ['/livez', only, anonymous],
    ['/livez?verbose', only, anonymous],
    ['/livez/ping', only, 'no credential'],
    ['/livez/', only, 'no credential'],
    ['/healthz', only, 'no credential'],
    ['/%6civez', only, anonymous],
    ['/api', { anonymous: { enabled: false } }, 'no credential'],
    ['/livez', { anonymous: { enabled: false } }, 'no credential'],
  ];
  for (const [url, changes, expected] of rows)
    assert.equal(await ask({ url }, changes), expected, url);
});

test('auth §2.9 (11): bootstrap tokens that are not good', async () => {
  const rows: [what: string, changes: Record<string, string>, type?: string][] = [
    ['expired', { expiration: '2026-01-14T00:00:00Z' }],
    ['unreadable expiration', { expiration: 'tomorrow' }],
    ['not for authentication', { 'usage-bootstrap-authentication': 'True' }],
    ['another id', { 'token-id': 'abcdee' }],
    ['no secret', { 'token-secret': '' }],
    ['a foreign group', { 'auth-extra-groups': 'system:bootstrappers:a,system:masters' }],
    ['a group of a similar name', { 'auth-extra-groups': 'system:bootstrappersx' }],
    ['another type', {}, 'Opaque'],
  ];
  for (const [what, changes, type] of rows) {
    const bootstrapTokenSecrets = createTestObjects([bootstrapSecret(changes, type)]);
    assert.equal(
      await ask(bearer('abcdef.0123456789abcdef'), { bootstrapTokenSecrets }),
      'rejected: invalid bearer token',
      what,
    );
  }
  const good = createTestObjects([
    bootstrapSecret({
      expiration: '2026-02-01T00:00:00Z',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default',
    }),
  ]);
  assert.equal(
    await ask(bearer('abcdef.0123456789abcdef'), { bootstrapTokenSecrets: good }),
    'system:bootstrap:abcdef [system:bootstrappers system:bootstrappers:kubeadm:default system:authenticated]',
  );
});

test('tokens without audience answer for the API server only', async () => {
  const { tokens, loopbackToken } = authentication();
  const review = async (token: string, audience: string) =>
    summary(await tokens.authenticateToken(token, [audience], noDecisionTrace));
  const api = 'https://kubernetes.default.svc.cluster.local';
  assert.equal(await review('s3cret', api), ann);
  assert.equal(await review('s3cret', 'vault'), 'rejected: invalid bearer token');
  assert.equal(
    await review(loopbackToken, api),
    'system:apiserver [system:authenticated system:masters]',
  );
  assert.equal(await review(loopbackToken, 'vault'), 'rejected: invalid bearer token');
});

test('token files', () => {
  const { tokens, warnings } = parseTokenFile(
    'a,ann,1\n\n,bob,2\r\n"q""t",cat,3,"g1,g2"\na,dan,4,g\n',
    'f',
  );
  assert.deepEqual(
    tokens.map((t) => [t.token, t.user.name, t.user.groups]),
    [
      ['a', 'ann', []],
      ['q"t', 'cat', ['g1', 'g2']],
      ['a', 'dan', ['g']],
    ],
  );
  assert.deepEqual(warnings, [
    "empty token has been found in token file 'f', record number '2'",
    "duplicate token has been found in token file 'f', record number '4'",
  ]);
  const rows: [text: string, message: string][] = [
    [
      'a,ann\n',
      "token file 'f' must have at least 3 columns (token, user name, user uid), found 2",
    ],
    ['a,b,"c\n', 'parse error on line 1: misplaced quote'],
    ['a,b"c,d\n', 'parse error on line 1: misplaced quote'],
  ];
  for (const [text, message] of rows)
    assert.throws(
      () => parseTokenFile(text, 'f'),
      (e) => e instanceof TokenFileError && e.message === message,
    );
});

test('keys of extra headers', () => {
  const rows: [header: string, key: string][] = [
    ['Scopes', 'scopes'],
    ['acme.com%2Fteam', 'acme.com/team'],
    ['a%zz', 'a%zz'],
    ['a%2', 'a%2'],
    ['caf%C3%A9', 'café'],
  ];
  for (const [header, key] of rows) assert.equal(percentDecodedKey(header), key);
});

test('repeated headers stay apart', () => {
  const joined = { 'impersonate-group': 'a,b, c', accept: 'x, y', 'impersonate-user': 'jane' };
  const raw = ['Impersonate-Group', 'a,b', 'Accept', 'x', 'impersonate-group', 'c', 'Accept', 'y'];
  assert.deepEqual(withMultiValues(joined, raw), { ...joined, 'impersonate-group': ['a,b', 'c'] });
  assert.equal(withMultiValues(joined, ['Accept', 'x']), joined);
});

const wrongProxy = { certificates: clientOf({ name: 'eve' }, proxyCa) };
const noCertificate = 'the client presented no certificate';
const unlisted = 'the token is none of those listed';
const noBearer = 'no-opinion bearer-token: there is no bearer token';
const noSubprotocol = 'no-opinion websocket-token: no subprotocol carries a token';
/** What every request without a certificate gets to hear first. */
const withoutCertificate = [
  `no-opinion request-header: ${noCertificate}`,
  `no-opinion x509: ${noCertificate}`,
];
const ofSecret = (problem: string, token = 'abcdef.0123456789abcdef') => [
  `no-opinion loopback-token: ${unlisted}`,
  ...withoutCertificate,
  `no-opinion token-file: ${unlisted}`,
  `no-opinion bootstrap-token: ${problem}`,
  ...(token === '' ? [] : [noSubprotocol]),
];

test('the trace has a step of every authenticator that was asked, with its reason', async () => {
  const rows: [what: string, parts: RequestParts, steps: string[]][] = [
    [
      'nothing',
      {},
      [
        noBearer,
        ...withoutCertificate,
        noBearer,
        noSubprotocol,
        'allow anonymous: the caller is system:anonymous',
      ],
    ],
    [
      'a good token',
      bearer('s3cret'),
      [
        `no-opinion loopback-token: ${unlisted}`,
        ...withoutCertificate,
        'allow token-file: the caller is ann',
      ],
    ],
    ['an unknown token', bearer('guess'), ofSecret('the token has another form')],
    [
      'an unknown bootstrap token',
      bearer('zzzzzz.0123456789abcdef'),
      ofSecret('Secret kube-system/bootstrap-token-zzzzzz does not exist'),
    ],
    [
      'a bootstrap token with a wrong secret',
      bearer('abcdef.0123456789abcdee'),
      ofSecret('Secret kube-system/bootstrap-token-abcdef has another token-secret'),
    ],
    [
      'a certificate',
      { certificates: clientOf({ name: 'jane' }) },
      [
        noBearer,
        'deny request-header (chain): x509: certificate signed by unknown authority',
        'allow x509: the caller is jane',
      ],
    ],
    [
      'another client of the proxy’s authority',
      wrongProxy,
      [
        noBearer,
        'deny request-header (allowed-names): x509: subject with cn=eve is not in the allowed list',
        'deny x509 (chain): x509: certificate signed by unknown authority',
        noBearer,
        noSubprotocol,
      ],
    ],
    [
      'the proxy, and no user',
      { certificates: clientOf({ name: 'front-proxy-client' }, proxyCa) },
      [
        noBearer,
        'no-opinion request-header: the proxy names no user',
        'deny x509 (chain): x509: certificate signed by unknown authority',
        noBearer,
        noSubprotocol,
      ],
    ],
    [
      'a subprotocol alone',
      websocket(encodedToken),
      [
        noBearer,
        ...withoutCertificate,
        noBearer,
        'deny websocket-token (form): missing additional subprotocol',
      ],
    ],
    [
      'two spaces before the token',
      { headers: { authorization: 'Bearer  s3cret' } },
      [
        'no-opinion bearer-token: there is more than one space before the token',
        ...withoutCertificate,
        'no-opinion bearer-token: there is more than one space before the token',
        noSubprotocol,
        'allow anonymous: the caller is system:anonymous',
      ],
    ],
    [
      'two Authorization headers',
      { headers: { authorization: ['Bearer s3cret', 'Bearer other'] } },
      [
        'deny bearer-token (form): several Authorization headers',
        ...withoutCertificate,
        'deny bearer-token (form): several Authorization headers',
        noSubprotocol,
      ],
    ],
  ];
  for (const [what, parts, expected] of rows) {
    const trace = createDecisionTrace();
    await authentication().authenticator.authenticate(createTestRequest(parts), trace);
    const steps = trace.steps().map(({ outcome, by, reason, detail }) => {
      const check = detail?.['check'] === undefined ? '' : ` (${String(detail['check'])})`;
      return `${outcome} ${by}${check}: ${reason.replace(/verifying .* failed: /, '')}`;
    });
    assert.deepEqual(steps, expected, what);
    const text = JSON.stringify(trace.steps());
    for (const secret of ['s3cret', '0123456789', 'guess']) assert.ok(!text.includes(secret), what);
  }
});

test('the trace says why a bootstrap token is none', async () => {
  const rows: [changes: Record<string, string>, problem: string, type?: string][] = [
    [{ expiration: '2026-01-14T00:00:00Z' }, 'has expired'],
    [{ 'usage-bootstrap-authentication': 'no' }, 'is not meant for authentication'],
    [{ 'token-id': 'abcdee' }, 'has another token-id'],
    [{ 'auth-extra-groups': 'system:masters' }, 'lists groups outside system:bootstrappers'],
    [{}, 'is not of type bootstrap.kubernetes.io/token', 'Opaque'],
  ];
  for (const [changes, problem, type] of rows) {
    const trace = createDecisionTrace();
    const bootstrapTokenSecrets = createTestObjects([bootstrapSecret(changes, type)]);
    const { authenticator } = authentication({ bootstrapTokenSecrets });
    await authenticator.authenticate(createTestRequest(bearer('abcdef.0123456789abcdef')), trace);
    const step = trace.steps().find(({ by }) => by === 'bootstrap-token');
    assert.equal(step?.reason, `Secret kube-system/bootstrap-token-abcdef ${problem}`);
    assert.ok(!JSON.stringify(trace.steps()).includes('0123456789abcdef'));
  }
});

test('anonymous requests that are refused are told why in the trace', async () => {
  const rows: [anonymous: AuthenticationOptions['anonymous'], reason: string][] = [
    [{ enabled: false }, 'anonymous requests are not allowed'],
    [
      { enabled: true, paths: ['/livez'] },
      'the path is not among those that may be asked for anonymously',
    ],
  ];
  for (const [anonymousOptions, reason] of rows) {
    const trace = createDecisionTrace();
    const { authenticator } = authentication({ anonymous: anonymousOptions });
    await authenticator.authenticate(createTestRequest({ url: '/api' }), trace);
    const last = trace.steps().at(-1);
    assert.deepEqual([last?.by, last?.outcome, last?.reason], ['anonymous', 'no-opinion', reason]);
  }
});
