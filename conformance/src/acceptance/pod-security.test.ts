// Pod Security (KEP-2579) in whole clusters, by namespace, release and policy version.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  actOn,
  assertRefused,
  messageOf,
  startCluster,
  type AcceptanceCluster,
} from './cluster.ts';

const label = (name: string) => `pod-security.kubernetes.io/${name}`;
type Labels = Readonly<Record<string, string>>;

let namespaces = 0;
/** A new namespace with labels of Pod Security, and the path of its pods. */
async function namespaceOf({ create }: AcceptanceCluster, labels: Labels): Promise<string> {
  const name = `ns-${++namespaces}`;
  const own = Object.entries(labels).map(([key, value]) => [label(key), value]);
  await create('/api/v1/namespaces', { metadata: { name, labels: Object.fromEntries(own) } });
  await create(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: 'default' } });
  return `/api/v1/namespaces/${name}`;
}

const pod = (name: string, spec: object = {}, container: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'pause', ...container }], ...spec },
});
const strict = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};
const why =
  'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ' +
  'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), ' +
  'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ' +
  'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")';

const shared = await startCluster();
after(() => shared.cluster.close());

interface Row {
  readonly what: string;
  readonly labels: Labels;
  readonly spec?: object;
  readonly container?: object;
  /** Part of the refusal; absent: it is created. */
  readonly refused?: string;
  /** What the refusal must not say. */
  readonly unsaid?: string;
}

const probed = { livenessProbe: { httpGet: { host: '1.2.3.4', port: 80 } } };
const sysctl = { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } };
const engine = { securityContext: { seLinuxOptions: { type: 'container_engine_t' } } };
const asRoot = { hostUsers: false, securityContext: { runAsUser: 0 } };
const windows = { os: { name: 'windows' }, securityContext: { runAsNonRoot: true } };
const rows: readonly Row[] = [
  {
    what: 'admission §2 (1): restricted',
    labels: { enforce: 'restricted' },
    refused: `pods "p" is forbidden: violates PodSecurity "restricted:latest": ${why}`,
  },
  {
    what: 'admission §2 (7): hosts of probes before they were looked at',
    labels: { enforce: 'baseline', 'enforce-version': 'v1.33' },
    container: probed,
  },
  {
    what: 'admission §2 (7): hosts of probes',
    labels: { enforce: 'baseline', 'enforce-version': 'v1.34' },
    container: probed,
    refused: 'probe or lifecycle host (container "c" uses probe or lifecycle host "1.2.3.4")',
  },
  {
    what: 'admission §2 (8): a sysctl that was not safe',
    labels: { enforce: 'baseline', 'enforce-version': 'v1.31' },
    spec: sysctl,
    refused: 'forbidden sysctls (net.ipv4.tcp_rmem)',
  },
  {
    what: 'admission §2 (8): a sysctl that is safe',
    labels: { enforce: 'baseline', 'enforce-version': 'v1.32' },
    spec: sysctl,
  },
  {
    what: 'admission §2 (9): root in a user namespace',
    labels: { enforce: 'restricted', 'enforce-version': 'v1.35' },
    spec: asRoot,
    refused: 'allowPrivilegeEscalation != false',
    unsaid: 'runAsUser',
  },
  {
    what: 'admission §2 (9): root in a user namespace, by an older policy',
    labels: { enforce: 'restricted', 'enforce-version': 'v1.34' },
    spec: asRoot,
    refused: 'runAsUser=0 (pod must not set runAsUser=0)',
  },
  {
    what: 'admission §2 (11): Windows knows nothing of Linux',
    labels: { enforce: 'restricted' },
    spec: windows,
  },
  {
    what: 'admission §2 (11): Windows, by a policy that does not know it',
    labels: { enforce: 'restricted', 'enforce-version': 'v1.24' },
    spec: windows,
    refused: why.replace(/runAsNonRoot.*?\), /, ''),
  },
  {
    what: 'admission §2 (14): an SELinux type that was not allowed',
    labels: { enforce: 'baseline', 'enforce-version': 'v1.30' },
    spec: engine,
    refused:
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
  },
  {
    what: 'admission §2 (14): an SELinux type that is allowed',
    labels: { enforce: 'baseline', 'enforce-version': 'v1.31' },
    spec: engine,
  },
];

