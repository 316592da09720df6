// Which versions a whole control plane serves, by release and `--runtime-config`; and one object
// seen through all versions of its kind.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import {
  callInProcess,
  createCertificateAuthority,
  createFeatures,
  createMemoryStorage,
  parseRuntimeConfig,
  systemUser,
} from '@keelson/apiserver';
import { startControlPlane } from './control-plane.ts';
import { createCluster } from './index.ts';
import { createLazyPki } from './pki.ts';

interface Group {
  readonly name: string;
  readonly versions: readonly { readonly version: string }[];
  readonly preferredVersion: { readonly version: string };
}
interface Body {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly groups?: readonly Group[];
  readonly items?: readonly { readonly metadata: { readonly name: string } }[];
  readonly spec?: unknown;
  readonly metadata?: { readonly managedFields?: readonly { readonly apiVersion: string }[] };
  readonly resources?: readonly { readonly name: string }[];
}

interface How {
  readonly contentType?: string;
  /** Somebody who is merely authenticated; the system itself when absent. */
  readonly name?: string;
}

async function serverOf(
  t: TestContext,
  emulatedVersion: string,
  runtimeConfig = '',
  featureGates: Readonly<Record<string, boolean>> = {},
) {
  const storage = createMemoryStorage({ clock: systemClock });
  const dependencies = { clock: systemClock, random: systemRandom };
  const features = createFeatures({ emulatedVersion, featureGates });
  const plane = await startControlPlane({
    storage,
    features,
    pki: createLazyPki(dependencies, { dnsNames: [], ipAddresses: ['127.0.0.1'] }),
    runtimeConfig: parseRuntimeConfig([runtimeConfig]),
    serverAddress: () => '127.0.0.1:6443',
  });
  t.after(() => plane.close());
  return async (
    method: string,
    url: string,
    body?: object,
    { contentType = 'application/json', name }: How = {},
  ) => {
    const answer = await callInProcess(plane.server.serve, {
      method,
      url,
      headers: { 'content-type': contentType },
      user: name === undefined ? systemUser : { ...systemUser, name, groups: authenticated },
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    });
    const text = Buffer.from(await answer.bytes()).toString();
    return {
      status: answer.status,
      warning: String(answer.headers.get('warning') ?? ''),
      text,
      body: (text.startsWith('{') ? JSON.parse(text) : {}) as Body,
    };
  };
}

const authenticated = ['system:authenticated'];
const flowControl = 'flowcontrol.apiserver.k8s.io';
const admission = 'admissionregistration.k8s.io';

describe('versions by release', () => {
  const rows: readonly [
    release: string,
    config: string,
    versions: Record<string, string>,
    featureGates?: Record<string, boolean>,
  ][] = [
    ['1.26', '', { [flowControl]: 'v1beta3 v1beta2', [admission]: 'v1', 'resource.k8s.io': '' }],
    ['1.28', 'api/beta=true', { [admission]: 'v1 v1beta1', [flowControl]: 'v1beta3 v1beta2' }],
    ['1.29', '', { [flowControl]: 'v1 v1beta3' }],
    [
      '1.31',
      'api/all=true',
      { 'storage.k8s.io': 'v1 v1beta1 v1alpha1', [flowControl]: 'v1 v1beta3' },
    ],
    ['1.33', 'api/beta=true', { 'resource.k8s.io': 'v1beta2 v1beta1', [flowControl]: 'v1' }],
    ['1.36', '', { 'resource.k8s.io': 'v1', [admission]: 'v1', 'networking.k8s.io': 'v1' }],
    [
      '1.36',
      'api/all=true',
      {
        'resource.k8s.io': 'v1 v1beta2 v1beta1',
        [admission]: 'v1 v1beta1 v1alpha1',
        'networking.k8s.io': 'v1 v1beta1',
      },
    ],
    [
      '1.36',
      'api/all=true',
      { 'coordination.k8s.io': 'v1 v1beta1 v1alpha2', 'scheduling.k8s.io': 'v1' },
    ],
    [
      '1.36',
      'api/beta=true,internal.apiserver.k8s.io/v1alpha1=true',
      {
        'certificates.k8s.io': 'v1 v1beta1',
        'internal.apiserver.k8s.io': 'v1alpha1',
        'resource.k8s.io': 'v1 v1beta2 v1beta1',
        'storagemigration.k8s.io': 'v1beta1',
      },
      { ClusterTrustBundle: true, StorageVersionMigrator: true },
    ],
    [
      '1.34',
      'api/all=true',
      { 'certificates.k8s.io': 'v1 v1alpha1' },
      { PodCertificateRequest: true },
    ],
    ['1.36', 'autoscaling/v2=false', { autoscaling: 'v1' }],
    ['1.36', 'batch/v1=false', { batch: '' }],
  ];
  for (const [release, config, versions, gates = {}] of rows)
    it(`${release} ${config}`, async (t) => {
      const call = await serverOf(t, release, config, gates);
      const { groups = [] } = (await call('GET', '/apis')).body;
      const { items = [] } = (await call('GET', '/apis/apiregistration.k8s.io/v1/apiservices'))
        .body;
      const services = items.map(({ metadata }) => metadata.name);
      for (const [name, expected] of Object.entries(versions)) {
        const group = groups.find((g) => g.name === name);
        const found = group?.versions.map(({ version }) => version) ?? [];
        assert.equal(found.join(' '), expected, name);
        assert.equal(group?.preferredVersion.version, found[0]);
        const ofGroup = services.filter((service) => service.endsWith(`.${name}`));
        assert.deepEqual(ofGroup.toSorted(), found.map((v) => `${v}.${name}`).toSorted());
      }
      for (const path of ['/openapi/v2', '/openapi/v3', '/api/v1', '/version'])
        assert.equal((await call('GET', path)).status, 200, path);
    });

  it('a resource alone can be left out', async (t) => {
    const call = await serverOf(t, '1.36', 'apps/v1/deployments=false');
    const { resources = [] } = (await call('GET', '/apis/apps/v1')).body;
    assert.ok(resources.some(({ name }) => name === 'statefulsets'));
    assert.ok(!resources.some(({ name }) => name.startsWith('deployments')));
    assert.equal((await call('GET', '/apis/apps/v1/deployments')).status, 404);
  });

  it('what cannot be meant ends the start', async () => {
    await assert.rejects(createCluster({ runtimeConfig: 'nope/v1=true' }), {
      name: 'RuntimeConfigError',
      message: 'unknown api groups nope',
    });
  });
});

