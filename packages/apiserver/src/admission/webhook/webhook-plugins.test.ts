// The two webhook plugins over a client that answers as a test says: configurations that cannot be
// written any more, and what metrics tell of each end of a call.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  asKubeObject,
  parseJson,
  systemRandom,
  type JsonObject,
  type KubeObject,
} from '@keelson/apimachinery';
import { createStoppedClock, createTestObjects } from '../../authentication/testing.ts';
import { createMetrics } from '../../metrics.ts';
import { WebhookError, type WebhookClient } from '../../transport/webhook-client.ts';
import type { RequestVersions } from '../request-versions.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createWebhookCaller } from './call.ts';
import { createMutatingWebhooks } from './mutating-webhooks.ts';
import { createValidatingWebhooks } from './validating-webhooks.ts';
import { createWebhookList } from './webhook-list.ts';
import { createWebhookMetrics } from './webhook-metrics.ts';

const sameVersion: RequestVersions = {
  equivalents: (gvr) => [gvr],
  kindOf: () => undefined,
  show: async ({ object, oldObject }) => ({ object, oldObject }),
  take: async (_attributes, _gvr, changed) => asKubeObject(changed),
};

interface Given {
  readonly kind: 'Mutating' | 'Validating';
  /** The response of the review; an error is a call that fails. */
  readonly answer: JsonObject | Error;
  readonly failurePolicy?: 'Fail' | 'Ignore';
  readonly sideEffects?: string;
  readonly request?: TestRequest;
}

function clientThat(answer: Given['answer']): WebhookClient & { readonly asked: () => number } {
  let asked = 0;
  return {
    async post({ body }) {
      asked++;
      if (answer instanceof Error) throw answer;
      const { apiVersion, request } = parseJson(body) as {
        readonly apiVersion: string;
        readonly request: { readonly uid: string };
      };
      const response = { uid: request.uid, ...answer };
      return Buffer.from(JSON.stringify({ kind: 'AdmissionReview', apiVersion, response }));
    },
    close() {},
    asked: () => asked,
  };
}

/** Why one request is refused by one webhook, how often that was asked, and what is counted. */
async function ask({ kind, answer, failurePolicy, sideEffects, request }: Given) {
  const webhook = {
    name: 'a.example.com',
    clientConfig: { url: 'https://hook.example.com/' },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['pods'] }],
    admissionReviewVersions: ['v1'],
    sideEffects: sideEffects ?? 'None',
    failurePolicy: failurePolicy ?? 'Fail',
  };
  const configuration = { metadata: { name: 'hooks' }, webhooks: [webhook] };
  const metrics = createMetrics();
  const client = clientThat(answer);
  const create = kind === 'Mutating' ? createMutatingWebhooks : createValidatingWebhooks;
  const plugin = create({
    namespaces: createTestObjects([{ metadata: { name: 'shop' } }]),
    versions: sameVersion,
    judgeConditions: async () => ({ matches: true }),
    webhooks: createWebhookList(createTestObjects([configuration as KubeObject])),
    caller: createWebhookCaller({
      phase: kind === 'Mutating' ? 'admit' : 'validating',
      client,
      random: systemRandom,
      metrics: createWebhookMetrics(metrics, createStoppedClock(0)),
    }),
  });
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' } } as KubeObject;
  const attributes = createTestAttributes({ object: pod, ...request });
  const refusal = await admit(plugin, attributes);
  const counted = metrics
    .render()
    .split('\n')
    .filter((line) => /^apiserver_admission_webhook_(?!admission_duration)/.test(line))
    .map((line) => line.replace('apiserver_admission_webhook_', ''));
  return { refusal, asked: client.asked(), counted, annotations: attributes.annotations };
}

const patchOf = (...operations: readonly JsonObject[]): JsonObject => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
const requests = (kind: string, code: number, rejected: boolean) =>
  `request_total{code="${code}",name="a.example.com",operation="CREATE",rejected="${rejected}",type="${kind}"} 1`;
const rejection = (kind: string, error: string, code: number) =>
  `rejection_count{error_type="${error}",name="a.example.com",operation="CREATE",rejection_code="${code}",type="${kind}"} 1`;
const broken = new WebhookError('connection refused', {});
const gone = AbortSignal.abort(new Error('the client has gone'));

