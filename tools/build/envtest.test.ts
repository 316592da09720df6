// `KUBEBUILDER_ASSETS=dist/envtest` works: what envtest does with the programs is done here, flag
// by flag, and kubectl is run against what it started.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createSigningKey, formatSigningKey } from '@keelson/apiserver';
import {
  freePort,
  hasFlag,
  startTestEnvironment,
  type TestEnvironment,
} from './envtest-harness.ts';

let folder: string;
let assets: string;
let env: TestEnvironment;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-envtest-'));
  execFileSync(process.execPath, [join(import.meta.dirname, 'bundle.ts'), join(folder, 'dist')]);
  assets = join(folder, 'dist', 'envtest');
  // The programs take their Node from here, as a repository's tests take it from node_modules.
  process.env['KEELSON_NODE'] = process.execPath;
  env = await startTestEnvironment(assets);
});
after(async () => {
  await env?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'ships.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'ships', singular: 'ship', kind: 'Ship', listKind: 'ShipList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { masts: { type: 'integer', minimum: 1 } } },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
};

describe('what envtest does', () => {
  const ships = '/apis/example.com/v1/namespaces/default/ships';
  const ship = (masts: number) => ({
    apiVersion: 'example.com/v1',
    kind: 'Ship',
    metadata: { name: 'argo' },
    spec: { masts },
  });

  it('no flag is a surprise to the servers', () => {
    const { etcd, kubeApiserver } = env.programs;
    assert.equal(etcd.output() + kubeApiserver.output(), '');
  });

  it('a provisioned administrator installs a definition and creates objects', async () => {
    const admin = env.addUser('envtest-admin', ['system:masters']);
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    assert.equal((await admin.call('POST', path, definition)).status, 201);
    for (let tries = 0; (await admin.call('GET', ships)).status !== 200; tries++) {
      assert.ok(tries < 50, 'the custom resource is served');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal((await admin.call('POST', ships, ship(2))).status, 201);
    const refused = await admin.call('POST', ships, { ...ship(0), metadata: { name: 'b' } });
    assert.equal(refused.status, 422);
    assert.match(refused.text, /spec\.masts/);
    const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const created = await admin.call('POST', '/api/v1/namespaces/default/pods', pod);
    assert.equal(created.status, 201, created.text);
  });

  it('a user without roles is known by name and may do nothing', async () => {
    const user = env.addUser('nobody-in-particular', []);
    const answer = await user.call('GET', ships);
    assert.equal(answer.status, 403);
    assert.match(answer.text, /User \\"nobody-in-particular\\" cannot list/);
  });

  it('tokens are issued and verified with the given key', async () => {
    const admin = env.addUser('envtest-admin', ['system:masters']);
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await admin.call('POST', accounts, { metadata: { name: 'robot' } });
    const answer = await admin.call('POST', `${accounts}/robot/token`, { spec: {} });
    assert.equal(answer.status, 201, answer.text);
    const { token } = JSON.parse(answer.text).status;
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
    assert.equal(claims.iss, `${env.url}/`);
    const review = await admin.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      spec: { token },
    });
    assert.equal(
      JSON.parse(review.text).status.user.username,
      'system:serviceaccount:default:robot',
    );
  });

  it('a kube-apiserver that starts again finds its state with etcd', async () => {
    await env.restartKubeApiserver();
    const admin = env.addUser('envtest-admin', ['system:masters']);
    for (let tries = 0; ; tries++) {
      const answer = await admin.call('GET', `${ships}/argo`);
      if (answer.status === 200) break;
      assert.ok(tries < 50, answer.text);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  it('kubectl works against it', (t) => {
    if (spawnSync('kubectl', ['version', '--client']).status !== 0)
      return t.skip('kubectl is not installed');
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, kubeconfigOf(env));
    const kubectl = (args: readonly string[], input = '') =>
      execFileSync(join(assets, 'kubectl'), ['--kubeconfig', kubeconfig, ...args], {
        encoding: 'utf8',
        input,
        timeout: 30_000,
      });
    const named = { apiVersion: 'example.com/v1', kind: 'Ship', metadata: { name: 'vasa' } };
    const applied = kubectl(['apply', '-f', '-'], JSON.stringify({ ...named, spec: { masts: 3 } }));
    assert.equal(applied, 'ship.example.com/vasa created\n');
    assert.match(kubectl(['get', 'ships', '-o', 'name']), /^ship\.example\.com\/vasa$/m);
    assert.match(kubectl(['delete', 'ship', 'vasa']), /^ship\.example\.com "vasa" deleted/);
  });
});

function kubeconfigOf(environment: TestEnvironment): string {
  const { pair } = environment.addUser('kubectl', ['system:masters']);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const name = 'envtest';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      {
        name,
        cluster: {
          server: environment.url,
          'certificate-authority-data': base64(environment.servingCaPem),
        },
      },
    ],
    users: [
      {
        name,
        user: {
          'client-certificate-data': base64(pair.certificatePem),
          'client-key-data': base64(pair.privateKeyPem),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}

describe('flags of the stand-ins', () => {
  const required = [
    '--service-account-issuer=https://x',
    '--service-account-signing-key-file=/nowhere/sa.key',
    '--etcd-servers=http://127.0.0.1:1',
  ];
  const rows: readonly [program: string, flags: readonly string[], stderr: RegExp][] = [
    ['kube-apiserver', ['--nope'], /^Error: unknown flag: --nope\n/],
    [
      'kube-apiserver',
      ['up'],
      /^Error: "kube-apiserver" does not take any arguments, got \["up"\]/,
    ],
    [
      'kube-apiserver',
      [],
      /^Error: \[--etcd-servers must be specified, service-account-issuer is a/,
    ],
    ['kube-apiserver', [...required, '--secure-port=0'], /^Error: --secure-port 0 must be between/],
    ['kube-apiserver', required, /^Error: open \/nowhere\/sa.key: no such file or directory\n/],
    [
      'kube-apiserver',
      [...required, '--encryption-provider-config=x'],
      /^Error: --encryption-provider-config cannot be honoured/,
    ],
    ['etcd', ['--nope'], /^etcd: unknown flag: --nope\n/],
    [
      'etcd',
      ['--listen-client-urls=https://x'],
      /^etcd: --listen-client-urls: https:\/\/x is not an/,
    ],
  ];
  for (const [program, flags, stderr] of rows)
    it(`${program} ${flags.join(' ')}`, () => {
      const answer = spawnSync(join(assets, program), flags, { encoding: 'utf8', timeout: 20_000 });
      assert.match(answer.stderr, stderr);
      assert.equal(answer.status, 1);
    });

  it('help names flags as envtest looks for them', () => {
    assert.equal(hasFlag(join(assets, 'etcd'), 'unsafe-no-fsync'), true);
    assert.equal(hasFlag(join(assets, 'kube-apiserver'), 'insecure-port'), false);
    assert.equal(hasFlag(join(assets, 'kube-apiserver'), 'secure-port'), true);
  });

  it('another etcd is refused, and flags without effect are named', async (t) => {
    const server = createServer((_request, response) => response.end('404 page not found'));
    t.after(() => server.close());
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const key = join(folder, 'sa.key');
    writeFileSync(key, formatSigningKey(createSigningKey()));
    const child = spawn(join(assets, 'kube-apiserver'), [
      '--service-account-issuer=https://x',
      `--service-account-signing-key-file=${key}`,
      `--etcd-servers=http://127.0.0.1:${port}`,
      `--cert-dir=${join(folder, 'certs')}`,
      '--event-ttl=2h',
      '--secure-port=65000',
    ]);
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 1);
    assert.match(
      text,
      /^Flag --event-ttl has no effect in Keelson .*\nError: .*is not Keelson's etcd/,
    );
  });
});
