import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createSeededRandom, createSimulatedClock } from '@keelson/apimachinery';
import { createCertificateAuthority } from '@keelson/apiserver';
import { Command } from 'commander';
import {
  addControllerFlags,
  readControllerFlags,
  type ControllerFlags,
} from './controller-flags.ts';

const dependencies = {
  clock: createSimulatedClock(),
  random: createSeededRandom(3),
  isEnabled: () => true,
};
const parse = (argv: readonly string[]): ControllerFlags =>
  addControllerFlags(new Command().exitOverride().configureOutput({ writeErr: () => {} }))
    .parse(argv, { from: 'user' })
    .opts<ControllerFlags>();
const hour = 3_600_000;

test('defaults are kube-controller-manager’s', () => {
  assert.deepEqual(readControllerFlags(parse([]), dependencies).controllerSettings, {
    certificateDurationMs: 8760 * hour,
    legacyTokenCleanUpPeriodMs: 8760 * hour,
    autoscalerSyncPeriodMs: 15_000,
    isForceDetachDisabled: false,
  });
});

test('an authority of its own, and periods', (t) => {
  const more = [
    '--cluster-signing-duration=1h',
    '--legacy-service-account-token-clean-up-period=24h',
    '--disable-force-detach-on-timeout',
  ];
  const { authority, cert, key } = writeAuthority(t);
  const { signingAuthorities, ...periods } = readControllerFlags(
    parse([`--cluster-signing-cert-file=${cert}`, `--cluster-signing-key-file=${key}`, ...more]),
    dependencies,
  ).controllerSettings;
  assert.deepEqual(
    [...(signingAuthorities ?? [])].map(([signer, { certificatePem }]) => [signer, certificatePem]),
    [
      'kubernetes.io/kubelet-serving',
      'kubernetes.io/kube-apiserver-client-kubelet',
      'kubernetes.io/kube-apiserver-client',
      'kubernetes.io/legacy-unknown',
    ].map((signer) => [signer, authority.certificatePem]),
  );
  assert.deepEqual(periods, {
    certificateDurationMs: hour,
    legacyTokenCleanUpPeriodMs: 24 * hour,
    autoscalerSyncPeriodMs: 15_000,
    isForceDetachDisabled: true,
  });
});

test('authorities for single signers sign for those alone', (t) => {
  const [serving, client] = [writeAuthority(t), writeAuthority(t)];
  const { signingAuthorities } = readControllerFlags(
    parse([
      `--cluster-signing-kubelet-serving-cert-file=${serving.cert}`,
      `--cluster-signing-kubelet-serving-key-file=${serving.key}`,
      `--cluster-signing-kubelet-client-cert-file=${client.cert}`,
      `--cluster-signing-kubelet-client-key-file=${client.key}`,
      '--cluster-signing-legacy-unknown-cert-file=',
    ]),
    dependencies,
  ).controllerSettings;
  assert.deepEqual(
    [...(signingAuthorities ?? [])].map(([signer, { certificatePem }]) => [signer, certificatePem]),
    [
      ['kubernetes.io/kubelet-serving', serving.authority.certificatePem],
      ['kubernetes.io/kube-apiserver-client-kubelet', client.authority.certificatePem],
    ],
  );
});

test('authorities that cannot be had', (t) => {
  const { cert, key } = writeAuthority(t);
  const other = writeAuthority(t);
  const without = (name: string, half: string) =>
    `"cluster-signing-${name}": cannot specify ${half === 'cert' ? 'cert without key' : 'key without cert'}`;
  const together = '--cluster-signing-cert-file and --cluster-signing-key-file go together';
  const notBoth =
    'cannot specify --cluster-signing-{cert,key}-file and other --cluster-signing-*-file flags at the same time';
  const gone = join(tmpdir(), 'keelson-no-such-file');
  const rows: [flags: Record<string, string>, text: string | RegExp][] = [
    [{ 'kubelet-serving-cert': cert }, without('kubelet-serving', 'cert')],
    [{ 'kubelet-serving-key': key }, without('kubelet-serving', 'key')],
    [{ 'kubelet-client-cert': cert }, without('kube-apiserver-client', 'cert')],
    [{ 'kube-apiserver-client-key': key }, without('kube-apiserver', 'key')],
    [{ 'legacy-unknown-cert': cert }, without('legacy-unknown', 'cert')],
    [{ cert }, together],
    [{ key }, together],
    [{ cert, key, 'legacy-unknown-cert': cert, 'legacy-unknown-key': key }, notBoth],
    [
      { cert, 'kubelet-client-key': key },
      [without('kube-apiserver-client', 'key'), notBoth, together].join(', '),
    ],
    [{ cert, key: other.key }, /^--cluster-signing-cert-file .*: .*does not belong/],
    [
      { 'legacy-unknown-cert': gone, 'legacy-unknown-key': key },
      /^--cluster-signing-legacy-unknown-cert-file .*: ENOENT/,
    ],
  ];
  for (const [flags, text] of rows) {
    const argv = Object.entries(flags).map(([n, file]) => `--cluster-signing-${n}-file=${file}`);
    assert.throws(() => readControllerFlags(parse(argv), dependencies), {
      name: 'ControllerFlagError',
      message: text,
    });
  }
});

