// Every rule of spec/auth §3.3 with its path and text, strict decoding, and what each release
// reads.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, encodeJsonText, type JsonValue } from '@keelson/apimachinery';
import { createFeatures } from '../../features/create-features.ts';
import { createCertificateAuthority } from '../certificates/certificate-authority.ts';
import { createStoppedClock } from '../testing.ts';
import { AuthenticationConfigurationError } from './authentication-configuration.ts';
import { decodeAuthenticationConfiguration } from './decode-configuration.ts';
import { createExpressionCompiler } from './expressions.ts';
import { compileConfiguration } from './validate-configuration.ts';

const features = createFeatures();
const compiler = createExpressionCompiler(features);
const serviceAccountIssuer = 'https://kubernetes.default.svc';
const authority = createCertificateAuthority(
  { clock: createStoppedClock(Date.UTC(2026, 0, 15)), random: createSeededRandom(1) },
  { commonName: 'idp' },
);

const bytes = (text: string) => Buffer.from(text);
type Tree = { [key: string]: JsonValue };
const issuer = { url: 'https://idp.test', audiences: ['a'] };
const mappings = { username: { claim: 'sub', prefix: 'p:' } };
const entry = (changes: Tree = {}): Tree => ({ issuer, claimMappings: mappings, ...changes });
const withIssuer = (changes: Tree) => entry({ issuer: { ...issuer, ...changes } });
const withMappings = (changes: Tree) => entry({ claimMappings: { ...mappings, ...changes } });
const file = (jwt: readonly Tree[], more: Tree = {}, version = 'v1') =>
  encodeJsonText({
    apiVersion: `apiserver.config.k8s.io/${version}`,
    kind: 'AuthenticationConfiguration',
    jwt: [...jwt],
    ...more,
  });

/** What is wrong with a file; empty when it can be used. */
function problem(text: string, emulatedVersion?: string, gates: Record<string, boolean> = {}) {
  const emulated = createFeatures({
    featureGates: gates,
    ...(emulatedVersion === undefined ? {} : { emulatedVersion }),
  });
  try {
    compileConfiguration(decodeAuthenticationConfiguration(bytes(text), emulated), {
      compiler,
      features: emulated,
      disallowedIssuers: [serviceAccountIssuer, 'https://a.test'],
    });
    return '';
  } catch (error) {
    assert.ok(error instanceof AuthenticationConfigurationError, String(error));
    return error.message;
  }
}

test('auth §3.2: the file is decoded strictly', () => {
  const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n';
  const rows: [what: string, text: string, expected: RegExp][] = [
    ['nothing', '', /^empty config data$/],
    ['no kind', 'jwt: []', /^Object 'Kind' is missing in '\{"jwt":\[\]\}'$/],
    ['no version', 'kind: AuthenticationConfiguration', /^Object 'apiVersion' is missing in/],
    [
      'another kind',
      'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration',
      /^expected AuthenticationConfiguration, got \*apiserver\.EncryptionConfiguration$/,
    ],
    [
      'an unknown kind',
      'apiVersion: v1\nkind: Pod',
      /^no kind "Pod" is registered for version "v1"$/,
    ],
    ['an unknown field', `${head}jwts: []`, /^strict decoding error: unknown field "jwts"$/],
    [
      'an unknown field below',
      file([withIssuer({ urls: 'x' })]),
      /^strict decoding error: unknown field "jwt\[0\]\.issuer\.urls"$/,
    ],
    ['another case', `${head}JWT: []`, /^strict decoding error: unknown field "JWT"$/],
    [
      'twice',
      `${head}jwt: []\njwt: []`,
      /^strict decoding error: yaml: unmarshal errors:\n {2}line 4: key "jwt" already set in map$/,
    ],
    [
      'twice in JSON',
      `${file([]).slice(0, -1)},"jwt":[]}`,
      /^strict decoding error: duplicate field "jwt"$/,
    ],
    ['a wrong type', `${head}jwt: 1`, /^json: cannot unmarshal number into Go struct field/],
    ['bad YAML', `${head}jwt: [`, /./],
    ['no authenticators', head, /^$/],
  ];
  for (const [what, text, expected] of rows) assert.match(problem(text), expected, what);
});

