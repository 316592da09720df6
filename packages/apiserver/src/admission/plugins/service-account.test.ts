import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, type Clock, type KubeObject } from '@keelson/apimachinery';
import type { PodSpec } from '@keelson/apimachinery/types/core.v1';
import { createTestObjects, type TestObjects } from '../../authentication/testing.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createServiceAccount } from './service-account.ts';

const account = (name: string, extra: object = {}): KubeObject => ({
  metadata: { name, namespace: 'shop' },
  ...extra,
});
const limited = {
  metadata: {
    name: 'limited',
    namespace: 'shop',
    annotations: { 'kubernetes.io/enforce-mountable-secrets': 'T' },
  },
  secrets: [{ name: 'mine' }],
  imagePullSecrets: [{ name: 'pull' }],
};

/** A clock whose timers fire when the test says so. */
function createManualClock(): Clock & { fire(): void } {
  const timers = new Set<() => void>();
  return {
    now: () => 0,
    monotonic: () => 0,
    after(_delay, fn) {
      timers.add(fn);
      return () => timers.delete(fn);
    },
    fire: () => timers.forEach((fn) => fn()),
  };
}

function setUp(objects: readonly KubeObject[] = [account('default')]) {
  const serviceAccounts: TestObjects = createTestObjects(objects);
  const clock = createManualClock();
  const configMaps: TestObjects = createTestObjects([]);
  const random = createSeededRandom(7);
  const plugin = createServiceAccount({ serviceAccounts, configMaps, clock, random });
  return { serviceAccounts, configMaps, clock, plugin };
}

const pod = (spec: object, annotations?: Record<string, string>): KubeObject => ({
  metadata: { name: 'web', ...(annotations && { annotations }) },
  spec: { containers: [{ name: 'c' }], ...spec },
});
const specOf = ({ object }: { object: KubeObject | undefined }) =>
  object?.['spec'] as unknown as PodSpec;
const path = '/var/run/secrets/kubernetes.io/serviceaccount';
const refused = (why: string) => `pods "web" is forbidden: ${why}`;

test('a new pod gets the account and its token, in the form of kube-apiserver', async () => {
  const object = pod({ initContainers: [{ name: 'i' }], ephemeralContainers: [{ name: 'e' }] });
  const attributes = createTestAttributes({ object });
  assert.equal(await admit(setUp().plugin, attributes), undefined);
  const spec = specOf(attributes);
  const name = spec.volumes?.[0]?.name ?? '';
  assert.match(name, /^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  const mount = { name, readOnly: true, mountPath: path };
  assert.deepEqual(spec, {
    containers: [{ name: 'c', volumeMounts: [mount] }],
    initContainers: [{ name: 'i', volumeMounts: [mount] }],
    ephemeralContainers: [{ name: 'e' }],
    serviceAccountName: 'default',
    serviceAccount: 'default',
    volumes: [
      {
        name,
        projected: {
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              downwardAPI: {
                items: [
                  {
                    path: 'namespace',
                    fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' },
                  },
                ],
              },
            },
          ],
          defaultMode: 420,
        },
      },
    ],
  });
});

test('where the authority of services is published, it is projected too', async () => {
  const { plugin, configMaps } = setUp();
  const attributes = createTestAttributes({ object: pod({}) });
  const { namespace } = attributes;
  configMaps.set({ metadata: { name: 'openshift-service-ca.crt', namespace } });
  assert.equal(await admit(plugin, attributes), undefined);
  const items = [{ key: 'service-ca.crt', path: 'service-ca.crt' }];
  assert.deepEqual(specOf(attributes).volumes?.[0]?.projected?.sources?.slice(3), [
    { configMap: { name: 'openshift-service-ca.crt', items } },
  ]);
});

