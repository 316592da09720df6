// Plays controller-runtime's envtest: the same flags, the same health checks, the same files in the
// same places, users by certificates of an authority of its own, and SIGTERM at the end.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import {
  createCertificateAuthority,
  type CertificateAuthority,
  type KeyPairPem,
} from '@keelson/apiserver';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface TestUser {
  readonly pair: KeyPairPem;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
}

export interface TestEnvironment {
  readonly url: string;
  readonly servingCaPem: string;
  readonly programs: { readonly etcd: Program; readonly kubeApiserver: Program };
  addUser(name: string, groups: readonly string[]): TestUser;
  restartKubeApiserver(): Promise<void>;
  stop(): Promise<void>;
}

/** `assets` is what `KUBEBUILDER_ASSETS` names. */
export async function startTestEnvironment(assets: string): Promise<TestEnvironment> {
  const certDir = mkdtempSync(join(tmpdir(), 'k8s_test_framework_'));
  const dataDir = mkdtempSync(join(tmpdir(), 'k8s_test_framework_'));
  const authorities = {
    serving: createAuthority('serving'),
    clients: createAuthority('clients'),
    tokens: createAuthority('tokens'),
  };
  writeCertificates(certDir, authorities);
  const etcdUrl = `http://127.0.0.1:${await freePort()}`;
  const etcdPath = join(assets, 'etcd');
  const etcd = createProgram(etcdPath, `${etcdUrl}/health`, [
    `--advertise-client-urls=${etcdUrl}`,
    `--data-dir=${dataDir}`,
    `--listen-client-urls=${etcdUrl}`,
    `--listen-peer-urls=http://127.0.0.1:${await freePort()}`,
    ...(hasFlag(etcdPath, 'unsafe-no-fsync') ? ['--unsafe-no-fsync=true'] : []),
  ]);
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const path = join(assets, 'kube-apiserver');
  const kubeApiserver = createProgram(path, `${url}/healthz`, [
    '--allow-privileged=true',
    '--authorization-mode=RBAC',
    '--bind-address=127.0.0.1',
    `--cert-dir=${certDir}`,
    `--client-ca-file=${join(certDir, 'client-cert-auth-ca.crt')}`,
    '--disable-admission-plugins=ServiceAccount',
    `--etcd-servers=${etcdUrl}`,
    ...(hasFlag(path, 'insecure-port') ? ['--insecure-port=0'] : []),
    `--secure-port=${port}`,
    `--service-account-issuer=${url}/`,
    `--service-account-key-file=${join(certDir, 'sa-signer.crt')}`,
    `--service-account-signing-key-file=${join(certDir, 'sa-signer.key')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
  ]);
  await etcd.start();
  await kubeApiserver.start();
  return {
    url,
    servingCaPem: authorities.serving.certificatePem,
    programs: { etcd, kubeApiserver },
    addUser(name, groups) {
      const pair = authorities.clients.issueClient({ name, groups });
      return { pair, call: createCaller(url, authorities.serving.certificatePem, pair) };
    },
    async restartKubeApiserver() {
      await kubeApiserver.stop();
      await kubeApiserver.start();
    },
    async stop() {
      await kubeApiserver.stop();
      await etcd.stop();
      for (const dir of [certDir, dataDir]) rmSync(dir, { recursive: true, force: true });
    },
  };
}

function createAuthority(commonName: string): CertificateAuthority {
  return createCertificateAuthority({ clock: systemClock, random: systemRandom }, { commonName });
}

function writeCertificates(
  dir: string,
  authorities: Readonly<Record<'serving' | 'clients' | 'tokens', CertificateAuthority>>,
): void {
  const serving = authorities.serving.issueServing({
    commonName: 'localhost',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1', '::1'],
  });
  const files = {
    'apiserver.crt': serving.certificatePem,
    'apiserver.key': serving.privateKeyPem,
    'sa-signer.crt': authorities.tokens.certificatePem,
    'sa-signer.key': authorities.tokens.privateKeyPem,
    'client-cert-auth-ca.crt': authorities.clients.certificatePem,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
}

export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    }),
  );
}

/** Reads `--help`, which must succeed, as envtest does to learn what a release knows. */
export function hasFlag(path: string, flag: string): boolean {
  const help = spawnSync(path, ['--help'], { encoding: 'utf8' });
  if (help.status !== 0) throw new Error(`${path} --help: exit ${help.status}: ${help.stderr}`);
  return new RegExp(`^\\s*--${flag}\\b`, 'm').test(help.stdout + help.stderr);
}

export interface Program {
  start(): Promise<void>;
  /** Resolves with the exit code. */
  stop(): Promise<number | null>;
  /** What it has written so far. */
  output(): string;
}

const startTimeoutMs = 20_000;
const pollIntervalMs = 100;

function createProgram(path: string, healthUrl: string, args: readonly string[]): Program {
  let child: ChildProcess | undefined;
  let exited: Promise<number | null> = Promise.resolve(null);
  let output = '';
  return {
    output: () => output,
    async start() {
      const started = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      child = started;
      let isRunning = true;
      exited = new Promise((resolve) =>
        started.once('exit', (code) => {
          isRunning = false;
          resolve(code);
        }),
      );
      for (const stream of [started.stdout, started.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      for (let waited = 0; waited < startTimeoutMs; waited += pollIntervalMs) {
        if (!isRunning) throw new Error(`${path} has ended: ${output}`);
        if ((await healthOf(healthUrl)) === 200) return;
        await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
      }
      throw new Error(`${path} does not become ready: ${output}`);
    },
    stop() {
      child?.kill('SIGTERM');
      return exited;
    },
  };
}

async function healthOf(url: string): Promise<number | undefined> {
  const options = { rejectUnauthorized: false, agent: false } as const;
  return (await send(url, options).catch(() => undefined))?.status;
}

function createCaller(url: string, ca: string, pair: KeyPairPem): TestUser['call'] {
  const agent = new Agent({ ca, cert: pair.certificatePem, key: pair.privateKeyPem });
  return (method, path, body) =>
    send(
      url + path,
      { method, agent, headers: { 'content-type': 'application/json' } },
      body === undefined ? undefined : JSON.stringify(body),
    );
}

function send(url: string, options: RequestOptions, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const start = url.startsWith('https:') ? httpsRequest : httpRequest;
    const call = start(url, options, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}
