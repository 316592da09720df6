import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '@keelson/apimachinery';
import { createStoppedClock, createTestObjects } from '../authentication/testing.ts';
import { createFeatures } from '../features/create-features.ts';
import { createAdmissionPlugins, type AdmissionPluginOptions } from './create-plugins.ts';
import { defaultOnPlugins } from './plugin-order.ts';

const none = createTestObjects();
const sources = {
  deviceClasses: none,
  ingressClasses: none,
  limitRanges: none,
  namespaces: none,
  nodes: none,
  podGroups: none,
  pods: none,
  priorityClasses: none,
  resourceQuotas: none,
  runtimeClasses: none,
  serviceAccounts: none,
  configMaps: none,
  storageClasses: none,
  workloads: none,
};
const create = (options: Partial<AdmissionPluginOptions> = {}) =>
  createAdmissionPlugins({
    features: createFeatures(),
    sources,
    authorizer: {
      name: 'none',
      authorize: () => ({ decision: 'no-opinion', reason: '' }),
    },
    quotaWriter: { updateQuotaStatus: async () => {} },
    namespaceCreator: { createNamespace: async () => {} },
    kinds: { resourcesOf: () => [] },
    clock: createStoppedClock(0),
    random: createSeededRandom(1),
    enable: [],
    disable: [],
    ...options,
  }).map((plugin) => plugin.name);

/** Made elsewhere. */
const absent = new Set([
  'MutatingAdmissionPolicy',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionWebhook',
]);

test('every release gets its default plugins', () => {
  for (let minor = 26; minor <= 36; minor++) {
    const features = createFeatures({ emulatedVersion: `1.${minor}` });
    const expected = defaultOnPlugins(features).filter((name) => !absent.has(name));
    assert.deepEqual(create({ features }), expected, `1.${minor}`);
  }
});

test('plugins that are off by default can be turned on, those from elsewhere take their place', () => {
  const names = create({
    enable: ['AlwaysDeny', 'AlwaysAdmit', 'NodeRestriction'],
    disable: ['ServiceAccount'],
    others: [
      { name: 'ValidatingAdmissionWebhook', handles: () => true },
      { name: 'NodeRestriction', handles: () => true },
      { name: 'ImagePolicyWebhook', handles: () => true },
    ],
  });
  assert.equal(names[0], 'AlwaysAdmit');
  assert.equal(names.at(-1), 'AlwaysDeny');
  assert.equal(names[names.indexOf('NodeRestriction') - 1], 'LimitRanger');
  assert.equal(names[names.indexOf('ResourceQuota') - 1], 'ValidatingAdmissionWebhook');
  assert.ok(!names.includes('ImagePolicyWebhook'), 'it was not turned on');
});

test('what the server cannot start with says why', () => {
  const configuration = new Map([['PodSecurity', { kind: 'Nope', apiVersion: 'v1' }]]);
  const rows: [options: Partial<AdmissionPluginOptions>, messages: RegExp[]][] = [
    [{ enable: ['Nope'] }, [/^enable-admission-plugins plugin "Nope" is unknown$/]],
    [
      { enable: ['ImagePolicyWebhook'] },
      [/^couldn't init admission plugin "ImagePolicyWebhook": no config specified$/],
    ],
    [
      { enable: ['EventRateLimit'] },
      [/^couldn't init admission plugin "EventRateLimit": limits: Invalid value/],
    ],
    [
      { configuration },
      [/^couldn't init admission plugin "PodSecurity": no kind "Nope" is registered/],
    ],
    [
      {
        enable: ['SecurityContextDeny'],
        features: createFeatures({ emulatedVersion: '1.28' }),
      },
      [/requires the SecurityContextDeny feature gate to be enabled/],
    ],
  ];
  for (const [options, messages] of rows) {
    assert.throws(
      () => create(options),
      (error: { messages: string[] }) => {
        assert.equal(error.messages.length, messages.length);
        messages.forEach((message, i) => assert.match(error.messages[i] ?? '', message));
        return true;
      },
    );
  }
  assert.ok(
    create({
      enable: ['SecurityContextDeny'],
      features: createFeatures({ emulatedVersion: '1.26' }),
    }).includes('SecurityContextDeny'),
  );
});