test('the token is mounted where it is wanted and nothing else is', async () => {
  const mounted = { volumeMounts: [{ name: 'mine', mountPath: path }] };
  const rows: [account: object, spec: object, volumes: number, mounts: number][] = [
    [{}, {}, 1, 1],
    [{ automountServiceAccountToken: false }, {}, 0, 0],
    [{ automountServiceAccountToken: false }, { automountServiceAccountToken: true }, 1, 1],
    [{ automountServiceAccountToken: true }, { automountServiceAccountToken: false }, 0, 0],
    [{}, { containers: [{ name: 'c', ...mounted }] }, 0, 1],
    [{}, { containers: [{ name: 'c', ...mounted }, { name: 'd' }] }, 1, 2],
    [{}, { volumes: [{ name: 'kube-api-access-x' }] }, 1, 1],
    [{}, { volumes: [{ name: 'other' }] }, 2, 1],
    [{}, { volumes: [{}] }, 2, 1],
  ];
  for (const [extra, spec, volumes, mounts] of rows) {
    const attributes = createTestAttributes({ object: pod(spec) });
    assert.equal(await admit(setUp([account('default', extra)]).plugin, attributes), undefined);
    const result = specOf(attributes);
    assert.equal(result.volumes?.length ?? 0, volumes, JSON.stringify(spec));
    const all = (result.containers ?? []).flatMap((c) => c.volumeMounts ?? []);
    assert.equal(all.length, mounts, JSON.stringify(spec));
  }
});

test('the old name of the field names the account too', async () => {
  const { plugin } = setUp([account('robot')]);
  const attributes = createTestAttributes({ object: pod({ serviceAccount: 'robot' }) });
  assert.equal(await admit(plugin, attributes), undefined);
  assert.equal(specOf(attributes).serviceAccountName, 'robot');
});

test('pull secrets are inherited by pods that have none', async () => {
  const { plugin } = setUp([account('default', { imagePullSecrets: [{ name: 'pull' }] })]);
  const rows: [spec: object, expected: object[]][] = [
    [{}, [{ name: 'pull' }]],
    [{ imagePullSecrets: [] }, [{ name: 'pull' }]],
    [{ imagePullSecrets: [{ name: 'own' }] }, [{ name: 'own' }]],
  ];
  for (const [spec, expected] of rows) {
    const attributes = createTestAttributes({ object: pod(spec) });
    await admit(plugin, attributes);
    assert.deepEqual(specOf(attributes).imagePullSecrets, expected);
  }
});

test('a missing account is refused at once, the default one is waited for', async () => {
  const { plugin, clock, serviceAccounts } = setUp([]);
  const missing = (name: string) =>
    refused(`error looking up service account shop/${name}: serviceaccount "${name}" not found`);
  const named = createTestAttributes({ object: pod({ serviceAccountName: 'robot' }) });
  assert.equal(await admit(plugin, named), missing('robot'));

  const late = admit(plugin, createTestAttributes({ object: pod({}) }));
  clock.fire();
  assert.equal(await late, missing('default'));

  const inTime = admit(plugin, createTestAttributes({ object: pod({}) }));
  serviceAccounts.set({ metadata: { name: 'default', namespace: 'other' } });
  serviceAccounts.set(account('default'));
  assert.equal(await inTime, undefined);

  serviceAccounts.delete('shop', 'default');
  const stop = new AbortController();
  const given = { object: pod({}), signal: stop.signal };
  const aborted = admit(plugin, createTestAttributes(given));
  stop.abort(new Error('gone'));
  assert.equal(await aborted, 'gone');
});

test('mirror pods are left alone and may use nothing', async () => {
  const mirror = { 'kubernetes.io/config.mirror': 'x' };
  const token = { projected: { sources: [{ serviceAccountToken: { path: 't' } }] } };
  const secretEnv = { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] };
  const noSecrets = refused('a mirror pod may not reference secrets');
  const rows: [spec: object, message: string | undefined][] = [
    [{}, undefined],
    [{ serviceAccountName: 'default' }, refused('a mirror pod may not reference service accounts')],
    [{ serviceAccount: 'x' }, refused('a mirror pod may not reference service accounts')],
    [{ imagePullSecrets: [{ name: 's' }] }, noSecrets],
    [{ volumes: [{ name: 'v', secret: { secretName: 's' } }] }, noSecrets],
    [{ volumes: [{ name: 'v', csi: { nodePublishSecretRef: { name: 's' } } }] }, noSecrets],
    [{ volumes: [{ name: 'v', projected: { sources: [{ secret: { name: 's' } }] } }] }, noSecrets],
    [{ initContainers: [{ name: 'i', ...secretEnv }] }, noSecrets],
    [{ ephemeralContainers: [{ name: 'e', ...secretEnv }] }, noSecrets],
    [{ containers: [{ name: 'c', envFrom: [{ secretRef: { name: 's' } }] }] }, noSecrets],
    [
      { volumes: [{ name: 'v', ...token }] },
      refused('a mirror pod may not use ServiceAccountToken volume projections'),
    ],
  ];
  for (const [spec, message] of rows) {
    const attributes = createTestAttributes({ object: pod(spec, mirror) });
    assert.equal(await admit(setUp([]).plugin, attributes), message);
    assert.deepEqual(specOf(attributes), pod(spec)['spec']);
  }
});

