import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { createFeatures } from '../../features/create-features.ts';
import { silentLogger } from '../../logger.ts';
import { createMetrics } from '../../metrics.ts';
import { parseAuthorizationConfiguration } from './parse-configuration.ts';
import { startReload } from './reload.ts';
import { sha256Label } from '../../authentication/jwt/jwt-metrics.ts';
import { serverIdHash } from '../../authentication/server-id.ts';

const checkFile = (path: string) =>
  path === '/folder'
    ? 'must be a regular file'
    : path === '/gone'
      ? 'error loading file: stat /gone: no such file or directory'
      : undefined;

interface Asked {
  readonly release?: string;
  readonly apiVersion?: string;
  readonly required?: readonly ('Node' | 'RBAC' | 'Webhook')[];
}

function parse(authorizers: unknown, { release = '1.36', apiVersion, required }: Asked = {}) {
  const document = {
    apiVersion: apiVersion ?? 'apiserver.config.k8s.io/v1',
    kind: 'AuthorizationConfiguration',
    ...(authorizers === undefined ? {} : { authorizers }),
  };
  return parseAuthorizationConfiguration(JSON.stringify(document), {
    features: createFeatures({ emulatedVersion: release }),
    checkFile,
    requiredTypes: new Set(required),
  });
}

const webhook = (changes: object = {}) => ({
  timeout: '3s',
  subjectAccessReviewVersion: 'v1',
  failurePolicy: 'NoOpinion',
  connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/hook' },
  ...changes,
});
const entry = (changes: object = {}, name = 'hook') => ({
  type: 'Webhook',
  name,
  webhook: webhook(changes),
});
const conditions = (...expressions: string[]) => ({
  matchConditionSubjectAccessReviewVersion: 'v1',
  matchConditions: expressions.map((expression) => ({ expression })),
});
const rbac = { type: 'RBAC', name: 'rbac' };

test('what a configuration says', () => {
  const { authorizers } = parse([
    { type: 'Node', name: 'node' },
    entry(),
    entry({ authorizedTTL: '1m', unauthorizedTTL: '0s', ...conditions('true') }, 'second.hook'),
    entry({ cacheAuthorizedRequests: false, cacheUnauthorizedRequests: false }, 'third'),
    rbac,
  ]);
  const shown = authorizers.map((a) =>
    a.type === 'Webhook'
      ? [a.name, a.webhook.authorizedTtlMs, a.webhook.unauthorizedTtlMs, a.webhook.timeoutMs]
      : a.name,
  );
  assert.deepEqual(shown, [
    'node',
    ['hook', 300_000, 30_000, 3000],
    ['second.hook', 60_000, 30_000, 3000],
    ['third', 0, 0, 3000],
    'rbac',
  ]);
});

