// Built-in admission plugins in whole clusters. The tenth case (audiences of tokens for kubelets) is
// in the tests of NodeRestriction.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { JsonObject, KubeObject, StatusError } from '@keelson/apimachinery';
import { createCluster, type ClusterOptions } from '@keelson/keelson';
import { startWebhookServer } from '../webhooks/webhook-server.ts';

const asObject = (object: object) => object as unknown as KubeObject;
const refusal = (code: number, message: string | RegExp) => (error: StatusError) => {
  assert.equal(error.code, code, error.message);
  if (typeof message === 'string') assert.equal(error.message, message);
  else assert.match(error.message, message);
  return true;
};

async function start(t: TestContext, options: ClusterOptions = {}) {
  const cluster = await createCluster({ controllers: [], ...options });
  t.after(() => cluster.close());
  const client = cluster.client();
  const of = (resource: string, group = '', namespace = 'default') =>
    client.resource({ group, version: 'v1', resource }).namespace(namespace);
  const global = (resource: string, group = '') =>
    client.resource({ group, version: 'v1', resource });
  await of('serviceaccounts').create(asObject({ metadata: { name: 'default' } }));
  return { cluster, of, global };
}

interface PodSpec {
  readonly volumes?: readonly JsonObject[];
  readonly containers: readonly JsonObject[];
  readonly initContainers?: readonly JsonObject[];
}
const pod = (spec: object = {}, metadata: object = {}) =>
  asObject({
    metadata: { name: 'p', ...metadata },
    spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
  });
const specOf = (object: KubeObject) => (object as unknown as { spec: PodSpec }).spec;
const accountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const mountsOf = (container: JsonObject | undefined) =>
  ((container?.['volumeMounts'] ?? []) as { mountPath: string }[]).map((mount) => mount.mountPath);