const unlisted = (what: string, secret: string) =>
  refused(
    `${what}="${secret}" is not allowed because service account limited does not reference that secret`,
  );
const fromSecret = (name: string) => ({
  env: [{ name: 'A', valueFrom: { secretKeyRef: { name, key: 'k' } } }],
});
const allFromSecret = (name: string) => ({ envFrom: [{ secretRef: { name } }] });

test('an account may limit the secrets of its pods', async () => {
  const { plugin } = setUp([limited]);
  const rows: [spec: object, message: string | undefined][] = [
    [{}, undefined],
    [{ volumes: [{ name: 'v', secret: { secretName: 'mine' } }] }, undefined],
    [
      { volumes: [{ name: 'v', secret: { secretName: 'other' } }] },
      unlisted('volume with secret.secretName', 'other'),
    ],
    [{ containers: [{ name: 'c', ...fromSecret('mine') }] }, undefined],
    [
      { containers: [{ name: 'c', ...fromSecret('other') }] },
      unlisted('container c with envVar A referencing secret.secretName', 'other'),
    ],
    [
      { initContainers: [{ name: 'i', ...fromSecret('other') }] },
      unlisted('init container i with envVar A referencing secret.secretName', 'other'),
    ],
    [
      { initContainers: [{ name: 'i', ...allFromSecret('other') }] },
      unlisted('init container i with envFrom referencing secret.secretName', 'other'),
    ],
    [
      { containers: [{ name: 'c', ...allFromSecret('other') }] },
      unlisted('container c with envFrom referencing secret.secretName', 'other'),
    ],
    [{ imagePullSecrets: [{ name: 'pull' }] }, undefined],
    [
      { imagePullSecrets: [{ name: 'pull' }, { name: 'mine' }] },
      refused(
        'imagePullSecrets[1].name="mine" is not allowed because service account limited does not ' +
          'reference that imagePullSecret',
      ),
    ],
  ];
  for (const [spec, message] of rows) {
    const object = pod({ ...spec, serviceAccountName: 'limited' });
    assert.equal(await admit(plugin, createTestAttributes({ object })), message);
  }
});

test('ephemeral containers are limited too; other updates pass', async () => {
  const { plugin } = setUp([limited, account('free')]);
  const withEphemeral = (name: string, extra: object) =>
    pod({ serviceAccountName: name, ephemeralContainers: [{ name: 'e', ...extra }] });
  const rows: [request: TestRequest, message: string | undefined][] = [
    [
      { subresource: 'ephemeralcontainers', object: withEphemeral('limited', fromSecret('other')) },
      unlisted('ephemeral container e with envVar A referencing secret.secretName', 'other'),
    ],
    [
      {
        subresource: 'ephemeralcontainers',
        object: withEphemeral('limited', allFromSecret('other')),
      },
      unlisted('ephemeral container e with envFrom referencing secret.secretName', 'other'),
    ],
    [
      { subresource: 'ephemeralcontainers', object: withEphemeral('limited', fromSecret('mine')) },
      undefined,
    ],
    [
      { subresource: 'ephemeralcontainers', object: withEphemeral('free', fromSecret('other')) },
      undefined,
    ],
    [
      { subresource: 'ephemeralcontainers', object: withEphemeral('', {}) },
      refused('no service account specified for pod shop/web'),
    ],
    [{ object: withEphemeral('limited', fromSecret('other')) }, undefined],
    [{ subresource: 'status', object: withEphemeral('limited', fromSecret('other')) }, undefined],
  ];
  for (const [request, message] of rows) {
    const attributes = createTestAttributes({ operation: 'UPDATE', ...request });
    assert.equal(await admit(plugin, attributes), message);
  }
});
