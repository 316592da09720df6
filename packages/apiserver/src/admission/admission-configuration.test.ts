import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFeatures } from '../features/create-features.ts';
import { parseAdmissionConfiguration } from './admission-configuration.ts';
import {
  parseEventRateLimits,
  parseExtensionConfiguration,
  parseImagePolicy,
  parseLimitedResources,
  parsePodNodeSelectors,
  parsePodTolerationRestriction,
} from './plugin-configurations.ts';

const features = createFeatures();
const file = (plugins: unknown) => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins,
});
const parse = (document: unknown) =>
  parseAdmissionConfiguration(
    document,
    (path) => {
      if (path === 'missing.yaml') throw new Error('no such file');
      return { from: path };
    },
    features,
  );

test('configurations stand inline or in files, the first of a name counts', () => {
  const configurations = parse(
    file([
      { name: 'PodSecurity', configuration: { a: 1 }, path: 'unused.yaml' },
      { name: 'ResourceQuota', path: 'quota.yaml' },
      { name: 'ResourceQuota', path: 'second.yaml' },
      { name: 'Priority' },
    ]),
  );
  assert.deepEqual(
    [...configurations],
    [
      ['PodSecurity', { a: 1 }],
      ['ResourceQuota', { from: 'quota.yaml' }],
    ],
  );
  assert.deepEqual([...parse(file(null))], []);
});

test('two plugins had files of their own kind', () => {
  const old = { podNodeSelectorPluginConfig: { clusterDefaultNodeSelector: 'a=b' } };
  assert.deepEqual([...parse(old)], [['PodNodeSelector', old]]);
});

