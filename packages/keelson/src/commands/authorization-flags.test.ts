import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFeatures, createSigningKey, formatSigningKey } from '@keelson/apiserver';
import { Command } from 'commander';
import type { AuthorizationSettings } from '../authorization.ts';
import { parseGoFlags } from './go-flags.ts';
import { kubeApiserverFlags } from './kube-apiserver/flags.ts';
import { readKubeApiserverOptions } from './kube-apiserver/options.ts';
import {
  addAuthorizationFlags,
  readUpAuthorization,
  type UpAuthorizationFlags,
} from './up-authorization-flags.ts';

interface Folder {
  readonly key: string;
  readonly config: string;
  readonly policy: string;
}

function folderOf(t: TestContext): Folder {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-flags-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const write = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const authorizers = [
    { type: 'ABAC', name: 'abac' },
    { type: 'RBAC', name: 'rbac' },
  ];
  const head = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration' };
  return {
    key: write('sa.key', formatSigningKey(createSigningKey())),
    config: write('config.json', JSON.stringify({ ...head, authorizers })),
    policy: write('policy.jsonl', '{"user":"ann"}\n'),
  };
}

/** `keelson up` with these flags. */
function up(args: readonly string[]): AuthorizationSettings {
  const command = addAuthorizationFlags(new Command());
  command.parse([...args], { from: 'user' });
  return readUpAuthorization(command.opts<UpAuthorizationFlags>(), createFeatures());
}
/** `kube-apiserver` with these flags, and those that it must have. */
function dropIn(args: readonly string[], { key }: Folder): AuthorizationSettings | undefined {
  const needed = {
    'etcd-servers': 'http://127.0.0.1:2379',
    'service-account-issuer': 'https://x',
    'service-account-signing-key-file': key,
    'service-account-key-file': key,
  };
  const rest = Object.entries(needed).map(([name, value]) => `--${name}=${value}`);
  const flags = parseGoFlags(kubeApiserverFlags, [...rest, ...args]);
  return readKubeApiserverOptions(flags, () => {}).controlPlane.authorization;
}
const shown = (settings: AuthorizationSettings | undefined) =>
  settings?.configuration.authorizers.map((entry) =>
    entry.type === 'Webhook'
      ? `${entry.name} ${entry.webhook.subjectAccessReviewVersion} ${entry.webhook.authorizedTtlMs} ${entry.webhook.unauthorizedTtlMs}`
      : entry.name,
  );

test('the flags mean the same on both', (t) => {
  const folder = folderOf(t);
  const { config, policy } = folder;
  const webhook = ['--authorization-mode=Webhook,RBAC', '--authorization-webhook-config-file=/w'];
  const rows: [args: readonly string[], expected: readonly string[]][] = [
    [['--authorization-mode=AlwaysDeny,RBAC'], ['alwaysdeny', 'rbac']],
    [['--authorization-mode=ABAC', `--authorization-policy-file=${policy}`], ['abac']],
    [webhook, ['default v1beta1 300000 30000', 'rbac']],
    [
      [
        ...webhook,
        '--authorization-webhook-version=v1',
        '--authorization-webhook-cache-authorized-ttl=1m',
        '--authorization-webhook-cache-unauthorized-ttl=0s',
      ],
      ['default v1 60000 0', 'rbac'],
    ],
    [
      [`--authorization-config=${config}`, `--authorization-policy-file=${policy}`],
      ['abac', 'rbac'],
    ],
  ];
  for (const [args, expected] of rows) {
    assert.deepEqual(shown(up(args)), expected, args.join(' '));
    assert.deepEqual(shown(dropIn(args, folder)), expected, args.join(' '));
  }
  assert.deepEqual(shown(up([])), ['node', 'rbac']);
  assert.deepEqual(shown(dropIn([], folder)), ['alwaysallow']);
});

test('what is refused, on both', (t) => {
  const folder = folderOf(t);
  const both = [`--authorization-config=${folder.config}`, '--authorization-mode=RBAC'];
  const rows: [args: readonly string[], message: RegExp][] = [
    [both, /can not be specified when --authorization-mode/],
    [['--authorization-mode=Magic'], /authorization-mode "Magic" is not a valid mode/],
    [['--authorization-mode=RBAC,RBAC'], /\["RBAC" "RBAC"\] has mode specified more than once/],
    [['--authorization-mode=ABAC'], /authorization policy file not passed/],
    [['--authorization-webhook-config-file=/w'], /without mode Webhook/],
    [['--authorization-config=/none'], /failed to load AuthorizationConfiguration from file/],
  ];
  for (const [args, message] of rows) {
    assert.throws(() => up(args), { name: 'AuthorizationConfigurationError', message });
    assert.throws(() => dropIn(args, folder), { name: 'AuthorizationConfigurationError', message });
  }
});
