import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createCluster, type Cluster } from '@keelson/keelson';

const program = fileURLToPath(new URL('signer.ts', import.meta.url));
const softHsmModules = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
];

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-signer-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Resolves when the signer listens. It ends with the test. */
async function startSigner(
  t: TestContext,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  for await (const chunk of child.stdout) if (String(chunk).includes('signing on')) return;
  throw new Error('the signer ended');
}

function writeKey(file: string): void {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
}

async function startCluster(t: TestContext, endpoint: string): Promise<Cluster> {
  const cluster = await createCluster({
    controllers: [],
    serviceAccounts: { tokenSigningEndpoint: endpoint },
  });
  t.after(() => cluster.close());
  const accounts = cluster
    .client()
    .resource({ group: '', version: 'v1', resource: 'serviceaccounts' })
    .namespace('default');
  await accounts.create({ metadata: { name: 'bot' } });
  return cluster;
}

async function issue(cluster: Cluster): Promise<string> {
  const answer = await cluster
    .client()
    .resource({ group: '', version: 'v1', resource: 'serviceaccounts' })
    .namespace('default')
    .create(
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {}, spec: {} },
      { name: 'bot', subresource: 'token' },
    );
  return (answer['status'] as { token: string }).token;
}

async function userOf(cluster: Cluster, token: string): Promise<string | undefined> {
  const review = await cluster
    .client()
    .resource({ group: 'authentication.k8s.io', version: 'v1', resource: 'tokenreviews' })
    .create({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token },
    });
  return (review['status'] as { user?: { username?: string } }).user?.username;
}

const keyIdOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string })
    .kid;

/** Checks a token with the published keys alone, as others would. */
async function verifies(cluster: Cluster, token: string): Promise<boolean> {
  const bytes = await cluster
    .client()
    .send({ method: 'GET', path: '/openid/v1/jwks', headers: { accept: '*/*' } });
  const { keys } = JSON.parse(Buffer.from(bytes).toString()) as {
    keys: (Record<string, string> & { kid: string })[];
  };
  const jwk = keys.find(({ kid }) => kid === keyIdOf(token));
  if (jwk === undefined) return false;
  const [header, claims, signature = ''] = token.split('.');
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
}

const bot = 'system:serviceaccount:default:bot';

test('a signer with key files, and its keys change', async (t) => {
  const folder = createFolder(t);
  const keys = join(folder, 'keys');
  mkdirSync(keys);
  writeKey(join(keys, '2026-01.pem'));
  const socket = join(folder, 'signer.sock');
  await startSigner(t, ['--socket', socket, '--key-file', keys]);
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  const cluster = await startCluster(t, socket);
  const first = await issue(cluster);
  assert.equal(await userOf(cluster, first), bot);
  assert.ok(await verifies(cluster, first));

  writeKey(join(keys, '2026-02.pem'));
  const second = await issue(cluster);
  assert.notEqual(keyIdOf(second), keyIdOf(first));
  assert.equal(await userOf(cluster, second), bot);
  assert.equal(await userOf(cluster, first), bot);
  assert.ok(await verifies(cluster, second));

  renameSync(join(keys, '2026-01.pem'), join(keys, '2026-01.excluded.pem'));
  writeKey(join(keys, '2026-03.pem'));
  await issue(cluster);
  assert.equal(await userOf(cluster, first), bot);
  assert.equal(await verifies(cluster, first), false);
});

test('auth §6.9 (9): a server that is there first waits for the signer', async (t) => {
  const folder = createFolder(t);
  writeKey(join(folder, 'a.pem'));
  const socket = join(folder, 'signer.sock');
  const starting = startCluster(t, socket);
  await startSigner(t, ['--socket', socket, '--key-file', folder]);
  const cluster = await starting;
  assert.equal(await userOf(cluster, await issue(cluster)), bot);
});

test('auth §6.9 (14): the signer says how long a token may live', async (t) => {
  const folder = createFolder(t);
  writeKey(join(folder, 'a.pem'));
  const signerOf = async (name: string, seconds: number) => {
    const socket = join(folder, name);
    const most = `--max-expiration-seconds=${seconds}`;
    await startSigner(t, ['--socket', socket, '--key-file', folder, most]);
    return socket;
  };
  const short = await signerOf('short.sock', 600);
  const token = await issue(await startCluster(t, short));
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    exp: number;
    iat: number;
  };
  assert.equal(claims.exp - claims.iat, 600);
  await assert.rejects(startCluster(t, await signerOf('shorter.sock', 599)), {
    message:
      'while setting up external-jwt-signer: max token life supported by external-jwt-signer (599s) is less than acceptable (min 600s)',
  });
  await assert.rejects(
    createCluster({
      controllers: [],
      serviceAccounts: { tokenSigningEndpoint: short, tokenExpirationSecondsMax: 3600 },
    }),
    {
      message:
        'service-account-max-token-expiration cannot be set longer than the token expiration supported by service-account-signing-endpoint: 1h0m0s > 10m0s',
    },
  );
});

test('an abstract socket', { skip: process.platform !== 'linux' }, async (t) => {
  const folder = createFolder(t);
  writeKey(join(folder, 'a.pem'));
  const socket = `@keelson-signer-${process.pid}`;
  await startSigner(t, ['--socket', socket, '--key-file', folder]);
  const cluster = await startCluster(t, socket);
  assert.equal(await userOf(cluster, await issue(cluster)), bot);
});

test('a signer whose key lies in a PKCS #11 token', async (t) => {
  const module = softHsmModules.find((file) => existsSync(file));
  const missing = ['softhsm2-util', 'pkcs11-tool'].filter(
    (tool) => spawnSync(tool, ['--help']).error !== undefined,
  );
  if (module === undefined || missing.length > 0)
    return t.skip('needs the Debian packages softhsm2 and opensc');
  const folder = createFolder(t);
  mkdirSync(join(folder, 'tokens'));
  const config = join(folder, 'softhsm2.conf');
  writeFileSync(config, `directories.tokendir = ${join(folder, 'tokens')}\n`);
  const env = { SOFTHSM2_CONF: config, PKCS11_PIN: '1234' };
  const run = (tool: string, ...args: readonly string[]) =>
    execFileSync(tool, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  run(
    'softhsm2-util',
    '--init-token',
    '--free',
    '--label',
    'signer',
    '--pin',
    '1234',
    '--so-pin',
    '5678',
  );
  const token = [
    '--module',
    module,
    '--token-label',
    'signer',
    '--login',
    '--pin',
    'env:PKCS11_PIN',
  ];
  run(
    'pkcs11-tool',
    ...token,
    '--keypairgen',
    '--key-type',
    'EC:prime256v1',
    '--label',
    'sa',
    '--usage-sign',
  );
  const socket = join(folder, 'signer.sock');
  await startSigner(t, ['--socket', socket, '--pkcs11-module', module], env);
  const cluster = await startCluster(t, socket);
  const issued = await issue(cluster);
  assert.equal(await userOf(cluster, issued), bot);
  assert.ok(await verifies(cluster, issued));
});