test('what is no configuration is refused', () => {
  const rows: [document: unknown, message: RegExp][] = [
    [{ apiVersion: 'apiserver.config.k8s.io/v1' }, /^Object 'Kind' is missing in '\{/],
    [{ kind: 'AdmissionConfiguration' }, /^Object 'apiVersion' is missing in/],
    [{ kind: 'Pod', apiVersion: 'v1' }, /^no kind "Pod" is registered for version "v1"$/],
    [[], /^the configuration must be an object$/],
    [file([{ name: 'Nope' }]), /^plugins\[0\]\.name: admission plugin "Nope" is unknown$/],
    [file([{ path: 'x' }]), /admission plugin "" is unknown$/],
    [file('x'), /^plugins must be a list$/],
    [
      file([{ name: 'PodSecurity', path: 'missing.yaml' }]),
      /^Couldn't open admission plugin configuration missing\.yaml: no such file$/,
    ],
  ];
  for (const [document, message] of rows)
    assert.throws(() => parse(document), { name: 'AdmissionConfigurationError', message });
});

const eventLimits = (limits: unknown) => ({
  kind: 'Configuration',
  apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1',
  limits,
});

test('configurations of single plugins are read', () => {
  assert.deepEqual(parseEventRateLimits(eventLimits([{ type: 'User', qps: 1, burst: 2 }])), {
    limits: [{ type: 'User', qps: 1, burst: 2, cacheSize: 0 }],
  });
  assert.deepEqual(
    parseLimitedResources({
      kind: 'ResourceQuotaConfiguration',
      apiVersion: 'apiserver.config.k8s.io/v1',
      limitedResources: [{ resource: 'pods', matchContains: ['cpu'] }],
    }),
    [{ apiGroup: '', resource: 'pods', matchContains: ['cpu'], matchScopes: [] }],
  );
  assert.deepEqual(parseLimitedResources(undefined), []);
  assert.deepEqual(parsePodNodeSelectors({ podNodeSelectorPluginConfig: { shop: 'a=b' } }), {
    shop: 'a=b',
  });
  assert.deepEqual(parsePodNodeSelectors(undefined), {});
  assert.deepEqual(
    parsePodTolerationRestriction({
      kind: 'Configuration',
      apiVersion: 'podtolerationrestriction.admission.k8s.io/v1alpha1',
      default: [{ key: 'a', operator: 'Exists', tolerationSeconds: 5 }],
    }),
    { default: [{ key: 'a', operator: 'Exists', tolerationSeconds: 5 }], whitelist: [] },
  );
});

test('configurations of single plugins that are wrong are refused', () => {
  const rows: [read: () => unknown, message: string][] = [
    [() => parseEventRateLimits(undefined), 'limits: Invalid value: []: must not be empty'],
    [
      () => parseEventRateLimits(eventLimits([{ type: 'Pod', qps: 0, burst: 1 }])),
      '[limits[0].type: Unsupported value: "Pod": supported values: "Namespace", "Server", ' +
        '"SourceAndObject", "User", limits[0].qps: Invalid value: 0: must be positive]',
    ],
    [
      () => parseEventRateLimits(eventLimits([{ type: 'User', qps: 1, burst: 1, cacheSize: -1 }])),
      'limits[0].cacheSize: Invalid value: -1: must not be negative',
    ],
    [
      () => parseEventRateLimits(eventLimits([{ type: 'User', qps: 1.5, burst: 1 }])),
      'limits[0].qps must be an integer',
    ],
    [
      () =>
        parseLimitedResources({
          kind: 'Configuration',
          apiVersion: 'resourcequota.admission.k8s.io/v1beta1',
          limitedResources: [{ matchContains: ['x'] }],
        }),
      'limitedResources[0].resource: Required value',
    ],
    [
      () =>
        parseLimitedResources({
          kind: 'ResourceQuotaConfiguration',
          apiVersion: 'apiserver.config.k8s.io/v1',
          limited: [],
        }),
      'strict decoding error: unknown field "limited"',
    ],
    [
      () => parsePodNodeSelectors({ podNodeSelectorPluginConfig: { a: 1 } }),
      'podNodeSelectorPluginConfig.a must be a string',
    ],
  ];
  for (const [read, message] of rows) assert.throws(read, { message });
});

test('the times of an image policy', () => {
  const parseTimes = (imagePolicy: object) => parseImagePolicy({ imagePolicy });
  const defaults = { allowMs: 300_000, denyMs: 30_000, backoffMs: 500, defaultAllow: false };
  assert.deepEqual(parseTimes({ kubeConfigFile: 'k' }), { kubeConfigFile: 'k', ...defaults });
  const given = { allowTTL: 50, denyTTL: -1, retryBackoff: 1, defaultAllow: true };
  const expected = { allowMs: 50_000, denyMs: 0, backoffMs: 1, defaultAllow: true };
  assert.deepEqual(parseTimes(given), { kubeConfigFile: '', ...expected });
  const rows: [given: object, message: RegExp][] = [
    [{ allowTTL: 1801 }, /^valid value is between 1s and 30m0s, got 30m1s$/],
    [{ denyTTL: -2 }, /^valid value is between 1s and 30m0s, got -2s$/],
    [{ retryBackoff: 300_001 }, /^valid value is between 1ms and 5m0s, got 5m0.001s$/],
    [{ allowTtl: 1 }, /unknown field "imagePolicy.allowTtl"$/],
  ];
  for (const [what, message] of rows)
    assert.throws(() => parseTimes(what), { name: 'AdmissionConfigurationError', message });
  assert.throws(() => parseImagePolicy(undefined), /no config specified$/);
});

test('what webhooks and policies are configured with', () => {
  const gates = { ManifestBasedAdmissionControlConfig: true };
  const on = createFeatures({ featureGates: gates });
  const v1 = 'apiserver.config.k8s.io/v1';
  const webhooks = 'MutatingAdmissionWebhook';
  const kind = 'WebhookAdmissionConfiguration';
  const parsed = (document: object | undefined, plugin = webhooks, known = on) =>
    parseExtensionConfiguration(document, plugin, known);
  assert.deepEqual(parsed(undefined), {});
  const both = { kubeConfigFile: '/a', staticManifestsDir: '/b' };
  assert.deepEqual(parsed({ apiVersion: v1, kind, ...both }), both);
  const old = { apiVersion: 'apiserver.config.k8s.io/v1alpha1', kind: 'WebhookAdmission' };
  assert.deepEqual(parsed({ ...old, kubeConfigFile: '/a' }), { kubeConfigFile: '/a' });
  for (const plugin of ['ValidatingAdmissionPolicy', 'MutatingAdmissionPolicy']) {
    const own = { apiVersion: v1, kind: `${plugin}Configuration`, staticManifestsDir: '/b' };
    assert.deepEqual(parsed(own, plugin), { staticManifestsDir: '/b' });
    assert.throws(() => parsed({ ...own, kubeConfigFile: '/a' }, plugin), /unknown field/);
    assert.throws(() => parsed({ ...own, kind }, plugin), /no kind "WebhookAdmission/);
  }
  const rows: [fields: object, message: RegExp][] = [
    [
      { kubeConfigFile: 'a' },
      /^kubeConfigFile: Invalid value: "a": must be an absolute file path$/,
    ],
    [{ staticManifestsDir: 'b' }, /^staticManifestsDir: Invalid value: "b": must be an absolute/],
    [{ more: 1 }, /unknown field "more"$/],
  ];
  for (const [fields, message] of rows)
    assert.throws(() => parsed({ apiVersion: v1, kind, ...fields }), { message });
  assert.throws(
    () => parsed({ apiVersion: v1, kind, staticManifestsDir: '/b' }, webhooks, features),
    /staticManifestsDir requires the ManifestBasedAdmissionControlConfig feature gate to be enabled$/,
  );
});
