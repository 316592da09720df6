import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createSeededRandom, createSimulatedClock, systemClock } from '@keelson/apimachinery';
import {
  callInProcess,
  createCertificateAuthority,
  createFeatures,
  createMemoryStorage,
} from '@keelson/apiserver';
import { systemRandom } from '@keelson/apimachinery';
import {
  readAuthorizationSettings,
  type AuthorizationFlags,
} from './commands/authorization-flags.ts';
import { startControlPlane } from './control-plane.ts';
import { createLazyPki } from './pki.ts';

const authority = createCertificateAuthority(
  { clock: systemClock, random: systemRandom },
  { commonName: 'hooks' },
);

interface Hook {
  readonly kubeconfig: string;
  readonly asked: { readonly user: string; readonly token: string | undefined }[];
  answer: (user: string, response: ServerResponse, request: IncomingMessage) => void;
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'keelson-authorization-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** A real webhook over TLS, and the kubeconfig file that leads to it. */
async function startHook(t: TestContext, directory: string, name: string): Promise<Hook> {
  const serving = authority.issueServing({
    commonName: name,
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  });
  const hook: Hook = {
    kubeconfig: join(directory, `${name}.kubeconfig`),
    asked: [],
    answer: (_user, response) => void response.end(review({})),
  };
  const options = { key: serving.privateKeyPem, cert: serving.certificatePem };
  const server = createServer(options, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { spec } = JSON.parse(Buffer.concat(chunks).toString()) as { spec: { user: string } };
      hook.asked.push({ user: spec.user, token: request.headers.authorization });
      hook.answer(spec.user, response, request);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ca = Buffer.from(authority.certificatePem).toString('base64');
  writeFileSync(
    hook.kubeconfig,
    `apiVersion: v1
kind: Config
current-context: c
clusters: [{ name: k, cluster: { server: "https://127.0.0.1:${port}/authorize", certificate-authority-data: ${ca} } }]
users: [{ name: u, user: { token: secret-of-the-server } }]
contexts: [{ name: c, context: { cluster: k, user: u } }]
`,
  );
  return hook;
}

const review = (status: object, version = 'v1') =>
  JSON.stringify({
    kind: 'SubjectAccessReview',
    apiVersion: `authorization.k8s.io/${version}`,
    status,
  });

const configuration = (...authorizers: object[]) =>
  JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthorizationConfiguration',
    authorizers,
  });
const node = { type: 'Node', name: 'node' };
const rbac = { type: 'RBAC', name: 'rbac' };
const webhook = (name: string, { kubeconfig }: Hook, changes: object = {}) => ({
  type: 'Webhook',
  name,
  webhook: {
    timeout: '3s',
    subjectAccessReviewVersion: 'v1',
    failurePolicy: 'Deny',
    cacheAuthorizedRequests: false,
    cacheUnauthorizedRequests: false,
    connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: kubeconfig },
    ...changes,
  },
});

