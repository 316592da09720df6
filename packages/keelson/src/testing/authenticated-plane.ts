// A control plane whose authentication is set up as a test wants it, and the questions that tests
// ask it: whose token is this, and who am I.

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  createSeededRandom,
  createSimulatedClock,
  nextTurn,
  systemClock,
  type SimulatedClock,
} from '@keelson/apimachinery';
import {
  callInProcess,
  createFeatures,
  createMemoryStorage,
  type Logger,
} from '@keelson/apiserver';
import { startControlPlane, type ControlPlane } from '../control-plane.ts';
import type { ControlPlaneOptions } from '../control-plane-options.ts';
import { createLazyPki, type Pki } from '../pki.ts';

export interface ReviewedToken {
  readonly authenticated: boolean;
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
  readonly audiences: readonly string[];
  readonly error: string;
}

export interface AuthenticatedPlane {
  readonly plane: ControlPlane;
  readonly pki: Pki;
  readonly clock: SimulatedClock;
  /** Lines of the log: `message {fields}`. */
  readonly log: readonly string[];
  review(token: string, audiences?: readonly string[]): Promise<ReviewedToken>;
  /** The status of a request with these headers, through the whole pipeline. */
  status(url: string, headers?: Readonly<Record<string, string | string[]>>): Promise<number>;
  /** The lines of /metrics that begin so. */
  metrics(prefix: string): Promise<string[]>;
}

const admin = { name: 'root', uid: '', groups: ['system:masters'], extra: {} };

export async function startAuthenticatedPlane(
  t: TestContext,
  options: Partial<ControlPlaneOptions> & { readonly emulatedVersion?: string } = {},
): Promise<AuthenticatedPlane> {
  const clock = createSimulatedClock();
  const random = createSeededRandom(7);
  const { emulatedVersion } = options;
  const log: string[] = [];
  const pki = createLazyPki(
    { clock, random },
    { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] },
  );
  const plane = await startControlPlane({
    storage: createMemoryStorage({ clock }),
    features: createFeatures(emulatedVersion === undefined ? {} : { emulatedVersion }),
    pki,
    serverAddress: () => '127.0.0.1:6443',
    clock,
    random,
    logger: loggerInto(log),
    ...options,
  });
  t.after(() => plane.close());
  const text = async (method: string, url: string, body?: object) => {
    const answer = await callInProcess(plane.server.serve, {
      method,
      url,
      user: admin,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    });
    return Buffer.from(await answer.bytes()).toString();
  };
  return {
    plane,
    pki,
    clock,
    log,
    async review(token, audiences = []) {
      const url = '/apis/authentication.k8s.io/v1/tokenreviews';
      const answer = JSON.parse(await text('POST', url, { spec: { token, audiences } })) as {
        status: { authenticated?: boolean; error?: string; audiences?: string[]; user?: object };
        message?: string;
      };
      if (typeof answer.status !== 'object') throw new Error(answer.message);
      const { authenticated = false, error = '', audiences: shared = [], user } = answer.status;
      const empty = { username: '', uid: '', groups: [], extra: {} };
      return { authenticated, error, audiences: shared, ...empty, ...user };
    },
    async status(url, headers = {}) {
      const answer = await callInProcess(plane.server.serve, { method: 'GET', url, headers });
      await answer.bytes();
      return answer.status;
    },
    metrics: async (prefix) =>
      (await text('GET', '/metrics')).split('\n').filter((line) => line.startsWith(prefix)),
  };
}

function loggerInto(lines: string[]): Logger {
  const write = (message: string, fields: object = {}) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { error: write, warn: write, info: write, debug: () => {} };
}

/**
 * A file of the test. `write` replaces it whole: who reads it meanwhile sees one text or the
 * other.
 */
export function temporaryFile(t: TestContext, name: string, text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  const write = (content: string) => {
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
  };
  write(text);
  return { path, write };
}

// Sockets and disks are real in these tests, and slow on a busy machine.
const patienceMs = 60_000;

/** Lets everything else run until `check` holds. Rejects when it does not within a minute. */
export async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = systemClock.monotonic() + patienceMs;
  while (!(await check())) {
    if (systemClock.monotonic() > endMs) throw new Error(`not so within a minute: ${check}`);
    await nextTurn();
  }
}