describe('one object in all versions', () => {
  const claims = (version: string) =>
    `/apis/resource.k8s.io/${version}/namespaces/default/resourceclaims`;
  const request = { name: 'r', allocationMode: 'ExactCount', count: 2 };
  const device = { deviceClassName: 'gpu.example.com' };
  const { name, ...rest } = request;
  const flat = { devices: { requests: [{ name, ...device, ...rest }] } };
  const nested = { devices: { requests: [{ name, exactly: { ...device, ...rest } }] } };

  it('is written in one and read in the others, with a warning where it is deprecated', async (t) => {
    const call = await serverOf(t, '1.36', 'api/beta=true');
    const created = await call('POST', claims('v1beta1'), { metadata: { name: 'c' }, spec: flat });
    assert.equal(created.status, 201, created.text);
    assert.equal(
      created.warning,
      '299 - "resource.k8s.io/v1beta1 ResourceClaim is deprecated in v1.35+, unavailable in v1.38+"',
    );
    const rows: readonly [version: string, spec: object, warning: RegExp][] = [
      ['v1', nested, /^$/],
      ['v1beta2', nested, /deprecated in v1\.36\+, unavailable in v1\.39\+/],
      ['v1beta1', flat, /deprecated in v1\.35\+/],
    ];
    for (const [version, spec, warning] of rows) {
      const read = await call('GET', `${claims(version)}/c`);
      assert.equal(read.body.apiVersion, `resource.k8s.io/${version}`);
      assert.deepEqual(read.body.spec, spec);
      assert.match(read.warning, warning);
      const list = await call('GET', claims(version));
      assert.equal(list.body.apiVersion, `resource.k8s.io/${version}`);
      assert.deepEqual(
        list.body.items?.map(({ metadata }) => metadata.name),
        ['c'],
      );
    }
    const watched = await call('GET', `${claims('v1beta1')}?watch=1&timeoutSeconds=1`);
    assert.match(
      watched.text,
      /^\{"type":"ADDED","object":\{"kind":"ResourceClaim","apiVersion":"resource\.k8s\.io\/v1beta1"/,
    );
    assert.equal((await call('DELETE', `${claims('v1beta2')}/c`)).status, 200);
    assert.equal((await call('GET', `${claims('v1')}/c`)).status, 404);
  });

  it('is validated, patched and applied in every one', async (t) => {
    const call = await serverOf(t, '1.36', 'api/beta=true');
    const bad = await call('POST', claims('v1beta1'), {
      metadata: { name: 'c' },
      spec: { devices: { requests: [{ ...flat.devices.requests[0], count: -1 }] } },
    });
    assert.equal(bad.status, 422);
    assert.match(bad.text, /spec\.devices\.requests\[0\]\.exactly\.count/);
    const applied = await call(
      'PATCH',
      `${claims('v1beta1')}/c?fieldManager=m`,
      {
        apiVersion: 'resource.k8s.io/v1beta1',
        kind: 'ResourceClaim',
        metadata: { name: 'c' },
        spec: flat,
      },
      { contentType: 'application/apply-patch+yaml' },
    );
    assert.equal(applied.status, 201, applied.text);
    assert.equal(applied.body.metadata?.managedFields?.[0]?.apiVersion, 'resource.k8s.io/v1beta1');
    const patched = await call(
      'PATCH',
      `${claims('v1beta2')}/c`,
      { metadata: { labels: { a: 'b' } } },
      { contentType: 'application/merge-patch+json' },
    );
    assert.equal(patched.status, 200, patched.text);
    assert.deepEqual((await call('GET', `${claims('v1')}/c`)).body.spec, nested);
  });

  it('levels of flow control had other shares before v1', async (t) => {
    const call = await serverOf(t, '1.28');
    const levels = (version: string) =>
      `/apis/${flowControl}/${version}/prioritylevelconfigurations`;
    const created = await call('POST', levels('v1beta2'), {
      metadata: { name: 'l' },
      spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
    });
    assert.equal(created.status, 201, created.text);
    assert.match(
      created.warning,
      /use flowcontrol\.apiserver\.k8s\.io\/v1 PriorityLevelConfiguration/,
    );
    assert.match(created.text, /"assuredConcurrencyShares":30/);
    assert.match(
      (await call('GET', `${levels('v1beta3')}/l`)).text,
      /"nominalConcurrencyShares":30/,
    );
  });

  it('a rule of taints is one in beta and alpha, and shown as what it is', async (t) => {
    const gates = { DRADeviceTaintRules: true };
    const call = await serverOf(t, '1.36', 'api/all=true', gates);
    const rules = (version: string) => `/apis/resource.k8s.io/${version}/devicetaintrules`;
    const spec = { taint: { key: 'a', effect: 'NoSchedule', timeAdded: '2024-01-01T00:00:00Z' } };
    const created = await call('POST', rules('v1beta2'), { metadata: { name: 'r' }, spec });
    assert.equal(created.status, 201, created.text);
    assert.equal(created.warning, '');
    const read = await call('GET', `${rules('v1alpha3')}/r`);
    assert.deepEqual([read.body.apiVersion, read.body.spec], ['resource.k8s.io/v1alpha3', spec]);
    assert.match(read.warning, /v1alpha3 DeviceTaintRule is deprecated in v1\.36\+/);
    const other = await serverOf(t, '1.36', 'api/all=true,resource.k8s.io/v1alpha3=false', gates);
    assert.equal((await other('GET', rules('v1alpha3'))).status, 404);
    assert.equal((await other('GET', rules('v1beta2'))).status, 200);
  });

  it('who writes a trust bundle of a signer must be allowed to attest for it', async (t) => {
    const call = await serverOf(t, '1.36', 'api/beta=true', { ClusterTrustBundle: true });
    const root = createCertificateAuthority(
      { clock: systemClock, random: systemRandom },
      { commonName: 'root' },
    );
    const bundle = {
      metadata: { name: 'example.com:signer:b' },
      spec: { signerName: 'example.com/signer', trustBundle: root.certificatePem },
    };
    const rules = [
      { apiGroups: ['certificates.k8s.io'], resources: ['clustertrustbundles'], verbs: ['*'] },
    ];
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'writer' };
    const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'ann' }];
    await call('POST', `${rbac}/clusterroles`, { metadata: { name: 'writer' }, rules });
    const binding = { metadata: { name: 'writer' }, roleRef, subjects };
    await call('POST', `${rbac}/clusterrolebindings`, binding);
    const bundles = '/apis/certificates.k8s.io/v1beta1/clustertrustbundles';
    const refused = await call('POST', bundles, bundle, { name: 'ann' });
    assert.equal(refused.status, 403);
    assert.match(refused.text, /user not permitted to attest for signerName/);
    assert.equal((await call('POST', bundles, bundle)).status, 201);
    const selected = await call(
      'GET',
      `${bundles}?fieldSelector=spec.signerName=example.com/signer`,
    );
    assert.equal(selected.body.items?.length, 1);
  });

  it('a review answers in the version in which it was asked', async (t) => {
    const call = await serverOf(t, '1.27', 'api/beta=true');
    const review = await call('POST', '/apis/authentication.k8s.io/v1beta1/selfsubjectreviews', {});
    assert.equal(review.status, 201, review.text);
    assert.equal(review.body.apiVersion, 'authentication.k8s.io/v1beta1');
  });
});
