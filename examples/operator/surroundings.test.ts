// What stands between the operator and what it wants: schemas, rights, policies, webhooks,
// restarts, other releases. Every test has a cluster of its own.

import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { Cluster } from '@keelson/keelson';
import { messageOf } from './reconcile.ts';
import {
  createSiteCluster,
  namespace,
  openSiteCluster,
  readinessOf,
  serviceAccount,
  withoutIdentity,
} from './test-cluster.ts';

let prepared: Cluster;
before(async () => {
  prepared = await createSiteCluster();
});
after(() => prepared.close());
const fork = async (t: TestContext) => openSiteCluster(t, await prepared.fork());

const shop = { host: 'shop.example.com', pages: { 'index.html': 'Hello' } };
const named = (name: string) => ({ name, namespace });

const refused: readonly [what: string, spec: object, why: RegExp][] = [
  ['no host', { pages: shop.pages }, /spec\.host: Required value/],
  ['a host without a domain', { ...shop, host: 'shop' }, /spec\.host in body should match/],
  ['no index.html', { ...shop, pages: { 'a.html': '' } }, /there must be an index\.html/],
  ['too many replicas', { ...shop, replicas: 11 }, /should be less than or equal to 10/],
  ['an empty image', { ...shop, image: '' }, /spec\.image in body should be at least 1 chars long/],
];
test('websites that make no sense are refused', async (t) => {
  const { sites } = await fork(t);
  for (const [what, spec, why] of refused)
    await assert.rejects(sites.create('bad', spec), (error) => why.test(messageOf(error)), what);
  const { spec } = await sites.create('shop', shop);
  assert.deepEqual([spec.replicas, spec.image], [1, 'nginx:1.29']);
  await assert.rejects(sites.patch('shop', { spec: { host: 'other.example.com' } }), (error) =>
    messageOf(error).includes('a site cannot move to another host'),
  );
});

const forbidden: readonly [what: string, method: 'GET' | 'POST' | 'DELETE', path: string][] = [
  ['read secrets', 'GET', '/api/v1/secrets'],
  ['read other config maps', 'GET', '/api/v1/namespaces/website-system/configmaps/other'],
  ['make pods', 'POST', '/api/v1/namespaces/default/pods'],
  ['delete services', 'DELETE', '/api/v1/namespaces/default/services/shop'],
  ['delete websites', 'DELETE', '/apis/sites.example.com/v1/namespaces/default/websites/shop'],
  ['read definitions', 'GET', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'],
];
test('the operator may do nothing else', async (t) => {
  const { cluster } = await fork(t);
  for (const [what, method, path] of forbidden) {
    const { status } = await cluster.decide({ method, path, user: { name: serviceAccount } });
    assert.equal(status, 403, what);
  }
});

test('rights that are missing for a while are waited for', async (t) => {
  const { cluster, sites, objects, start, becomes, failures } = await fork(t);
  await start();
  const binding = await objects.read<KubernetesObject>({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'website-operator' },
  });
  await objects.delete(binding);
  await sites.create('shop', shop);
  await cluster.eventually(() => {
    assert.match(failures.join('\n'), /cannot patch resource "websites"/);
  });
  await objects.create(withoutIdentity(binding));
  await becomes('shop', 'False', 'Progressing');
});