test('auth §0: which release reads which version and field', () => {
  const rows: [release: string, version: string, more: Tree, expected: RegExp][] = [
    ['1.29', 'v1alpha1', {}, /^$/],
    ['1.29', 'v1beta1', {}, /^no kind/],
    ['1.30', 'v1beta1', {}, /^$/],
    ['1.33', 'v1', {}, /^no kind/],
    ['1.34', 'v1', {}, /^$/],
    ['1.36', 'v1alpha1', {}, /^$/],
    ['1.30', 'v1beta1', { anonymous: { enabled: true } }, /unknown field "anonymous"/],
    [
      '1.31',
      'v1beta1',
      { anonymous: { enabled: true } },
      /^anonymous: Forbidden: anonymous is not supported when AnonymousAuthConfigurableEndpoints feature gate is disabled$/,
    ],
    ['1.32', 'v1beta1', { anonymous: { enabled: true } }, /^$/],
    [
      '1.33',
      'v1beta1',
      { jwt: [withIssuer({ egressSelectorType: 'cluster' })] },
      /unknown field "jwt\[0\]\.issuer\.egressSelectorType"/,
    ],
    ['1.34', 'v1beta1', { jwt: [withIssuer({ egressSelectorType: 'cluster' })] }, /^$/],
  ];
  for (const [release, version, more, expected] of rows)
    assert.match(
      problem(file([entry()], more, version), release),
      expected,
      `${release} ${version}`,
    );
  const on = { AnonymousAuthConfigurableEndpoints: true };
  assert.equal(problem(file([], { anonymous: { enabled: true } }, 'v1beta1'), '1.31', on), '');
});

const email =
  'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression';
const byExpression = (expression: string, more: Tree = {}) =>
  entry({ claimMappings: { username: { expression }, ...more } });
const emailProblem = (expression: string) =>
  `jwt[0].claimMappings.username.expression: Invalid value: ${JSON.stringify(expression)}: ${email}`;

