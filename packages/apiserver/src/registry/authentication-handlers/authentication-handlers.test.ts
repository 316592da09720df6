import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createSeededRandom,
  fieldError,
  isStatusError,
  noDecisionTrace,
  type KubeObject,
} from '@keelson/apimachinery';
import { createAuthentication } from '../../authentication/create-authentication.ts';
import { peekToken } from '../../authentication/service-accounts/json-web-token.ts';
import { createSigningKey } from '../../authentication/service-accounts/signing-keys.ts';
import { createTokenKeys } from '../../authentication/service-accounts/token-keys.ts';
import { createKeySigner } from '../../authentication/service-accounts/token-signer.ts';
import { createServiceAccountTokenIssuer } from '../../authentication/service-accounts/token-issuer.ts';
import { createStoppedClock, createTestObjects } from '../../authentication/testing.ts';
import { createFeatures } from '../../features/create-features.ts';
import type { RequestContext } from '../../request-context.ts';
import type { CreateHandler } from '../handlers.ts';
import { createSelfSubjectReviewHandler } from './self-subject-review.ts';
import { createTokenRequestHandler, type TokenRequestDependencies } from './token-request.ts';
import { createTokenReviewHandler } from './token-review.ts';

const api = 'https://kubernetes.default.svc.cluster.local';
const clock = createStoppedClock(Date.UTC(2026, 0, 15));
const random = createSeededRandom(11);
const key = createSigningKey();
const object = (namespace: string, name: string, uid: string, spec: object = {}): KubeObject => ({
  metadata: namespace === '' ? { name, uid } : { namespace, name, uid },
  spec,
});
const cluster = () => ({
  serviceAccounts: createTestObjects([object('shop', 'bot', 'sa-1')]),
  pods: createTestObjects([
    object('shop', 'p', 'pod-1', { serviceAccountName: 'bot' }),
    object('shop', 'placed', 'pod-2', { serviceAccountName: 'bot', nodeName: 'n' }),
    object('shop', 'lost', 'pod-3', { serviceAccountName: 'bot', nodeName: 'gone' }),
    object('shop', 'other', 'pod-4', { serviceAccountName: 'default' }),
  ]),
  secrets: createTestObjects([object('shop', 's', 'secret-1')]),
  nodes: createTestObjects([object('', 'n', 'node-1')]),
});

interface Setup {
  version?: string;
  changes?: Partial<TokenRequestDependencies>;
  warnings?: string[];
  annotations?: Map<string, string>;
  objects?: ReturnType<typeof cluster>;
}
function parts({ version = '1.36', changes = {}, objects = cluster() }: Setup) {
  const features = createFeatures({ emulatedVersion: version });
  const issuer = createServiceAccountTokenIssuer({
    issuer: api,
    signer: createKeySigner(() => key),
    clock,
    random,
    features,
  });
  const dependencies: TokenRequestDependencies = {
    issuer,
    objects,
    apiAudiences: [api],
    clock,
    features,
    validate: () => [],
    ...changes,
  };
  const authentication = createAuthentication({
    clock,
    random,
    features,
    apiAudiences: [api],
    anonymous: { enabled: true },
    serviceAccounts: { issuers: [api], keys: createTokenKeys([key]), objects },
  });
  return { tokenRequests: createTokenRequestHandler(dependencies), authentication };
}
async function call(
  handler: CreateHandler,
  given: object,
  { warnings = [], annotations = new Map() }: Setup = {},
  name = 'bot',
) {
  const body: KubeObject = { metadata: {}, ...structuredClone(given) };
  handler.applyDefaults?.(body);
  const context = {
    user: { name: 'me', uid: 'u', groups: ['g'], extra: { k: ['v'] } },
    trace: noDecisionTrace,
    warn: (text: string) => warnings.push(text),
    annotate: (k: string, v: string) => annotations.set(k, v),
  };
  try {
    const answer = await handler.create(body, {
      context: context as unknown as RequestContext,
      namespace: 'shop',
      name,
      dryRun: false,
      options: undefined,
      validateAdmission: async () => {},
    });
    return answer.object;
  } catch (error) {
    assert.ok(isStatusError(error));
    return `${error.code} ${error.message}`;
  }
}
const request = (spec: object, setup: Setup = {}, metadata: object = {}) =>
  call(parts(setup).tokenRequests, { metadata, spec }, setup);
const claimsOf = (answer: KubeObject | string) => {
  assert.ok(typeof answer === 'object', String(answer));
  const { token } = answer['status'] as { token: string };
  return peekToken(token)?.payload as Record<string, unknown> & { exp: number; iat: number };
};

