import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
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
  assert.deepEqual(readControllerFlags(parse([]), dependencies), {
    controllerSettings: {
      certificateDurationMs: 8760 * hour,
      legacyTokenCleanUpPeriodMs: 8760 * hour,
      autoscalerSyncPeriodMs: 15_000,
    },
  });
});

test('an authority of its own, and periods', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'keelson-controller-flags-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const authority = createCertificateAuthority(dependencies, { commonName: 'mine' });
  const cert = join(dir, 'ca.crt');
  const key = join(dir, 'ca.key');
  writeFileSync(cert, authority.certificatePem);
  writeFileSync(key, authority.privateKeyPem);
  const files = ['--cluster-signing-cert-file', cert, '--cluster-signing-key-file', key];
  const more = [
    '--cluster-signing-duration=1h',
    '--legacy-service-account-token-clean-up-period=24h',
  ];
  const read = readControllerFlags(parse([...files, ...more]), dependencies);
  assert.equal(read.signingAuthority?.certificatePem, authority.certificatePem);
  assert.deepEqual(read.controllerSettings, {
    certificateDurationMs: hour,
    legacyTokenCleanUpPeriodMs: 24 * hour,
    autoscalerSyncPeriodMs: 15_000,
  });
  const together = /go together/;
  assert.throws(() => readControllerFlags(parse(files.slice(0, 2)), dependencies), together);
  assert.throws(() => readControllerFlags(parse(files.slice(2)), dependencies), together);
  writeFileSync(key, createCertificateAuthority(dependencies, { commonName: 'x' }).privateKeyPem);
  assert.throws(() => readControllerFlags(parse(files), dependencies), /does not belong/);
  rmSync(key);
  assert.throws(() => readControllerFlags(parse(files), dependencies), /ENOENT/);
});

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