async function startServer(t: TestContext, flags: AuthorizationFlags) {
  const clock = createSimulatedClock();
  const random = createSeededRandom(1);
  const features = createFeatures({});
  const plane = await startControlPlane({
    storage: createMemoryStorage({ clock }),
    features,
    pki: createLazyPki({ clock, random }, { dnsNames: ['localhost'], ipAddresses: [] }),
    serverAddress: () => '127.0.0.1:6443',
    authorization: readAuthorizationSettings(flags, features, ['Node', 'RBAC']),
    clock,
    random,
  });
  t.after(() => plane.close());
  const get = async (name: string, url = '/api/v1/namespaces/default/configmaps') => {
    const groups = name === 'root' ? ['system:masters'] : [];
    const user = { name, uid: '', groups, extra: {} };
    const answer = await callInProcess(plane.server.serve, { method: 'GET', url, user });
    const text = Buffer.from(await answer.bytes()).toString();
    return { status: answer.status, text, type: answer.headers.get('content-type') };
  };
  const metric = async (...parts: string[]) => {
    const { text } = await get('root', '/metrics');
    const line = text.split('\n').find((l) => parts.every((part) => l.includes(part)));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  return { clock, get, metric };
}

test('auth §11.7 (1)–(3): a chain of webhooks; §9 (15): masters pass before it', async (t) => {
  const directory = folder(t);
  const [first, second] = [
    await startHook(t, directory, 'first'),
    await startHook(t, directory, 'second'),
  ];
  const config = join(directory, 'authorization.json');
  const conditions = {
    matchConditionSubjectAccessReviewVersion: 'v1',
    matchConditions: [{ expression: 'request.user.startsWith("a")' }],
  };
  writeFileSync(
    config,
    configuration(node, webhook('first', first, conditions), webhook('second', second), rbac),
  );
  const { get, metric } = await startServer(t, { config });
  const answers: Record<string, object> = {
    ann: {},
    abe: { denied: true, reason: 'not <you>' },
    all: { allowed: true, denied: true },
  };
  first.answer = (user, response) => void response.end(review(answers[user] ?? {}));
  second.answer = (_user, response) => void response.end(review({ allowed: true }));
  assert.equal((await get('ann')).status, 200);
  assert.deepEqual([first.asked.length, second.asked.length], [1, 1]);
  assert.equal(first.asked[0]?.token, 'Bearer secret-of-the-server');
  const denied = await get('abe');
  assert.equal(denied.status, 403);
  assert.match(denied.text, /in the namespace \\"default\\": not \\u003cyou\\u003e|not <you>/);
  assert.equal(second.asked.length, 1);
  assert.equal((await get('bob')).status, 200);
  assert.equal(first.asked.length, 2, 'excluded by the condition');
  const failed = await get('all');
  assert.equal(failed.status, 500);
  assert.equal(failed.type, 'text/plain; charset=utf-8');
  assert.equal(
    failed.text,
    'Internal Server Error: "/api/v1/namespaces/default/configmaps": webhook subject access review returned both allow and deny response\n',
  );
  first.answer = (_user, response) => void response.end(review({ denied: true }));
  assert.equal((await get('root')).status, 200);
  const decisions = 'apiserver_authorization_decisions_total{';
  assert.equal(await metric(decisions, 'name="second"', 'decision="allowed"'), 2);
  assert.equal(await metric(decisions, 'name="first"', 'type="Webhook"', 'decision="denied"'), 2);
  assert.equal(await metric('match_condition_exclusions_total{', 'name="first"'), 1);
  assert.ok((await metric('authorization_attempts_total{', 'result="error"')) >= 1);
});

test('auth §11.7 (9), (10), (12a): the file is followed', async (t) => {
  const directory = folder(t);
  const hook = await startHook(t, directory, 'hook');
  hook.answer = (_user, response) => void response.end(review({ allowed: true }));
  const config = join(directory, 'authorization.json');
  writeFileSync(config, configuration(node, rbac));
  const { clock, get, metric } = await startServer(t, { config });
  const reloads = (status: string) =>
    metric('automatic_reloads_total{', `status="${status}"`, 'apiserver_id_hash="sha256:');
  const put = async (...authorizers: object[]) => {
    writeFileSync(config, configuration(...authorizers));
    await clock.advance(60_000);
  };
  assert.equal((await get('ann')).status, 403);
  await put(node, rbac, webhook('hook', hook));
  assert.equal((await get('ann')).status, 200);
  assert.equal(await reloads('success'), 1);
  const refused: object[][] = [
    [node, rbac, { type: 'ABAC', name: 'abac' }],
    [rbac],
    [node, rbac, { ...webhook('hook', hook), name: 'Hook' }],
    [node, rbac, webhook('hook', { ...hook, kubeconfig: config })],
  ];
  for (const [i, authorizers] of refused.entries()) {
    await put(...authorizers);
    assert.equal(await reloads('failure'), i + 1);
    assert.equal((await get('ann')).status, 200, 'the last good one is in force');
  }
  await put(rbac, node, { type: 'AlwaysDeny', name: 'alwaysdeny' });
  assert.equal(await reloads('success'), 2);
  const { status, text } = await get('ann');
  assert.equal(status, 403);
  assert.match(text, /Everything is forbidden\./);
});

test('the mode Webhook: v1beta1, no opinion on failure, no redirects, bounded answers', async (t) => {
  const directory = folder(t);
  const hook = await startHook(t, directory, 'hook');
  const { get, metric } = await startServer(t, {
    modes: ['Webhook', 'RBAC'],
    webhookConfigFile: hook.kubeconfig,
    authorizedTtlMs: 0,
    unauthorizedTtlMs: 0,
  });
  const urls: (string | undefined)[] = [];
  hook.answer = (_user, response, request) => {
    urls.push(request.url);
    response.end(review({ allowed: true }, 'v1beta1'));
  };
  assert.equal((await get('ann')).status, 200);
  assert.deepEqual(urls, ['/authorize?timeout=30s']);
  hook.answer = (_user, response) => {
    response.writeHead(307, { location: '/elsewhere' });
    response.end();
  };
  assert.equal((await get('ann')).status, 500);
  hook.answer = (_user, response) => {
    for (let i = 0; i < 33; i++) response.write(Buffer.alloc(1024 * 1024, ' '));
    response.end();
  };
  const large = await get('ann');
  assert.equal(large.status, 500);
  assert.match(large.text, /the answer is larger than 33554432 bytes/);
  const fail = 'apiserver_authorization_webhook_evaluations_fail_open_total{';
  assert.equal(await metric(fail, 'name="default"', 'result="error"'), 2);
  assert.equal(await metric('webhook_evaluations_total{', 'result="success"'), 1);
});

test('auth §11.7 (14): flags that do not go together', (t) => {
  const directory = folder(t);
  const config = join(directory, 'authorization.json');
  writeFileSync(config, configuration(rbac));
  const both =
    '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined';
  const rows: [flags: AuthorizationFlags, release: string, message: string | RegExp][] = [
    [{ config, modes: ['RBAC'] }, '1.36', both],
    [{ config, webhookConfigFile: '/x' }, '1.36', both],
    [{ config, webhookVersion: 'v1' }, '1.36', both],
    [{ config, authorizedTtlMs: 1 }, '1.36', both],
    [{ config, unauthorizedTtlMs: 1 }, '1.36', both],
    [
      { config },
      '1.29',
      '--authorization-config cannot be used without enabling StructuredAuthorizationConfiguration feature gate',
    ],
    [
      { config: join(directory, 'none') },
      '1.36',
      /^failed to load AuthorizationConfiguration from file: .*no such file/,
    ],
    [
      { modes: ['Webhook'], webhookConfigFile: '/x', webhookVersion: 'v2' },
      '1.36',
      'unsupported webhook authorizer version "v2", supported versions are v1, v1beta1',
    ],
    [{ modes: ['ABAC'], policyFile: '/none' }, '1.36', 'open /none: no such file or directory'],
    [{ modes: [] }, '1.36', 'at least one authorization-mode must be passed'],
  ];
  for (const [flags, release, message] of rows) {
    const features = createFeatures({ emulatedVersion: release });
    assert.throws(() => readAuthorizationSettings(flags, features, ['RBAC']), { message });
  }
  const settings = readAuthorizationSettings({ config, policyFile: config }, createFeatures(), []);
  assert.deepEqual(settings.configuration.authorizers, [rbac]);
  assert.ok(settings.abacPolicy !== undefined && settings.file !== undefined);
});
