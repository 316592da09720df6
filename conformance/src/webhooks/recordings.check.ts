// Plays the recorded webhook situations: what a webhook is sent, and what the client is answered for
// each thing that a webhook may reply, must be what they were with kube-apiserver. Their share is
// held to the floor `webhooks` of conformance/floors.json; what differs is shown either way.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '@keelson/apimachinery';
import { findReference, readFloors, startReplayServer, type ReplayServer } from '../reference.ts';
import { startWebhookServer, type Reply, type WebhookServer } from './webhook-server.ts';

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
interface Situation {
  readonly id: string;
  readonly nsLabels?: Readonly<Record<string, string>>;
  readonly setup?: readonly Request[];
  readonly configuration: readonly JsonObject[];
  readonly webhookReply: Readonly<Record<string, Reply | readonly Reply[]>>;
  readonly user: { readonly name: string };
  readonly request: Request;
  readonly received: readonly unknown[];
  readonly response: Readonly<Record<string, unknown>>;
}
interface Answer {
  readonly status: number;
  readonly text: string;
}
/** What of the replay program is used here. */
interface ReplayModule {
  readonly Client: new (options: object) => {
    request(request: object): Promise<Answer>;
    close(): void;
  };
  readonly Runner: { readonly prototype: { userHeaders(user: unknown): Record<string, string> } };
  subst<T>(value: T, variables: Readonly<Record<string, string>>): T;
  makeNormalizer(context: object): { walk(value: unknown): unknown };
  normalizeResponse(answer: Answer, context: object): Readonly<Record<string, unknown>>;
}

const reference = findReference();
const skip = reference === undefined ? 'no recordings found (set KEELSON_REFERENCE)' : false;

describe('recorded webhooks', { skip }, async () => {
  if (reference === undefined) return;
  const replay = (await import(join(reference, 'replay.mjs'))) as ReplayModule;
  const text = readFileSync(join(reference, 'webhooks', 'webhooks.jsonl'), 'utf8');
  const situations = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Situation);
  let server: ReplayServer;
  let webhook: WebhookServer;
  let other: WebhookServer;
  let client: InstanceType<ReplayModule['Client']>;
  before(async () => {
    [server, webhook, other] = await Promise.all([
      startReplayServer(),
      startWebhookServer(),
      startWebhookServer(),
    ]);
    client = new replay.Client({ ...server, server: server.url, timeout: 30_000 });
  });
  after(async () => {
    client.close();
    await Promise.all([server.stop(), webhook.close(), other.close()]);
  });

  it('what webhooks are sent and clients are answered', async (t) => {
    const { webhooks: floor = 100 } = readFloors();
    let exact = 0;
    for (const [index, situation] of situations.entries())
      try {
        await play({ replay, webhook, other, client }, situation, index);
        exact++;
      } catch (error) {
        t.diagnostic(`${situation.id}: ${error instanceof Error ? error.message : String(error)}`);
      }
    const percent = (100 * exact) / situations.length;
    t.diagnostic(`${exact} of ${situations.length} exact, floor ${floor} %`);
    assert.ok(percent >= floor, `${exact} of ${situations.length} are exact`);
  });
});

interface Stage {
  readonly replay: ReplayModule;
  readonly webhook: WebhookServer;
  readonly other: WebhookServer;
  readonly client: InstanceType<ReplayModule['Client']>;
}

/** Throws for the first thing that is not as it was recorded. */
async function play(
  { replay, webhook, other, client }: Stage,
  situation: Situation,
  index: number,
): Promise<void> {
  const variables = {
    u: `w${String(index).padStart(3, '0')}`,
    ns: `ns-w${String(index).padStart(3, '0')}`,
    webhook: `https://127.0.0.1:${webhook.port}`,
    webhookHost: `127.0.0.1:${webhook.port}`,
    caBundle: webhook.caBundle,
    otherCa: other.caBundle,
  };
  let sent = '';
  const send = (request: Request, user?: unknown): Promise<Answer> => {
    const { path, body, headers } = replay.subst(request, variables);
    const content = body === undefined ? undefined : JSON.stringify(body);
    sent += `${content ?? ''}${path}\n`;
    const act = replay.Runner.prototype.userHeaders(user);
    return client.request({
      ...request,
      path: encodeURI(path).replaceAll('%25', '%'),
      headers: { ...act, ...headers },
      body: content,
    });
  };
  const create = (path: string, body: unknown) => send({ method: 'POST', path, body });
  const metadata = { name: variables.ns, labels: situation.nsLabels ?? {} };
  await create('/api/v1/namespaces', { metadata });
  const account = { metadata: { name: 'default' } };
  await create(`/api/v1/namespaces/${variables.ns}/serviceaccounts`, account);
  sent = '';
  for (const step of situation.setup ?? []) {
    // A definition was created a moment ago.
    for (let tries = 0; tries < 50; tries++) {
      if ((await send(step, situation.user)).status !== 404) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  webhook.play(replay.subst(situation.webhookReply, variables));
  const paths: string[] = [];
  for (const object of situation.configuration) {
    const plural = `${String(object['kind']).toLowerCase()}s`;
    const path = `/apis/${String(object['apiVersion'])}/${plural}`;
    const { metadata: named } = replay.subst(object, variables) as JsonObject & {
      readonly metadata: { readonly name: string };
    };
    assert.equal((await create(path, object)).status, 201);
    paths.push(`${path}/${named.name}`);
  }
  webhook.calls.length = 0;
  try {
    const answer = await send(situation.request, situation.user);
    const context = { vars: variables, requestText: sent, managedFields: true };
    const normalizer = replay.makeNormalizer(context);
    const calls = normalizer.walk(webhook.calls) as typeof webhook.calls;
    // How often a busy webhook is asked again depends on the clock.
    if (!situation.id.includes('retry-after'))
      assert.deepEqual(inOrder(situation, calls), situation.received);
    assert.deepEqual(
      replay.normalizeResponse(answer, { ...context, now: Date.now() }),
      situation.response,
    );
  } finally {
    for (const path of paths) await send({ method: 'DELETE', path });
  }
}

/** Validating webhooks are called at the same time. */
function inOrder({ configuration }: Situation, calls: WebhookServer['calls']) {
  const isOrdered = configuration.some(({ kind }) => kind === 'MutatingWebhookConfiguration');
  const sorted = isOrdered ? calls : calls.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return sorted.map(({ body }) => body);
}