const ruleRows: [what: string, jwt: Tree | Tree[], expected: string][] = [
  ['all well', entry(), ''],
  ['no URL', withIssuer({ url: '' }), 'jwt[0].issuer.url: Required value: URL is required'],
  [
    'http',
    withIssuer({ url: 'http://x.test' }),
    'jwt[0].issuer.url: Invalid value: "http://x.test": URL scheme must be https',
  ],
  [
    'a user in the URL',
    withIssuer({ url: 'https://u:p@x.test' }),
    'jwt[0].issuer.url: Invalid value: "https://u:p@x.test": URL must not contain a username or password',
  ],
  [
    'a query',
    withIssuer({ url: 'https://x.test?a' }),
    'jwt[0].issuer.url: Invalid value: "https://x.test?a": URL must not contain a query',
  ],
  [
    'a fragment',
    withIssuer({ url: 'https://x.test#a' }),
    'jwt[0].issuer.url: Invalid value: "https://x.test#a": URL must not contain a fragment',
  ],
  [
    'no URL at all',
    withIssuer({ url: 'https://x.test/%zz' }),
    'jwt[0].issuer.url: Invalid value: "https://x.test/%zz": parse "https://x.test/%zz": invalid URL escape "%zz"',
  ],
  [
    'the discovery URL is the URL',
    withIssuer({ discoveryURL: 'https://idp.test//' }),
    'jwt[0].issuer.discoveryURL: Invalid value: "https://idp.test//": discoveryURL must be different from URL',
  ],
  [
    'a discovery URL over http',
    withIssuer({ discoveryURL: 'http://d.test' }),
    'jwt[0].issuer.discoveryURL: Invalid value: "http://d.test": URL scheme must be https',
  ],
  [
    'a discovery URL of a service account issuer',
    withIssuer({ discoveryURL: serviceAccountIssuer }),
    '',
  ],
  [
    'the same discovery URL',
    [
      withIssuer({ discoveryURL: 'https://d.test' }),
      withIssuer({ url: 'https://b.test', discoveryURL: 'https://d.test' }),
    ],
    'jwt[1].issuer.discoveryURL: Duplicate value: "https://d.test"',
  ],
  [
    'no audience',
    withIssuer({ audiences: [] }),
    'jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required',
  ],
  [
    'an empty audience',
    withIssuer({ audiences: [''] }),
    "jwt[0].issuer.audiences[0]: Required value: audience can't be empty",
  ],
  [
    'an audience twice',
    withIssuer({ audiences: ['a', 'a'], audienceMatchPolicy: 'MatchAny' }),
    'jwt[0].issuer.audiences[1]: Duplicate value: "a"',
  ],
  [
    'another policy',
    withIssuer({ audienceMatchPolicy: 'MatchAll' }),
    'jwt[0].issuer.audienceMatchPolicy: Invalid value: "MatchAll": audienceMatchPolicy must be empty or MatchAny for single audience',
  ],
  [
    'an authority that is none',
    withIssuer({ certificateAuthority: 'secret' }),
    'jwt[0].issuer.certificateAuthority: Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates',
  ],
  ['an authority', withIssuer({ certificateAuthority: authority.certificatePem }), ''],
  [
    'an egress selector',
    withIssuer({ egressSelectorType: 'etcd' }),
    'jwt[0].issuer.egressSelectorType: Invalid value: "etcd": egress selector must be either controlplane or cluster',
  ],
  [
    'a rule of both kinds',
    entry({ claimValidationRules: [{ claim: 'c', expression: 'true' }] }),
    'jwt[0].claimValidationRules[0]: Invalid value: "c": claim and expression can\'t both be set',
  ],
  [
    'a rule of neither',
    entry({ claimValidationRules: [{}] }),
    'jwt[0].claimValidationRules[0]: Required value: claim or expression is required',
  ],
  [
    'a message for a claim',
    entry({ claimValidationRules: [{ claim: 'c', message: 'm' }] }),
    'jwt[0].claimValidationRules[0].message: Invalid value: "m": may not be specified when claim is set',
  ],
  [
    'a value for an expression',
    entry({ claimValidationRules: [{ expression: 'true', requiredValue: 'v' }] }),
    'jwt[0].claimValidationRules[0].requiredValue: Invalid value: "v": may not be specified when expression is set',
  ],
  [
    'a claim twice',
    entry({ claimValidationRules: [{ claim: 'c' }, { claim: 'c' }] }),
    'jwt[0].claimValidationRules[1].claim: Duplicate value: "c"',
  ],
  [
    'an expression twice',
    entry({ claimValidationRules: [{ expression: 'true' }, { expression: 'true' }] }),
    'jwt[0].claimValidationRules[1].expression: Duplicate value: "true"',
  ],
  [
    'a rule that is no condition',
    entry({ claimValidationRules: [{ expression: 'claims.a' }] }),
    'jwt[0].claimValidationRules[0].expression: Invalid value: "claims.a": must evaluate to bool',
  ],
  [
    'a rule about the user',
    entry({ claimValidationRules: [{ expression: 'user.username == "a"' }] }),
    'jwt[0].claimValidationRules[0].expression: Invalid value: "user.username == \\"a\\"": compilation failed: ERROR: <input>:1:1: undeclared reference to \'user\' (in container \'\')\n | user.username == "a"\n | ^',
  ],
  [
    'no user name',
    entry({ claimMappings: {} }),
    'jwt[0].claimMappings.username: Required value: claim or expression is required',
  ],
  [
    'a user name twice',
    entry({ claimMappings: { username: { claim: 'a', expression: 'b', prefix: '' } } }),
    'jwt[0].claimMappings.username: Invalid value: "": claim and expression can\'t both be set',
  ],
  [
    'a prefix for an expression',
    byExpression('claims.sub', { groups: { expression: 'claims.g', prefix: 'p' } }),
    'jwt[0].claimMappings.groups.prefix: Invalid value: "p": may not be specified when expression is set',
  ],
  [
    'groups without prefix',
    withMappings({ groups: { claim: 'g' } }),
    'jwt[0].claimMappings.groups.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing',
  ],
  [
    'a uid of both kinds',
    withMappings({ uid: { claim: 'c', expression: 'claims.c' } }),
    'jwt[0].claimMappings.uid: Invalid value: "": claim and expression can\'t both be set',
  ],
  ['a uid', withMappings({ uid: { expression: 'claims.c' } }), ''],
  [
    'a uid that does not compile',
    withMappings({ uid: { expression: 'claims.' } }),
    'jwt[0].claimMappings.uid.expression: Invalid value: "claims.": compilation failed: ERROR: <input>:1:8: Syntax error: no viable alternative at input \'.\'\n | claims.\n | .......^',
  ],
  [
    'an extra key without domain',
    withMappings({ extra: [{ key: 'foo', valueExpression: 'claims.a' }] }),
    'jwt[0].claimMappings.extra[0].key: Invalid value: "foo": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    'no extra key',
    withMappings({ extra: [{ key: '', valueExpression: 'claims.a' }] }),
    'jwt[0].claimMappings.extra[0].key: Required value',
  ],
  [
    'an extra key twice',
    withMappings({
      extra: [
        { key: 'a.io/b', valueExpression: 'claims.a' },
        { key: 'a.io/b', valueExpression: 'claims.a' },
      ],
    }),
    'jwt[0].claimMappings.extra[1].key: Duplicate value: "a.io/b"',
  ],
  [
    'an extra value without expression',
    withMappings({ extra: [{ key: 'a.io/b' }] }),
    'jwt[0].claimMappings.extra[0].valueExpression: Required value: valueExpression is required',
  ],
  [
    'a user rule without expression',
    entry({ userValidationRules: [{ message: 'm' }] }),
    'jwt[0].userValidationRules[0].expression: Required value: expression is required',
  ],
  [
    'a user rule twice',
    entry({ userValidationRules: [{ expression: 'true' }, { expression: 'true' }] }),
    'jwt[0].userValidationRules[1].expression: Duplicate value: "true"',
  ],
  [
    'a user rule that is no condition',
    entry({ userValidationRules: [{ expression: 'user.username' }] }),
    'jwt[0].userValidationRules[0].expression: Invalid value: "user.username": must evaluate to bool',
  ],
  [
    'a field that users have not',
    entry({ userValidationRules: [{ expression: 'user.name == ""' }] }),
    'jwt[0].userValidationRules[0].expression: Invalid value: "user.name == \\"\\"": compilation failed: ERROR: <input>:1:5: undefined field \'name\'\n | user.name == ""\n | ....^',
  ],
  [
    'all problems at once',
    entry({ issuer: { url: 'http://x.test' }, claimMappings: {} }),
    '[jwt[0].issuer.url: Invalid value: "http://x.test": URL scheme must be https, jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required, jwt[0].claimMappings.username: Required value: claim or expression is required]',
  ],
];