describe('the admission chain', () => {
  it('admission §1 (1): plugins that the release does not know', async () => {
    const rows: [options: ClusterOptions, message: RegExp][] = [
      [{ enableAdmissionPlugins: ['Nope'] }, /plugin "Nope" is unknown/],
      [
        { enableAdmissionPlugins: ['SecurityContextDeny'], emulatedVersion: '1.30' },
        /plugin "SecurityContextDeny" is unknown/,
      ],
      [
        { enableAdmissionPlugins: ['SecurityContextDeny'], emulatedVersion: '1.29' },
        /requires the SecurityContextDeny feature gate to be enabled/,
      ],
    ];
    for (const [options, message] of rows) await assert.rejects(createCluster(options), message);
    for (const options of [
      { emulatedVersion: '1.26' },
      { emulatedVersion: '1.29', featureGates: { SecurityContextDeny: true } },
    ]) {
      const enableAdmissionPlugins = ['SecurityContextDeny'];
      await (await createCluster({ controllers: [], enableAdmissionPlugins, ...options })).close();
    }
  });

  it('admission §1 (2): nothing new where a namespace ends', async (t) => {
    const { of, global } = await start(t);
    await global('namespaces').create(asObject({ metadata: { name: 'ending' } }));
    await global('namespaces').delete('ending');
    await assert.rejects(
      of('configmaps', '', 'ending').create(asObject({ metadata: { name: 'm' } })),
      (error: StatusError) => {
        const [cause] = error.status.details?.causes ?? [];
        assert.equal(cause?.reason, 'NamespaceTerminating');
        assert.equal(cause.message, 'namespace ending is being terminated');
        return refusal(
          403,
          /unable to create new content in namespace ending because it is/,
        )(error);
      },
    );
  });

  it('admission §1 (3): a pod gets its service account', async (t) => {
    const { of } = await start(t);
    const initContainers = [{ name: 'i', image: 'i' }];
    const created = specOf(await of('pods').create(pod({ initContainers })));
    const [volume, ...others] = created.volumes ?? [];
    assert.deepEqual(others, []);
    assert.match(String(volume?.['name']), /^kube-api-access-[a-z0-9]{5}$/);
    const projected = volume?.['projected'] as { sources: JsonObject[] } | undefined;
    assert.deepEqual(
      projected?.sources.flatMap((source) => Object.keys(source)),
      ['serviceAccountToken', 'configMap', 'downwardAPI'],
    );
    for (const container of [...created.containers, ...(created.initContainers ?? [])])
      assert.deepEqual(mountsOf(container), [accountPath]);
  });

  it('admission §1 (4): accounts and pods say whether tokens are mounted', async (t) => {
    const { of } = await start(t);
    const quiet = { metadata: { name: 'quiet' }, automountServiceAccountToken: false };
    await of('serviceaccounts').create(asObject(quiet));
    const rows: [spec: object, volumes: number][] = [
      [{ serviceAccountName: 'quiet' }, 0],
      [{ serviceAccountName: 'quiet', automountServiceAccountToken: true }, 1],
      [{ automountServiceAccountToken: false }, 0],
    ];
    for (const [i, [spec, volumes]] of rows.entries()) {
      const created = await of('pods').create(pod(spec, { name: `p${i}` }));
      assert.equal(specOf(created).volumes?.length ?? 0, volumes);
    }
  });

  it('admission §1 (5): what is mounted there already stays', async (t) => {
    const { of } = await start(t);
    const volumes = [{ name: 'own', emptyDir: {} }];
    const volumeMounts = [{ name: 'own', mountPath: accountPath }];
    const containers = [{ name: 'c', image: 'i', volumeMounts }];
    const created = specOf(await of('pods').create(pod({ containers, volumes })));
    assert.deepEqual(
      created.volumes?.map(({ name }) => name),
      ['own'],
    );
    assert.deepEqual(mountsOf(created.containers[0]), [accountPath]);
  });

  it('admission §1 (6): limits by default', async (t) => {
    const { of } = await start(t);
    const limits = [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '500m' } }];
    await of('limitranges').create(asObject({ metadata: { name: 'l' }, spec: { limits } }));
    const created = await of('pods').create(pod());
    assert.deepEqual(specOf(created).containers[0]?.['resources'], {
      limits: { cpu: '1' },
      requests: { cpu: '500m' },
    });
    assert.equal(
      created.metadata.annotations?.['kubernetes.io/limit-ranger'],
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
    );
  });

  it('admission §1 (7): a claim gets a default class, unless it wants none', async (t) => {
    const { of, global } = await start(t);
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    for (const name of ['b', 'a'])
      await global('storageclasses', 'storage.k8s.io').create(
        asObject({ metadata: { name, annotations }, provisioner: 'p.example.com' }),
      );
    const claim = (name: string, more: object = {}) =>
      asObject({
        metadata: { name },
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          ...more,
        },
      });
    const classOf = async (object: KubeObject) =>
      (
        (await of('persistentvolumeclaims').create(object)) as unknown as {
          spec: { storageClassName?: string };
        }
      ).spec.storageClassName;
    // Made within one second, so the name decides; else the newer one, which is the same here.
    assert.equal(await classOf(claim('one')), 'a');
    assert.equal(await classOf(claim('none', { storageClassName: '' })), '');
  });

  it('admission §1 (8): a dry run counts against a quota and leaves no trace', async (t) => {
    const { of } = await start(t);
    const quota = await of('resourcequotas').create(
      asObject({ metadata: { name: 'q' }, spec: { hard: { configmaps: '1' } } }),
    );
    const status = { hard: { configmaps: '1' }, used: { configmaps: '0' } };
    await of('resourcequotas').update(asObject({ ...quota, status }), { subresource: 'status' });
    const map = (name: string) => asObject({ metadata: { name } });
    const used = async () =>
      ((await of('resourcequotas').get('q')) as unknown as { status: { used: JsonObject } }).status
        .used['configmaps'];
    await of('configmaps').create(map('a'), { dryRun: true });
    assert.equal(await used(), '0');
    await of('configmaps').create(map('a'));
    assert.equal(await used(), '1');
    await assert.rejects(
      of('configmaps').create(map('b'), { dryRun: true }),
      refusal(
        403,
        'configmaps "b" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1',
      ),
    );
    assert.equal(await used(), '1');
  });

  it('admission §1 (9): nodes make mirror pods only', async (t) => {
    const { cluster } = await start(t);
    const node = cluster.client({ name: 'system:node:n', groups: ['system:nodes'] });
    const pods = node.resource({ group: '', version: 'v1', resource: 'pods' }).namespace('default');
    await assert.rejects(
      pods.create(pod({ nodeName: 'n' })),
      refusal(
        403,
        'pods "p" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n" can only create mirror pods',
      ),
    );
  });

  it('admission §1 (11): a bound pod knows its zone, whatever it said before', async (t) => {
    const { of, global, cluster } = await start(t, { emulatedVersion: '1.35' });
    const [zone, region] = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];
    const labels = { [zone]: 'z', [region]: 'r', other: 'x' };
    await global('nodes').create(asObject({ metadata: { name: 'n', labels } }));
    await of('pods').create(pod({}, { labels: { [zone]: 'lie' } }));
    const body = { kind: 'Binding', metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } };
    await cluster.client().send({
      method: 'POST',
      path: '/api/v1/namespaces/default/pods/p/binding',
      body: Buffer.from(JSON.stringify({ apiVersion: 'v1', ...body })),
      headers: { 'content-type': 'application/json' },
    });
    const bound = await of('pods').get('p');
    assert.deepEqual(bound.metadata.labels, { [zone]: 'z', [region]: 'r' });
  });

  it('admission §1 (12): no new external addresses, but fewer', async (t) => {
    const plugin = 'DenyServiceExternalIPs';
    const { of } = await start(t);
    const service = (externalIPs: string[]) =>
      asObject({ metadata: { name: 's' }, spec: { ports: [{ port: 80 }], externalIPs } });
    await of('services').create(service(['192.0.2.1', '192.0.2.2']));
    const { of: strict } = await start(t, { enableAdmissionPlugins: [plugin] });
    const created = await strict('services').create(service([]));
    const { spec } = created as unknown as { spec: object };
    await assert.rejects(
      strict('services').update(
        asObject({ ...created, spec: { ...spec, externalIPs: ['192.0.2.1'] } }),
      ),
      refusal(403, /Use of external IPs is denied by admission control$/),
    );
    await strict('services').update(asObject({ ...created, spec: { ...spec, externalIPs: [] } }));
  });

  it('admission §1 (13): what a webhook injects gets a token too', async (t) => {
    const webhook = await startWebhookServer();
    t.after(() => webhook.close());
    const { of, global } = await start(t);
    await global('mutatingwebhookconfigurations', 'admissionregistration.k8s.io').create(
      asObject({
        metadata: { name: 'w' },
        webhooks: [
          {
            name: 'a.example.com',
            clientConfig: {
              url: `https://127.0.0.1:${webhook.port}/a`,
              caBundle: webhook.caBundle,
            },
            rules: [
              { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] },
            ],
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
        ],
      }),
    );
    const value = { name: 'side', image: 's' };
    webhook.play({ '/a': { patch: [{ op: 'add', path: '/spec/containers/-', value }] } });
    const { containers, volumes } = specOf(await of('pods').create(pod()));
    assert.equal(volumes?.length, 1);
    assert.deepEqual(
      containers.map((container) => [container['name'], mountsOf(container)]),
      [
        ['c', [accountPath]],
        ['side', [accountPath]],
      ],
    );
  });

  it('admission §1 (14): namespaces that are never deleted', async (t) => {
    const { global } = await start(t);
    for (const name of ['default', 'kube-system', 'kube-public'])
      await assert.rejects(
        global('namespaces').delete(name),
        refusal(403, `namespaces "${name}" is forbidden: this namespace may not be deleted`),
      );
    await global('namespaces').delete('kube-node-lease');
  });

  it('admission §1 (15): overhead is that of the class', async (t) => {
    const { of, global } = await start(t);
    await global('runtimeclasses', 'node.k8s.io').create(
      asObject({ metadata: { name: 'vm' }, handler: 'vm', overhead: { podFixed: { cpu: '1' } } }),
    );
    const overhead = async (spec: object) =>
      (specOf(await of('pods').create(pod(spec))) as unknown as { overhead: object }).overhead;
    await assert.rejects(
      overhead({ runtimeClassName: 'vm', overhead: { cpu: '2' } }),
      refusal(
        403,
        `pods "p" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead`,
      ),
    );
    await assert.rejects(
      overhead({ overhead: { cpu: '1' } }),
      refusal(403, /Pod Overhead set without corresponding RuntimeClass defined Overhead$/),
    );
    assert.deepEqual(await overhead({ runtimeClassName: 'vm' }), { cpu: '1' });
  });
});