function writeAuthority(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'keelson-controller-flags-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const authority = createCertificateAuthority(dependencies, { commonName: 'mine' });
  const cert = join(dir, 'ca.crt');
  const key = join(dir, 'ca.key');
  writeFileSync(cert, authority.certificatePem);
  writeFileSync(key, authority.privateKeyPem);
  return { authority, cert, key };
}

for (const value of ['0s', '-1h', 'x', ''])
  test(`no duration: ${JSON.stringify(value)}`, () => {
    for (const flag of ['cluster-signing-duration', 'legacy-service-account-token-clean-up-period'])
      assert.throws(() => parse([`--${flag}=${value}`]), /a duration is needed/);
  });

test('leader election, off unless it is asked for', () => {
  const of = (...argv: string[]) => readControllerFlags(parse(argv), dependencies).leaderElection;
  const times = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };
  assert.equal(of(), undefined);
  assert.equal(of('--leader-elect=false', '--leader-elect-lease-duration=1s'), undefined);
  assert.deepEqual(of('--leader-elect'), { times, namespace: 'kube-system' });
  const others = ['lease-duration=60s', 'renew-deadline=40s', 'retry-period=5s'];
  assert.deepEqual(
    of(
      '--leader-elect=true',
      ...others.map((flag) => `--leader-elect-${flag}`),
      '--leader-elect-resource-namespace=locks',
    ),
    {
      times: { leaseDurationMs: 60_000, renewDeadlineMs: 40_000, retryPeriodMs: 5_000 },
      namespace: 'locks',
    },
  );
});

for (const [flag, text] of [
  ['lease-duration=10s', 'leaseDuration must be greater than renewDeadline'],
  ['retry-period=9s', 'renewDeadline must be greater than retryPeriod*JitterFactor'],
] as const)
  test(`no election with ${flag}`, () =>
    assert.throws(
      () => readControllerFlags(parse(['--leader-elect', `--leader-elect-${flag}`]), dependencies),
      { name: 'ControllerFlagError', message: `--leader-elect: ${text}` },
    ));

for (const flag of ['resource-lock=endpoints', 'retry-period=0s', 'resource-name=mine'])
  test(`no flag: ${flag}`, () => assert.throws(() => parse([`--leader-elect-${flag}`])));

test('the profiles of the scheduler come from a file, and what is wrong with it names the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-scheduler-'));
  const file = join(folder, 'scheduler.yaml');
  const head = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n';
  const read = () => readControllerFlags(parse([`--scheduler-config=${file}`]), dependencies);
  try {
    assert.throws(read, /--scheduler-config .*scheduler\.yaml: ENOENT/);
    writeFileSync(file, `${head}profiles: [{schedulerName: a}, {schedulerName: b}]\n`);
    const { scheduler } = read().controllerSettings;
    assert.deepEqual(
      scheduler?.profiles.map(({ schedulerName }) => schedulerName),
      ['a', 'b'],
    );
    writeFileSync(file, `${head}percentage: 3\n`);
    assert.throws(read, /scheduler\.yaml: strict decoding error: unknown field "percentage"$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('addresses for the pods of nodes, when they are asked for', () => {
  const nodeCidrs = (...argv: readonly string[]) =>
    readControllerFlags(parse(argv), dependencies).controllerSettings.nodeCidrs;
  const range = '--cluster-cidr=10.244.0.0/16';
  const on = '--allocate-node-cidrs';
  assert.equal(nodeCidrs(range, '--node-cidr-mask-size=8'), undefined);
  assert.deepEqual(nodeCidrs(on, range, '--node-cidr-mask-size-ipv4=26'), {
    clusterCidr: '10.244.0.0/16',
    maskSize: undefined,
    maskSizeIpv4: 26,
    maskSizeIpv6: undefined,
  });
  for (const [argv, why] of [
    [[on], /--cluster-cidr is needed when --allocate-node-cidrs is set/],
    [[on, range, '--node-cidr-mask-size=8'], /--cluster-cidr 10.244.0.0\/16: .*nodeCIDRMaskSize/],
    [[on, '--cluster-cidr=ten'], /invalid CIDR address: ten/],
    [[on, range, '--node-cidr-mask-size=big'], /a number of bits/],
  ] as const)
    assert.throws(() => nodeCidrs(...argv), why);
});