test('auth §3.3: every rule with its path and text', () => {
  for (const [what, jwt, expected] of ruleRows)
    assert.equal(problem(file(Array.isArray(jwt) ? jwt : [jwt])), expected, what);
});

test('auth §3.9 (2): an issuer twice', () => {
  assert.equal(
    problem(file([entry(), entry()])),
    'jwt[1].issuer.url: Duplicate value: "https://idp.test"',
  );
});

test('auth §3.9 (3): several audiences need a policy', () => {
  const audiences = ['a', 'b'];
  assert.equal(
    problem(file([withIssuer({ audiences })])),
    'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
  );
  assert.equal(problem(file([withIssuer({ audiences, audienceMatchPolicy: 'MatchAny' })])), '');
});

test('auth §3.9 (4): a user name from a claim needs a prefix, which may be empty', () => {
  const username = (more: Tree) =>
    entry({ claimMappings: { username: { claim: 'sub', ...more } } });
  assert.equal(
    problem(file([username({})])),
    'jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing',
  );
  assert.equal(problem(file([username({ prefix: '' })])), '');
});

test('auth §3.9 (5): claims.email only together with claims.email_verified', () => {
  const rows: [expression: string, more: Tree, isRefused: boolean][] = [
    ['claims.email', {}, true],
    ['claims.?email.orValue("x")', {}, true],
    ['[claims.email][0]', {}, true],
    ['{"a": claims.email}["a"]', {}, true],
    ['["a"].filter(x, x == claims.email)[0]', {}, true],
    ['has(claims.email) ? "a" : "b"', {}, true],
    ['claims["email"]', {}, false],
    ['claims.sub', {}, false],
    ['claims.foo.email', {}, false],
    ['claims.email_verified ? claims.email : claims.sub', {}, false],
    [
      'claims.email',
      {
        claimValidationRules: [{ expression: 'claims.?email_verified.orValue(true) == true' }],
      },
      false,
    ],
    ['claims.email', { claimValidationRules: [{ expression: 'claims.sub == "a"' }] }, true],
  ];
  for (const [expression, more, isRefused] of rows)
    assert.equal(
      problem(file([{ ...byExpression(expression), ...more }])),
      isRefused ? emailProblem(expression) : '',
      expression,
    );
  const extra = [{ key: 'a.io/v', valueExpression: 'string(claims.email_verified)' }];
  assert.equal(problem(file([byExpression('claims.email', { extra })])), '');
});

