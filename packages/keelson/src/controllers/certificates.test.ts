import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import { createSeededRandom, createSimulatedClock } from '@keelson/apimachinery';
import { createCertificateAuthority, createCertificateRequest } from '@keelson/apiserver';
import type { UserSpec } from '../in-process-client.ts';
import { find, simulateCluster } from '../testing/simulated-cluster.ts';

const signing = 'certificatesigningrequest-signing-controller';
const approving = 'certificatesigningrequest-approving-controller';
const cleaner = 'certificatesigningrequest-cleaner-controller';
const csrs = {
  group: 'certificates.k8s.io',
  version: 'v1',
  resource: 'certificatesigningrequests',
} as const;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const hour = 3_600_000;
const minute = 60_000;

interface Wanted {
  readonly cn?: string;
  readonly o?: string[];
  readonly dnsNames?: string[];
  readonly usages?: string[];
  readonly signerName?: string;
  readonly expirationSeconds?: number;
}
const nodeClient: Wanted = {
  cn: 'system:node:n1',
  o: ['system:nodes'],
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
};

function requestFor(name: string, wanted: Wanted): CertificateSigningRequest {
  const { cn = 'ann', o = ['devs'], dnsNames = [], usages, signerName, ...spec } = wanted;
  const subject = { commonName: cn, organizations: o };
  const pem = createCertificateRequest(subject, privateKey, { dnsNames });
  return {
    metadata: { name },
    spec: {
      request: Buffer.from(pem).toString('base64'),
      signerName: signerName ?? 'kubernetes.io/kube-apiserver-client',
      usages: usages ?? ['digital signature', 'client auth'],
      ...spec,
    },
  };
}