test('a token by default', async () => {
  const annotations = new Map<string, string>();
  const answer = await request({}, { annotations });
  assert.ok(typeof answer === 'object');
  assert.deepEqual(answer.metadata, {
    name: 'bot',
    namespace: 'shop',
    uid: 'sa-1',
    creationTimestamp: '2026-01-15T00:00:00Z',
  });
  assert.deepEqual(answer['spec'], {
    audiences: [api],
    expirationSeconds: 3600,
    boundObjectRef: null,
  });
  assert.equal(
    (answer['status'] as { expirationTimestamp: string }).expirationTimestamp,
    '2026-01-15T01:00:00Z',
  );
  const claims = claimsOf(answer);
  assert.equal(claims.exp - claims.iat, 3600);
  assert.deepEqual(claims['kubernetes.io'], {
    namespace: 'shop',
    serviceaccount: { name: 'bot', uid: 'sa-1' },
  });
  assert.equal(
    annotations.get('authentication.kubernetes.io/issued-credential-id'),
    `JTI=${String(claims['jti'])}`,
  );
});

test('what a token is bound to', async () => {
  const pod = (name: string) => ({ kind: 'Pod', apiVersion: 'v1', name });
  const rows: [ref: object, expected: object | string, version?: string][] = [
    [pod('p'), { pod: { name: 'p', uid: 'pod-1' } }],
    [pod('placed'), { pod: { name: 'placed', uid: 'pod-2' }, node: { name: 'n', uid: 'node-1' } }],
    [pod('placed'), { pod: { name: 'placed', uid: 'pod-2' } }, '1.29'],
    [pod('lost'), { pod: { name: 'lost', uid: 'pod-3' }, node: { name: 'gone' } }],
    [
      pod('other'),
      '400 cannot bind token for serviceaccount "bot" to pod running with different serviceaccount name.',
    ],
    [pod('none'), '404 pods "none" not found'],
    [
      { ...pod('p'), uid: 'x' },
      '409 Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (x) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    [{ ...pod('p'), uid: 'pod-1' }, { pod: { name: 'p', uid: 'pod-1' } }],
    [{ kind: 'Secret', apiVersion: 'v1', name: 's' }, { secret: { name: 's', uid: 'secret-1' } }],
    [{ kind: 'Secret', apiVersion: 'v1', name: 'x' }, '404 secrets "x" not found'],
    [{ kind: 'Node', apiVersion: 'v1', name: 'n' }, { node: { name: 'n', uid: 'node-1' } }],
    [{ kind: 'Node', apiVersion: 'v1', name: 'x' }, '404 nodes "x" not found'],
    [
      { kind: 'Node', apiVersion: 'v1', name: 'n' },
      '400 cannot bind token to a Node object as the "ServiceAccountTokenNodeBinding" feature-gate is disabled',
      '1.30',
    ],
    [
      { kind: 'ConfigMap', apiVersion: 'v1', name: 'x' },
      '400 cannot bind token to object of type /v1, Kind=ConfigMap',
    ],
    [
      { kind: 'Pod', apiVersion: 'apps/v1', name: 'p' },
      '400 cannot bind token to object of type apps/v1, Kind=Pod',
    ],
    [{}, '400 cannot bind token to object of type /, Kind='],
  ];
  for (const [boundObjectRef, expected, version] of rows) {
    const answer = await request({ boundObjectRef }, version === undefined ? {} : { version });
    const {
      namespace: _,
      serviceaccount: __,
      ...bound
    } = typeof answer === 'string'
      ? ({} as Record<string, unknown>)
      : (claimsOf(answer)['kubernetes.io'] as Record<string, unknown>);
    assert.deepEqual(
      typeof answer === 'string' ? answer : bound,
      expected,
      JSON.stringify(boundObjectRef),
    );
  }
});

test('how long a token lives', async () => {
  const pod = { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } };
  const year = 31_536_000;
  const rows: [
    what: string,
    spec: object,
    changes: Partial<TokenRequestDependencies>,
    seconds: number,
    shown: number,
    warns: boolean,
  ][] = [
    ['the odd hour for a pod', { ...pod, expirationSeconds: 3607 }, {}, year, 3607, true],
    ['another hour for a pod', { ...pod, expirationSeconds: 3608 }, {}, 3608, 3608, false],
    ['the odd hour without pod', { expirationSeconds: 3607 }, {}, 3607, 3607, false],
    [
      'for somebody else',
      { ...pod, expirationSeconds: 3607, audiences: [api, 'vault'] },
      {},
      3607,
      3607,
      false,
    ],
    [
      'not extended',
      { ...pod, expirationSeconds: 3607 },
      { extendExpiration: false },
      3607,
      3607,
      false,
    ],
    ['at most', { expirationSeconds: 14_400 }, { expirationSecondsMax: 7200 }, 7200, 7200, false],
    [
      'at most, odd hour',
      { ...pod, expirationSeconds: 3607 },
      { expirationSecondsMax: 7200 },
      year,
      3607,
      true,
    ],
    ['for long', { expirationSeconds: 2 ** 32 }, {}, 2 ** 32, 2 ** 32, false],
  ];
  for (const [what, spec, changes, seconds, shown, warns] of rows) {
    const answer = await request(spec, { changes });
    const claims = claimsOf(answer);
    assert.equal(claims.exp - claims.iat, seconds, what);
    const own = claims['kubernetes.io'] as { warnafter?: number };
    assert.equal(own.warnafter, warns ? claims.iat + 3607 : undefined, what);
    const { expirationTimestamp } = (answer as KubeObject)['status'] as {
      expirationTimestamp: string;
    };
    assert.equal(Date.parse(expirationTimestamp) / 1000 - claims.iat, shown, what);
  }
  const warnings: string[] = [];
  await request(
    { expirationSeconds: 14_400 },
    { changes: { expirationSecondsMax: 7200 }, warnings },
  );
  assert.deepEqual(warnings, ['requested expiration of 14400 seconds shortened to 7200 seconds']);
});