test('auth §3.9 (6): reserved and upper-case extra keys', () => {
  const keyed = (key: string) =>
    problem(file([withMappings({ extra: [{ key, valueExpression: 'claims.a' }] })]));
  const reserved = (key: string) =>
    `jwt[0].claimMappings.extra[0].key: Invalid value: "${key}": k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use`;
  for (const key of ['kubernetes.io/foo', 'k8s.io/foo', 'a.kubernetes.io/foo', 'b.k8s.io/foo'])
    assert.equal(keyed(key), reserved(key));
  assert.match(keyed('Foo.io/x'), /Invalid value: "Foo\.io\/x": must be lowercase/);
  assert.equal(
    keyed('foo.io/X'),
    'jwt[0].claimMappings.extra[0].key: Invalid value: "foo.io/X": must be lowercase',
  );
  for (const key of ['notk8s.io/foo', 'k8s.io.evil.test/x', 'acme.io/a/b'])
    assert.equal(keyed(key), '', key);
});

test('auth §3.9 (12): an issuer of service account tokens is refused', () => {
  assert.equal(
    problem(file([withIssuer({ url: serviceAccountIssuer })])),
    'jwt[0].issuer.url: Invalid value: "https://kubernetes.default.svc": URL must not overlap with disallowed issuers: [https://a.test https://kubernetes.default.svc]',
  );
});

test('auth §3.9 (13): at most 64 authenticators', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => withIssuer({ url: `https://idp-${i}.test` }));
  assert.equal(problem(file(many(64))), '');
  assert.equal(problem(file(many(65))), 'jwt: Too many: 65: must have at most 64 items');
});

test('auth §2.9 (4): conditions of anonymous requests that are off', () => {
  const anonymous = { enabled: false, conditions: [{ path: '/livez' }] };
  assert.equal(
    problem(file([], { anonymous })),
    'anonymous.conditions: Invalid value: [{"Path":"/livez"}]: enabled should be set to true when conditions are defined',
  );
});