describe('Pod Security', () => {
  for (const { what, labels, spec, container, refused, unsaid } of rows)
    it(what, async () => {
      const namespace = await namespaceOf(shared, labels);
      const decision = await shared.send('POST', `${namespace}/pods`, pod('p', spec, container));
      assert.equal(decision.status, refused === undefined ? 201 : 403, messageOf(decision));
      assert.ok(messageOf(decision).includes(refused ?? ''), messageOf(decision));
      if (unsaid !== undefined) assert.ok(!messageOf(decision).includes(unsaid));
    });

  it('admission §2 (2): a warning is all that warn does', async () => {
    const namespace = await namespaceOf(shared, { warn: 'restricted' });
    const { warnings } = await shared.create(`${namespace}/pods`, pod('p'));
    assert.deepEqual(warnings, [`would violate PodSecurity "restricted:latest": ${why}`]);
  });

  it('admission §2 (3): a workload is warned of, its pods are refused', async (t) => {
    const controllers = ['deployment-controller', 'replicaset-controller'];
    const acting = await startCluster({ controllers });
    t.after(() => acting.cluster.close());
    const namespace = await namespaceOf(acting, { enforce: 'restricted' });
    const name = namespace.slice('/api/v1/namespaces/'.length);
    const { warnings } = await acting.create(`/apis/apps/v1/namespaces/${name}/deployments`, {
      metadata: { name: 'd' },
      spec: {
        selector: { matchLabels: { app: 'd' } },
        template: { metadata: { labels: { app: 'd' } }, spec: pod('').spec },
      },
    });
    assert.deepEqual(warnings, [`would violate PodSecurity "restricted:latest": ${why}`]);
    await acting.cluster.eventually(async () => {
      const sets = await acting.send('GET', `/apis/apps/v1/namespaces/${name}/replicasets`);
      assert.match(
        JSON.stringify(sets.body),
        /"type":"ReplicaFailure".*is forbidden: violates PodSecurity/,
      );
    });
  });

  it('admission §2 (4): a level that is none', async () => {
    const labels = { [label('enforce')]: 'foo' };
    const decision = await shared.send('POST', '/api/v1/namespaces', {
      metadata: { name: 'bad', labels },
    });
    assertRefused(
      decision,
      422,
      /metadata\.labels\[pod-security\.kubernetes\.io\/enforce\]: Invalid value: "foo": must be one of privileged, baseline, restricted$/,
    );
  });

  it('admission §2 (5): a bad label that was stored is no way around the policy', async (t) => {
    const lax = await startCluster({ disableAdmissionPlugins: ['PodSecurity'] });
    t.after(() => lax.cluster.close());
    const namespace = await namespaceOf(lax, { enforce: 'foo' });
    const fork = await lax.cluster.fork({ disableAdmissionPlugins: [] });
    t.after(() => fork.close());
    const { send } = actOn(fork);
    const contentType = 'application/merge-patch+json';
    const relabel = (labels: object) =>
      send('PATCH', namespace, { metadata: { labels } }, { contentType });
    assert.equal((await relabel({ team: 'a' })).status, 200);
    assertRefused(await relabel({ [label('warn')]: 'bar' }), 422, /Invalid value: "bar"/);
    assertRefused(
      await send('POST', `${namespace}/pods`, pod('p')),
      403,
      /violates PodSecurity "restricted:latest"/,
    );
  });

  it('admission §2 (6): a stricter label warns of the pods that are there', async () => {
    const namespace = await namespaceOf(shared, { enforce: 'privileged' });
    const ownerReferences = [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r-uid', controller: true },
    ];
    for (const name of ['r-a', 'r-b', 'r-c']) {
      const { spec } = pod(name);
      await shared.create(`${namespace}/pods`, { metadata: { name, ownerReferences }, spec });
    }
    const decision = await shared.send(
      'PATCH',
      namespace,
      { metadata: { labels: { [label('enforce')]: 'restricted' } } },
      { contentType: 'application/merge-patch+json' },
    );
    assert.equal(decision.status, 200);
    const name = namespace.slice('/api/v1/namespaces/'.length);
    assert.deepEqual(decision.warnings, [
      `existing pods in namespace "${name}" violate the new PodSecurity enforce level "restricted:latest"`,
      'r-a (and 2 other pods): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile',
    ]);
  });

  it('admission §2 (10): what runs may get labels, not images', async () => {
    const namespace = await namespaceOf(shared, {});
    await shared.create(`${namespace}/pods`, pod('p'));
    const contentType = 'application/strategic-merge-patch+json';
    const patch = (path: string, body: object) => shared.send('PATCH', path, body, { contentType });
    await patch(namespace, { metadata: { labels: { [label('enforce')]: 'restricted' } } });
    const labelled = await patch(`${namespace}/pods/p`, { metadata: { labels: { a: 'b' } } });
    assert.equal(labelled.status, 200, messageOf(labelled));
    const other = { spec: { containers: [{ name: 'c', image: 'other' }] } };
    assertRefused(
      await patch(`${namespace}/pods/p`, other),
      403,
      `pods "p" is forbidden: violates PodSecurity "restricted:latest": ${why}`,
    );
  });

  it('admission §2 (12): who is exempt, and that it is written down', async (t) => {
    const exempting = await startCluster({
      admissionConfiguration: {
        PodSecurity: {
          apiVersion: 'pod-security.admission.config.k8s.io/v1',
          kind: 'PodSecurityConfiguration',
          exemptions: { usernames: ['root'] },
        },
      },
    });
    t.after(() => exempting.cluster.close());
    const namespace = await namespaceOf(exempting, { enforce: 'restricted' });
    const privileged = pod('p', {}, { securityContext: { privileged: true } });
    const groups = ['system:masters'];
    const asUser = (name: string) =>
      exempting.send('POST', `${namespace}/pods`, privileged, { user: { name, groups } });
    assertRefused(await asUser('ann'), 403, /privileged \(container "c" must not set/);
    const { status, auditAnnotations } = await asUser('root');
    assert.equal(status, 201);
    assert.equal(auditAnnotations[label('exempt')], 'user');
  });

  for (const [emulatedVersion, refused] of [
    ['1.32', 'restricted volume types (volume "v" uses restricted volume type "unknown")'],
    ['1.33', undefined],
    ['1.36', undefined],
  ] as const)
    it(`admission §2 (13): volumes of images, ${emulatedVersion}`, async (t) => {
      const featureGates = { ImageVolume: true };
      const emulated = await startCluster({ emulatedVersion, featureGates });
      t.after(() => emulated.cluster.close());
      const namespace = await namespaceOf(emulated, { enforce: 'restricted' });
      const volumes = [{ name: 'v', image: { reference: 'registry.example.com/data:1' } }];
      const given = pod('p', { volumes }, { securityContext: strict });
      const decision = await emulated.send('POST', `${namespace}/pods`, given);
      assert.equal(decision.status, refused === undefined ? 201 : 403, messageOf(decision));
      if (refused !== undefined) assert.ok(messageOf(decision).includes(refused));
    });
});