test('requests that do not fit', async () => {
  assert.equal(
    await call(parts({}).tokenRequests, {}, {}, 'none'),
    '404 serviceaccounts "none" not found',
  );
  assert.equal(
    await request({}, {}, { name: 'other' }),
    '422 TokenRequest.authentication.k8s.io "bot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
  );
  assert.equal(
    await request({}, {}, { namespace: 'other' }),
    '400 the namespace of the provided object does not match the namespace sent on the request',
  );
  const invalid = {
    validate: () => [
      fieldError.invalid(
        'spec.expirationSeconds',
        599,
        'may not specify a duration less than 10 minutes',
      ),
    ],
  };
  assert.equal(
    await request({ expirationSeconds: 599 }, { changes: invalid }),
    '422 TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
  );
  const text =
    'the UID in the token request (x) does not match the UID of the service account (sa-1)';
  assert.equal(
    await request({}, {}, { uid: 'x' }),
    `409 Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "bot": ${text}`,
  );
  const warnings: string[] = [];
  claimsOf(await request({}, { version: '1.33', warnings }, { uid: 'x' }));
  assert.deepEqual(warnings, [
    `${text} but TokenRequestServiceAccountUIDValidation is not enabled. In the future, this will return a conflict error`,
  ]);
});

test('token reviews', async () => {
  const objects = cluster();
  const setup = { objects };
  const { tokenRequests, authentication } = parts(setup);
  const reviews = createTokenReviewHandler({ tokens: authentication.tokens, apiAudiences: [api] });
  const answer = await call(
    tokenRequests,
    {
      spec: {
        audiences: ['vault', api],
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' },
      },
    },
    setup,
  );
  const { token } = (answer as KubeObject)['status'] as { token: string };
  const review = async (spec: object) => {
    const reviewed = await call(reviews, { spec });
    return typeof reviewed === 'string' ? reviewed : reviewed['status'];
  };
  const user = {
    username: 'system:serviceaccount:shop:bot',
    uid: 'sa-1',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${String(claimsOf(answer)['jti'])}`],
      'authentication.kubernetes.io/pod-name': ['p'],
      'authentication.kubernetes.io/pod-uid': ['pod-1'],
    },
  };
  assert.deepEqual(await review({ token }), { authenticated: true, user, audiences: [api] });
  assert.deepEqual(await review({ token, audiences: ['x', 'vault'] }), {
    authenticated: true,
    user,
    audiences: ['vault'],
  });
  assert.deepEqual(await review({ token, audiences: ['other'] }), {
    user: {},
    error: `[invalid bearer token, token audiences ["vault" "${api}"] is invalid for the target audiences ["other"]]`,
  });
  assert.deepEqual(await review({ token: `${token}x` }), {
    user: {},
    error: '[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]',
  });
  assert.deepEqual(await review({ token: '-dash' }), { user: {}, error: 'invalid bearer token' });
  assert.equal(await review({}), '400 token is required for TokenReview in authentication');
  objects.pods.delete('shop', 'p');
  assert.deepEqual(await review({ token }), {
    user: {},
    error: '[invalid bearer token, service account token has been invalidated]',
  });
  objects.serviceAccounts.delete('shop', 'bot');
  assert.deepEqual(await review({ token }), {
    user: {},
    error: '[invalid bearer token, serviceaccounts "bot" not found]',
  });
});

test('who am I', async () => {
  const answer = await call(createSelfSubjectReviewHandler(clock), {});
  assert.ok(typeof answer === 'object');
  assert.deepEqual(answer.metadata, { creationTimestamp: '2026-01-15T00:00:00Z' });
  assert.deepEqual(answer['status'], {
    userInfo: { username: 'me', uid: 'u', groups: ['g'], extra: { k: ['v'] } },
  });
});
