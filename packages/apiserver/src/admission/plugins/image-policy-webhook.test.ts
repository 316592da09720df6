import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createSeededRandom,
  createSimulatedClock,
  type JsonObject,
  type KubeObject,
} from '@keelson/apimachinery';
import { WebhookError, type WebhookCall } from '../../transport/webhook-client.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createImagePolicyWebhook } from './image-policy-webhook.ts';

const pod = {
  metadata: {
    name: 'web',
    annotations: { 'ticket.image-policy.k8s.io/id': 'x-1', 'example.com/other': 'y' },
  },
  spec: {
    initContainers: [{ name: 'i', image: 'init:1' }],
    containers: [{ name: 'c', image: 'app:1' }],
    ephemeralContainers: [{ name: 'e', image: 'debug:1' }],
  },
} as unknown as KubeObject;

type Answer = JsonObject | Error | string;
const answer = (status: JsonObject): JsonObject => ({
  apiVersion: 'imagepolicy.k8s.io/v1alpha1',
  kind: 'ImageReview',
  status,
});

function policy(answers: readonly Answer[], more: object = {}) {
  const clock = createSimulatedClock();
  const asked: JsonObject[] = [];
  const plugin = createImagePolicyWebhook({
    configuration: {
      kubeConfigFile: '',
      allowMs: 60_000,
      denyMs: 1_000,
      backoffMs: 500,
      defaultAllow: false,
      ...more,
    },
    server: { address: { url: 'https://images/review' }, credentials: {} },
    client: {
      close: () => {},
      post({ body }: WebhookCall) {
        asked.push((JSON.parse(Buffer.from(body).toString()) as { spec: JsonObject }).spec);
        const given = answers[Math.min(asked.length, answers.length) - 1] ?? '';
        if (given instanceof Error) return Promise.reject(given);
        const text = typeof given === 'string' ? given : JSON.stringify(given);
        return Promise.resolve(Buffer.from(text));
      },
    },
    clock,
    random: createSeededRandom(1),
  });
  const ask = async (request: TestRequest = {}) => {
    const attributes = createTestAttributes({ object: pod, ...request });
    const message = admit(plugin, attributes);
    // As long as it may wait before it tries again.
    for (let i = 0; i < 50; i++) await clock.advance(200);
    return { message: await message, ...attributes };
  };
  return { ask, asked, clock };
}

const forbidden = (why: string) => `pods "web" is forbidden: ${why}`;

test('what the server is asked', async () => {
  const { ask, asked } = policy([answer({ allowed: true })]);
  const annotations = { 'ticket.image-policy.k8s.io/id': 'x-1' };
  const rows: [request: TestRequest, spec: JsonObject | undefined][] = [
    [{}, { containers: [{ image: 'app:1' }, { image: 'init:1' }], annotations, namespace: 'shop' }],
    [
      { subresource: 'ephemeralcontainers', operation: 'UPDATE' },
      { containers: [{ image: 'debug:1' }], annotations, namespace: 'shop' },
    ],
    [
      { dryRun: true, namespace: 'other' },
      {
        containers: [{ image: 'app:1' }, { image: 'init:1' }],
        annotations,
        namespace: 'other',
      },
    ],
    [{ subresource: 'status', operation: 'UPDATE' }, undefined],
    [{ operation: 'DELETE' }, undefined],
    [{ resource: 'deployments', group: 'apps' }, undefined],
  ];
  for (const [request, spec] of rows) {
    asked.length = 0;
    assert.equal((await ask(request)).message, undefined);
    assert.deepEqual(asked, spec === undefined ? [] : [spec]);
  }
});

test('what its answers mean', async () => {
  const rows: [status: Answer, message: string | undefined, annotations: JsonObject][] = [
    [answer({ allowed: true }), undefined, {}],
    [
      answer({ allowed: true, auditAnnotations: { scan: 'clean' } }),
      undefined,
      { 'imagepolicywebhook.image-policy.k8s.io/scan': 'clean' },
    ],
    [
      answer({ allowed: false, reason: 'unsigned', auditAnnotations: { scan: 'bad' } }),
      forbidden('image policy webhook backend denied one or more images: unsigned'),
      { 'imagepolicywebhook.image-policy.k8s.io/scan': 'bad' },
    ],
    [answer({}), forbidden('one or more images rejected by webhook backend'), {}],
    [
      { kind: 'ImageReview', apiVersion: 'v1', status: { allowed: true } },
      forbidden('the answer is no ImageReview of imagepolicy.k8s.io/v1alpha1'),
      {},
    ],
    ['<html>', forbidden('the answer is no JSON'), {}],
    ['[]', forbidden('the answer is no ImageReview of imagepolicy.k8s.io/v1alpha1'), {}],
  ];
  for (const [status, message, annotations] of rows) {
    const answered = await policy([status]).ask();
    assert.equal(answered.message, message);
    assert.deepEqual(answered.annotations, annotations);
  }
});

test('answers are remembered, yes longer than no, failures not at all', async () => {
  for (const [status, calls] of [
    [answer({ allowed: true }), 1],
    [answer({ allowed: false }), 2],
    [new WebhookError('gone', { status: 403 }), 2],
  ] as const) {
    const { ask, asked } = policy([status]);
    await ask();
    await ask();
    assert.equal(asked.length, calls);
  }
  const { ask, asked, clock } = policy([answer({ allowed: true })]);
  await ask();
  await clock.advance(60_000);
  await ask();
  assert.equal(asked.length, 2);
  const never = policy([answer({ allowed: true })], { allowMs: 0 });
  await never.ask();
  await never.ask();
  assert.equal(never.asked.length, 2);
});

test('a server in trouble is asked again, and then the configuration decides', async () => {
  const broken = new WebhookError('broken', { status: 500 });
  const reset = new WebhookError('EOF', {
    cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
  });
  const unreachable = new WebhookError('refused', { cause: new Error('refused') });
  const good = answer({ allowed: true });
  const rows: [answers: Answer[], options: object, calls: number, message: string | undefined][] = [
    [[broken, reset, good], {}, 3, undefined],
    [[broken], {}, 5, forbidden('broken')],
    [[broken], { backoffMs: 0 }, 1, forbidden('broken')],
    [[unreachable], {}, 1, forbidden('refused')],
    [[new WebhookError('no', { status: 403 })], {}, 1, forbidden('no')],
    [[unreachable], { defaultAllow: true }, 1, undefined],
    [['<html>'], { defaultAllow: true }, 1, undefined],
  ];
  for (const [answers, options, calls, message] of rows) {
    const { ask, asked } = policy(answers, options);
    const answered = await ask();
    assert.equal(answered.message, message);
    assert.equal(asked.length, calls);
    const isOpen = 'defaultAllow' in options;
    assert.equal(
      answered.object?.metadata.annotations?.['alpha.image-policy.k8s.io/failed-open'],
      isOpen ? 'true' : undefined,
    );
    assert.deepEqual(
      answered.annotations,
      isOpen ? { 'imagepolicywebhook.image-policy.k8s.io/failed-open': 'true' } : {},
    );
  }
});