const fewImages: KubernetesObject[] = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'barrier' },
    spec: {
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['apps'],
            apiVersions: ['v1'],
            operations: ['CREATE'],
            resources: ['deployments'],
          },
        ],
      },
      validations: [{ expression: 'false', message: 'only images of our own' }],
    },
  } as KubernetesObject,
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'barrier' },
    spec: { policyName: 'barrier', validationActions: ['Deny'] },
  } as KubernetesObject,
];
const brokenWebhook: KubernetesObject[] = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'barrier' },
    webhooks: [
      {
        name: 'barrier.example.com',
        // Nobody listens there.
        clientConfig: { url: 'https://127.0.0.1:1/' },
        rules: [
          {
            apiGroups: ['apps'],
            apiVersions: ['v1'],
            operations: ['CREATE'],
            resources: ['deployments'],
          },
        ],
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  } as KubernetesObject,
];
const barriers: readonly [what: string, objects: KubernetesObject[], message: RegExp][] = [
  ['a policy that denies', fewImages, /"shop" is forbidden: .*only images of our own/],
  ['a webhook that is down', brokenWebhook, /failed calling webhook "barrier\.example\.com"/],
];
for (const [what, barrier, message] of barriers)
  test(`${what} shows in the status, until it lets the deployment pass`, async (t) => {
    const { cluster, sites, objects, start, becomes } = await fork(t);
    for (const object of barrier) await objects.create(object);
    // What was just made is in force within moments, not at once.
    await cluster.eventually(() => assert.rejects(objects.create(probe, undefined, 'All')));
    await start();
    await sites.create('shop', shop);
    await becomes('shop', 'False', 'Refused');
    assert.match(readinessOf(await sites.read('shop'))?.message ?? '', message);
    for (const object of barrier) await objects.delete(object);
    await becomes('shop', 'False', 'Progressing');
  });

test('an operator that was away finds what has changed', async (t) => {
  const { cluster, sites, core, start, becomes } = await fork(t);
  const first = await start();
  await sites.create('old', { ...shop, host: 'old.example.com' });
  await sites.create('shop', shop);
  await becomes('old', 'False', 'Progressing');
  await becomes('shop', 'False', 'Progressing');
  await first.stop();

  await sites.delete('old');
  await sites.patch('shop', { spec: { pages: { 'index.html': 'New' } } });
  assert.deepEqual((await sites.list()).items.length, 2); // The finalizer holds it.
  await start();
  await cluster.eventually(async () => {
    const { items } = await sites.list();
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['shop'],
    );
    const { data } = await core.readNamespacedConfigMap(named('shop'));
    assert.deepEqual(data, { 'index.html': 'New' });
  });
});

test('an operator outlives the definition of its resource', async (t) => {
  const { cluster, sites, objects, start, becomes, failures } = await fork(t);
  await start();
  await sites.create('shop', shop);
  await becomes('shop', 'False', 'Progressing');
  const definition = await objects.read<KubernetesObject>({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'websites.sites.example.com' },
  });
  // Its websites go first, and need the operator for it.
  await objects.delete(definition);
  await cluster.eventually(() => assert.rejects(sites.list(), { code: 404 }));
  await cluster.eventually(() => assert.notDeepEqual(failures, []));
  await objects.create(withoutIdentity(definition));
  await cluster.eventually(() => sites.create('shop', shop));
  await becomes('shop', 'False', 'Progressing');
});

// From v1alpha1 there are sites without index.html, which v1 would not take. From 1.30 on the API
// server tolerates what was there before and is not touched (KEP-4008); before, a site like that
// cannot even get its finalizer.
test('an upgrade of the cluster helps sites from before the rule', async (t) => {
  const old = await createSiteCluster({ emulatedVersion: '1.29' });
  const before = await openSiteCluster(t, old);
  await before.sites.create('legacy', { host: 'old.example.com', pages: { a: '' } }, 'v1alpha1');
  const operator = await before.start();
  await old.eventually(() => {
    assert.match(before.failures.join('\n'), /there must be an index\.html/);
  });
  await operator.stop();

  const upgraded = await openSiteCluster(t, await old.fork({ emulatedVersion: '1.36' }));
  await upgraded.start();
  await upgraded.becomes('legacy', 'False', 'Progressing');
  assert.deepEqual(upgraded.failures, []);
});

const probe = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'probe', namespace },
  spec: {
    selector: { matchLabels: { app: 'probe' } },
    template: {
      metadata: { labels: { app: 'probe' } },
      spec: { containers: [{ name: 'c', image: 'probe' }] },
    },
  },
};