async function simulate(t: TestContext, controllers: readonly string[], settings = {}) {
  const simulated = await simulateCluster(t, { controllers, controllerSettings: settings });
  const { cluster, client, clock } = simulated;
  const resource = client.resource<CertificateSigningRequest>(csrs);
  return {
    ...simulated,
    resource,
    async ask(wanted: Wanted, user?: UserSpec) {
      const name = `r${(await resource.list()).items.length}`;
      const by = cluster.client(user).resource<CertificateSigningRequest>(csrs);
      await by.create(requestFor(name, wanted));
      await clock.advance(10);
      return name;
    },
    async decide(name: string, type: 'Approved' | 'Denied') {
      const condition = { type, status: 'True', reason: 'ByHand' };
      const patch = { status: { conditions: [condition] } };
      await resource.patch(name, 'merge', patch, { subresource: 'approval' });
      await clock.advance(10);
    },
    /** `Approved AutoApproved`, for each condition. */
    async conditions(name: string) {
      const { status } = await resource.get(name);
      return (status?.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`);
    },
    async certificate(name: string) {
      const { status } = await resource.get(name);
      const pem = Buffer.from(status?.certificate ?? '', 'base64').toString();
      return pem === '' ? undefined : new X509Certificate(pem);
    },
  };
}

test('approved requests are signed, all others are not', async (t) => {
  const { ask, decide, certificate, conditions, cluster, warnings } = await simulate(t, [signing]);
  const rows: [
    what: string,
    wanted: Wanted,
    decision: 'Approved' | 'Denied' | '',
    signed: boolean,
  ][] = [
    ['approved', {}, 'Approved', true],
    ['undecided', {}, '', false],
    ['denied', {}, 'Denied', false],
    ['another signer', { signerName: 'example.com/mine' }, 'Approved', false],
  ];
  for (const [what, wanted, decision, signed] of rows) {
    const name = await ask(wanted);
    if (decision !== '') await decide(name, decision);
    assert.equal((await certificate(name)) !== undefined, signed, what);
    assert.deepEqual(await conditions(name), decision === '' ? [] : [`${decision} ByHand`], what);
  }
  const name = await ask({ cn: 'bob', o: ['ops'] });
  await decide(name, 'Approved');
  const own = await certificate(name);
  assert.equal(own?.subject, 'O=ops\nCN=bob');
  assert.ok(own.checkPrivateKey(privateKey));
  const { kubeconfig } = await cluster.listen();
  const [, authority = ''] =
    /certificate-authority-data: ['"]?(?:>-\s*)?([\w+/=\s]+)/.exec(kubeconfig) ?? [];
  const ca = new X509Certificate(Buffer.from(authority, 'base64'));
  assert.ok(own.checkIssued(ca) && own.verify(ca.publicKey));
  assert.deepEqual(warnings, []);
});

test('each signer signs with its own authority, and one without signs nothing', async (t) => {
  const random = createSeededRandom(5);
  const clock = createSimulatedClock();
  const authority = createCertificateAuthority({ clock, random }, { commonName: 'for clients' });
  const signingAuthorities = new Map([['kubernetes.io/kube-apiserver-client', authority]]);
  const { ask, decide, certificate, conditions } = await simulate(t, [signing], {
    signingAuthorities,
  });
  const [client, node] = [await ask({}), await ask(nodeClient)];
  for (const name of [client, node]) await decide(name, 'Approved');
  assert.equal((await certificate(client))?.issuer, 'CN=for clients');
  assert.equal(await certificate(node), undefined);
  assert.deepEqual(await conditions(node), ['Approved ByHand']);
});

test('how long certificates last', async (t) => {
  const day = 24 * hour;
  const rows: [what: string, seconds: number | undefined, lastsMs: number][] = [
    ['as long as the signer says', undefined, 10 * day - 5 * minute],
    ['shorter', 9 * 3600, 9 * hour - 5 * minute],
    ['short ones are not cut', 7 * 3600, 7 * hour],
    ['the shortest', 600, 10 * minute],
    ['not longer', 20 * 24 * 3600, 10 * day - 5 * minute],
  ];
  const settings = { certificateDurationMs: 10 * day };
  const { ask, decide, certificate, clock } = await simulate(t, [signing], settings);
  for (const [what, expirationSeconds, lastsMs] of rows) {
    const name = await ask(expirationSeconds === undefined ? {} : { expirationSeconds });
    await decide(name, 'Approved');
    const signed = await certificate(name);
    const near = (date: string | undefined, ms: number) =>
      Math.abs(Date.parse(date ?? '') - clock.now() - ms) < 2_000;
    assert.ok(near(signed?.validFrom, -5 * minute), `${what}: ${signed?.validFrom}`);
    assert.ok(near(signed?.validTo, lastsMs), `${what}: ${signed?.validTo}`);
  }
});

test('a request that breaks the rules of its signer has failed', async (t) => {
  const { ask, decide, resource, certificate, clock } = await simulate(t, [signing]);
  const name = await ask({ ...nodeClient, dnsNames: ['n1'] });
  await decide(name, 'Approved');
  const failed = (await resource.get(name)).status?.conditions?.[1];
  assert.equal(failed?.type, 'Failed');
  assert.equal(failed.reason, 'SignerValidationFailure');
  assert.equal(failed.message, 'DNS subjectAltNames are not allowed');
  await clock.advance(hour);
  assert.equal((await resource.get(name)).status?.conditions?.length, 2);
  assert.equal(await certificate(name), undefined);
});

test('kubelets are approved when an access review says so', async (t) => {
  const { ask, conditions, client, clock } = await simulate(t, [approving, signing]);
  const self: UserSpec = { name: 'system:node:n1', groups: ['system:nodes'] };
  const bootstrapper: UserSpec = { name: 'system:bootstrap:abcdef', groups: ['boot'] };
  const prefix = 'system:certificates.k8s.io:certificatesigningrequests:';
  const bind = (role: string, group: string) =>
    client
      .resource({
        group: 'rbac.authorization.k8s.io',
        version: 'v1',
        resource: 'clusterrolebindings',
      })
      .create({
        metadata: { name: `test:${role}` },
        subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: group }],
        roleRef: {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'ClusterRole',
          name: role,
        },
      });
  await bind('system:node-bootstrapper', 'system:authenticated');
  const early = await ask(nodeClient, self);
  assert.deepEqual(await conditions(early), []);
  await bind(`${prefix}selfnodeclient`, 'system:nodes');
  await bind(`${prefix}nodeclient`, 'boot');
  await clock.advance(2 * minute);
  // Rights that came later count too.
  assert.deepEqual(await conditions(early), ['Approved AutoApproved']);
  const rows: [what: string, wanted: Wanted, user: UserSpec | undefined, approved: boolean][] = [
    ['itself', nodeClient, self, true],
    ['another node', { ...nodeClient, cn: 'system:node:n2' }, self, false],
    ['any node, with a bootstrap token', nodeClient, bootstrapper, true],
    ['nobody in particular', nodeClient, { name: 'eve' }, false],
    ['not a node', { ...nodeClient, o: ['system:masters'] }, bootstrapper, false],
    ['an administrator, who may everything', nodeClient, undefined, true],
    ['a person', {}, bootstrapper, false],
    [
      'for servers',
      {
        ...nodeClient,
        dnsNames: ['n1'],
        usages: ['digital signature', 'server auth'],
        signerName: 'kubernetes.io/kubelet-serving',
      },
      self,
      false,
    ],
  ];
  for (const [what, wanted, user, approved] of rows) {
    let name: string;
    try {
      name = await ask(wanted, user);
    } catch (error) {
      // NodeRestriction keeps nodes from asking for others.
      assert.ok(!approved, `${what}: ${String(error)}`);
      continue;
    }
    const seen = await conditions(name);
    assert.deepEqual(seen, approved ? ['Approved AutoApproved'] : [], what);
  }
});

test('old requests are deleted', async (t) => {
  const { ask, decide, resource, clock } = await simulate(t, [signing, cleaner]);
  const pending = await ask({});
  const denied = await ask({});
  await decide(denied, 'Denied');
  const issued = await ask({});
  await decide(issued, 'Approved');
  const foreign = await ask({ signerName: 'example.com/mine' });
  await decide(foreign, 'Approved');
  const failed = await ask({ usages: ['server auth'] });
  await decide(failed, 'Approved');
  const left = async () =>
    Promise.all(
      [pending, denied, issued, foreign, failed].map(
        async (n) => (await find(resource, n)) !== undefined,
      ),
    );
  await clock.advance(59 * minute);
  assert.deepEqual(await left(), [true, true, true, true, true]);
  await clock.advance(2 * hour);
  assert.deepEqual(await left(), [true, false, false, false, false]);
  await clock.advance(20 * hour);
  assert.deepEqual(await left(), [true, false, false, false, false]);
  await clock.advance(3 * hour);
  assert.deepEqual(await left(), [false, false, false, false, false]);
});

test('a certificate that expired ends its request', async (t) => {
  const { resource, clock, ask, decide } = await simulate(t, [signing, cleaner]);
  await clock.advance(30 * minute);
  const short = await ask({ expirationSeconds: 600 });
  const long = await ask({ expirationSeconds: 3600 });
  for (const name of [short, long]) await decide(name, 'Approved');
  await clock.advance(29 * minute);
  assert.ok(await find(resource, short));
  await clock.advance(2 * minute);
  assert.equal(await find(resource, short), undefined);
  assert.ok(await find(resource, long));
});