const rows: readonly [name: string, given: Given, counted: readonly string[]][] = [
  [
    'one that allows',
    { kind: 'Validating', answer: { allowed: true } },
    [requests('validating', 200, false)],
  ],
  [
    'one that patches',
    { kind: 'Mutating', answer: patchOf({ op: 'add', path: '/spec', value: {} }) },
    [requests('admit', 200, false)],
  ],
  [
    'one that refuses',
    { kind: 'Validating', answer: { allowed: false, status: { code: 403 } } },
    [rejection('validating', 'no_error', 403), requests('validating', 403, true)],
  ],
  [
    'one that refuses with a code of its own',
    { kind: 'Mutating', answer: { allowed: false, status: { code: 7000 } } },
    [rejection('admit', 'no_error', 600), requests('admit', 600, true)],
  ],
  [
    'one that cannot be asked',
    { kind: 'Validating', answer: broken },
    [rejection('validating', 'calling_webhook_error', 503), requests('validating', 503, true)],
  ],
  [
    'one whose server refuses',
    { kind: 'Mutating', answer: new WebhookError('not found', { status: 404 }) },
    [rejection('admit', 'calling_webhook_error', 404), requests('admit', 404, true)],
  ],
  [
    'one that cannot be asked and need not',
    { kind: 'Mutating', answer: broken, failurePolicy: 'Ignore' },
    [`fail_open_count{name="a.example.com",type="admit"} 1`, requests('admit', 503, false)],
  ],
  [
    'one whose client has gone',
    { kind: 'Validating', answer: broken, request: { signal: gone } },
    [requests('validating', 503, true)],
  ],
  [
    'one whose patch does not apply',
    { kind: 'Mutating', answer: patchOf({ op: 'remove', path: '/none' }), failurePolicy: 'Ignore' },
    [rejection('admit', 'apiserver_internal_error', 0), requests('admit', 0, true)],
  ],
];

describe('metrics of a webhook', () => {
  for (const [name, given, counted] of rows)
    it(name, async () => assert.deepEqual((await ask(given)).counted, counted));
});

describe('audit annotations of a mutating webhook', () => {
  const place = 'webhook.admission.k8s.io/round_0_index_0';
  const called = (mutated: boolean) => ({
    [`mutation.${place}`]: `{"configuration":"hooks","webhook":"a.example.com","mutated":${mutated}}`,
  });
  const test: JsonObject = { op: 'test', path: '/kind', value: 'Pod' };
  const operations: JsonObject[] = [{ op: 'add', path: '/spec', value: {} }];
  const patched = (patch: readonly JsonObject[]) => ({
    [`patch.${place}`]: JSON.stringify({
      configuration: 'hooks',
      webhook: 'a.example.com',
      patch,
      patchType: 'JSONPatch',
    }),
  });
  const outcomes: readonly [name: string, given: Partial<Given>, expected: object][] = [
    ['nothing to change', { answer: { allowed: true } }, called(false)],
    ['a patch', { answer: patchOf(...operations) }, { ...called(true), ...patched(operations) }],
    [
      'a patch that changes nothing',
      { answer: patchOf(test) },
      { ...called(false), ...patched([test]) },
    ],
    ['a refusal', { answer: { allowed: false } }, called(false)],
    ['no answer', { answer: broken }, called(false)],
    [
      'no answer, which is passed over',
      { answer: broken, failurePolicy: 'Ignore' },
      { ...called(false), [`failed-open.mutation.${place}`]: 'a.example.com' },
    ],
  ];
  for (const [name, given, expected] of outcomes)
    it(name, async () => {
      const { annotations } = await ask({ kind: 'Mutating', answer: {}, ...given });
      assert.deepEqual(annotations, expected);
    });
});

describe('side effects', () => {
  const refused = 'admission webhook "a.example.com" does not support dry run';
  const allowing = { kind: 'Validating', answer: { allowed: true } } as const;
  const dry = { request: { dryRun: true } };
  for (const sideEffects of ['Some', 'Unknown'])
    it(`admission §6 (7): no dry run of a webhook with ${sideEffects}, which was written as v1beta1`, async () => {
      for (const failurePolicy of ['Fail', 'Ignore'] as const) {
        const { refusal, asked, counted } = await ask({
          ...allowing,
          ...dry,
          sideEffects,
          failurePolicy,
        });
        assert.deepEqual([refusal, asked], [refused, 0]);
        assert.ok(counted.includes(rejection('validating', 'apiserver_internal_error', 0)));
      }
      const { refusal, asked } = await ask({ ...allowing, sideEffects });
      assert.deepEqual([refusal, asked], [undefined, 1]);
    });

  for (const sideEffects of ['None', 'NoneOnDryRun'])
    it(`a dry run of a webhook with ${sideEffects}`, async () => {
      const { refusal, asked } = await ask({ ...allowing, ...dry, sideEffects });
      assert.deepEqual([refusal, asked], [undefined, 1]);
    });
});