test('auth §11.2, §11.7 (6)–(8), (12b): what is refused, and in which words', () => {
  const many = Array.from({ length: 65 }, (_, i) => `request.user == "${i}"`);
  const rows: [authorizers: unknown, message: string | RegExp][] = [
    [undefined, 'authorizers: Required value: at least one authorization mode must be defined'],
    [[], 'authorizers: Required value: at least one authorization mode must be defined'],
    [[{ name: 'x' }], 'authorizers[0].type: Required value'],
    [
      [{ type: 'Magic', name: 'x' }],
      'authorizers[0].type: Unsupported value: "Magic": supported values: "ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"',
    ],
    [[rbac, { type: 'RBAC', name: 'more' }], 'authorizers[1].type: Duplicate value: "RBAC"'],
    [[{ type: 'RBAC' }], 'authorizers[0].name: Required value'],
    [[entry(), entry()], 'authorizers[1].name: Duplicate value: "hook"'],
    [
      [entry({}, 'Hook')],
      /^authorizers\[0\]\.name: Invalid value: "Hook": authorizer name is invalid: a lowercase RFC 1123 subdomain/,
    ],
    [
      [{ ...rbac, webhook: {} }],
      'authorizers[0].webhook: Invalid value: "non-null": may only be specified when type=Webhook',
    ],
    [
      [{ type: 'Webhook', name: 'x' }],
      'authorizers[0].webhook: Required value: required when type=Webhook',
    ],
    [[entry({ timeout: undefined })], 'authorizers[0].timeout: Required value'],
    [
      [entry({ timeout: '31s' })],
      'authorizers[0].timeout: Invalid value: "31s": must be > 0s and <= 30s',
    ],
    [
      [entry({ timeout: '-1s' })],
      'authorizers[0].timeout: Invalid value: "-1s": must be > 0s and <= 30s',
    ],
    [
      [entry({ authorizedTTL: '-1m' })],
      'authorizers[0].authorizedTTL: Invalid value: "-1m0s": must be > 0s',
    ],
    [
      [entry({ unauthorizedTTL: '-1ns' })],
      'authorizers[0].unauthorizedTTL: Invalid value: "-1ns": must be > 0s',
    ],
    [
      [entry({ subjectAccessReviewVersion: undefined })],
      'authorizers[0].subjectAccessReviewVersion: Required value',
    ],
    [
      [entry({ subjectAccessReviewVersion: 'v2' })],
      'authorizers[0].subjectAccessReviewVersion: Unsupported value: "v2": supported values: "v1", "v1beta1"',
    ],
    [
      [entry({ matchConditions: [{ expression: 'true' }] })],
      'authorizers[0].matchConditionSubjectAccessReviewVersion: Required value: required if match conditions are specified',
    ],
    [
      [entry({ matchConditionSubjectAccessReviewVersion: 'v1beta1' })],
      'authorizers[0].matchConditionSubjectAccessReviewVersion: Unsupported value: "v1beta1": supported values: "v1"',
    ],
    [[entry({ failurePolicy: undefined })], 'authorizers[0].failurePolicy: Required value'],
    [
      [entry({ failurePolicy: 'Allow' })],
      'authorizers[0].failurePolicy: Unsupported value: "Allow": supported values: "NoOpinion", "Deny"',
    ],
    [[entry({ connectionInfo: undefined })], 'authorizers[0].connectionInfo.type: Required value'],
    [
      [entry({ connectionInfo: { type: 'InClusterConfig' } })],
      'authorizers[0].connectionInfo.type: Unsupported value: "InClusterConfig": supported values: "KubeConfigFile"',
    ],
    [
      [entry({ connectionInfo: { type: 'InClusterConfig', kubeConfigFile: '/x' } })],
      '[authorizers[0].connectionInfo.kubeConfigFile: Invalid value: "/x": can only be set when type=KubeConfigFile, authorizers[0].connectionInfo.type: Unsupported value: "InClusterConfig": supported values: "KubeConfigFile"]',
    ],
    [
      [entry({ connectionInfo: { type: 'KubeConfigFile' } })],
      'authorizers[0].connectionInfo.kubeConfigFile: Required value',
    ],
    [
      [entry({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: 'hook' } })],
      'authorizers[0].connectionInfo.kubeConfigFile: Invalid value: "hook": must be an absolute path',
    ],
    [
      [entry({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/gone' } })],
      'authorizers[0].connectionInfo.kubeConfigFile: Invalid value: "/gone": error loading file: stat /gone: no such file or directory',
    ],
    [
      [entry({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/folder' } })],
      'authorizers[0].connectionInfo.kubeConfigFile: Invalid value: "/folder": must be a regular file',
    ],
    [
      [entry(conditions(...many))],
      'authorizers[0].matchConditions: Too many: 65: must have at most 64 items',
    ],
    [
      [entry(conditions('true', ' '))],
      'authorizers[0].matchConditions[1].expression: Required value',
    ],
    [
      [entry(conditions('true', 'true'))],
      'authorizers[0].matchConditions[1].expression: Duplicate value: "true"',
    ],
    [
      [entry(conditions('request.user'))],
      'authorizers[0].matchConditions[0].expression: Invalid value: "request.user": must evaluate to bool but got string',
    ],
    [
      [entry(conditions('request.nobody == ""'))],
      'authorizers[0].matchConditions[0].expression: Invalid value: "request.nobody == \\"\\"": compilation failed: ERROR: <input>:1:8: undefined field \'nobody\'\n | request.nobody == ""\n | .......^',
    ],
    [
      [entry(conditions('authorizer.path("/").check("get").allowed()'))],
      /authorizers\[0\]\.matchConditions\[0\]\.expression: .*undeclared reference to 'authorizer'/s,
    ],
    [
      [{ type: 'RBAC', name: 'my-rbac' }],
      'expected name rbac for authorizer RBAC instead of my-rbac',
    ],
    [[{ ...rbac, color: 1 }], 'strict decoding error: unknown field "authorizers[0].color"'],
    [
      [entry({ connectionInfo: { kind: 1 } })],
      'strict decoding error: unknown field "authorizers[0].webhook.connectionInfo.kind"',
    ],
  ];
  for (const [authorizers, message] of rows) assert.throws(() => parse(authorizers), { message });
});

test('what belongs to a release', () => {
  const versions = (release: string) =>
    ['v1alpha1', 'v1beta1', 'v1', 'v2'].filter((version) => {
      try {
        parse([rbac], { release, apiVersion: `apiserver.config.k8s.io/${version}` });
        return true;
      } catch {
        return false;
      }
    });
  assert.deepEqual(versions('1.28'), []);
  assert.deepEqual(versions('1.29'), ['v1alpha1']);
  assert.deepEqual(versions('1.31'), ['v1alpha1', 'v1beta1']);
  assert.deepEqual(versions('1.32'), ['v1alpha1', 'v1beta1', 'v1']);
  const switched = [entry({ cacheAuthorizedRequests: true })];
  assert.throws(
    () => parse(switched, { release: '1.33' }),
    /unknown field.*cacheAuthorizedRequests/,
  );
  assert.ok(parse(switched, { release: '1.34' }));
  const selectors = [entry(conditions('has(request.resourceAttributes.labelSelector)'))];
  assert.throws(
    () => parse(selectors, { release: '1.30', apiVersion: 'apiserver.config.k8s.io/v1beta1' }),
    /undefined field 'labelSelector'/,
  );
  assert.ok(parse(selectors, { release: '1.32' }));
});

test('files that are none', () => {
  const options = { features: createFeatures(), checkFile };
  const rows: [text: string, message: RegExp][] = [
    ['', /Object 'Kind' is missing/],
    ['a: [', /yaml/],
    ['kind: AuthorizationConfiguration', /Object 'apiVersion' is missing/],
    [
      'kind: Other\napiVersion: apiserver.config.k8s.io/v1',
      /no kind "Other" is registered for version "apiserver.config.k8s.io\/v1"/,
    ],
    [
      'kind: AuthorizationConfiguration\napiVersion: apiserver.config.k8s.io/v1\nauthorizers: []\nauthorizers: [{type: AlwaysAllow, name: alwaysallow}]',
      /already set in map/,
    ],
    [
      'kind: AuthorizationConfiguration\napiVersion: apiserver.config.k8s.io/v1\nauthorizers: {}',
      /cannot unmarshal/,
    ],
  ];
  for (const [text, message] of rows)
    assert.throws(() => parseAuthorizationConfiguration(text, options), { message });
});

test('auth §11.7 (12a): what the server started with stays', () => {
  const required = ['Node', 'RBAC', 'Webhook'] as const;
  assert.throws(() => parse([entry()], { required }), {
    message: 'missing required types: [Node RBAC]',
  });
  assert.throws(() => parse([{ type: 'RBAC', name: 'x' }], { required }), {
    message:
      '[expected name rbac for authorizer RBAC instead of x, missing required types: [Node]]',
  });
  assert.ok(parse([rbac, { type: 'Node', name: 'node' }], { required }));
});

test('auth §11.5: the file is followed, and the last good one kept', async () => {
  const clock = createSimulatedClock(1_000_000);
  const metrics = createMetrics();
  const stop = new AbortController();
  const applied: string[] = [];
  let text: string | undefined = 'one';
  let changed = () => {};
  startReload({
    read: () => {
      if (text === undefined) throw new Error('gone');
      return text;
    },
    current: 'one',
    apply: (next) => {
      if (next.startsWith('bad')) throw new Error('bad');
      applied.push(next);
    },
    watch: (onChange) => {
      changed = onChange;
      return () => applied.push('unwatched');
    },
    hostName: 'host',
    clock,
    metrics,
    logger: silentLogger,
    signal: stop.signal,
  });
  const prefix = 'apiserver_authorization_config_controller_';
  const id = `apiserver_id_hash="${serverIdHash('host')}"`;
  const reloads = (status: string) => {
    const lines = metrics.render().split('\n');
    const line = lines.find(
      (l) =>
        l.startsWith(`${prefix}automatic_reloads_total{`) &&
        l.includes(`status="${status}"`) &&
        l.includes(id),
    );
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  const minute = () => clock.advance(60_000);
  await minute();
  assert.deepEqual([applied, reloads('success'), reloads('failure')], [[], 0, 0], 'unchanged');
  text = 'two';
  await minute();
  assert.deepEqual([applied, reloads('success')], [['two'], 1]);
  text = 'bad';
  await minute();
  await minute();
  assert.deepEqual([applied, reloads('failure')], [['two'], 1], 'a bad text counts once');
  assert.ok(metrics.render().includes(`hash="${sha256Label('two')}"`), 'the one in force');
  text = undefined;
  await minute();
  await minute();
  assert.equal(reloads('failure'), 3, 'what cannot be read counts every time');
  text = 'three';
  changed();
  assert.deepEqual(applied, ['two', 'three'], 'at once when told');
  stop.abort();
  text = 'four';
  await minute();
  assert.deepEqual(applied, ['two', 'three', 'unwatched']);
});
