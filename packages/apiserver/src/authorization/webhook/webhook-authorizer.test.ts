import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createDecisionTrace,
  createSeededRandom,
  createSimulatedClock,
  noDecisionTrace,
} from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { createFeatures } from '../../features/create-features.ts';
import { createMetrics } from '../../metrics.ts';
import { attributesOf } from '../attributes.ts';
import type { Authorizer, RequestAttributes } from '../authorizer.ts';
import type { WebhookConfiguration } from '../configuration/authorization-configuration.ts';
import { createUnionAuthorizer } from '../union.ts';
import { cachedDecisionsMax } from './decision-cache.ts';
import { compileRequestExpression, createRequestEnvironment } from './match-conditions.ts';
import type { CallFailure } from './review-call.ts';
import { createWebhookAuthorizer } from './webhook-authorizer.ts';
import { createWebhookMetrics } from './webhook-metrics.ts';

const ann: UserInfo = {
  name: 'ann',
  uid: 'u1',
  groups: ['devs', 'system:authenticated'],
  extra: { team: ['a', 'b'] },
};
const pods: RequestAttributes = {
  isResource: true,
  verb: 'list',
  namespace: 'shop',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  name: '',
};
const version = (request: { apiVersion: string }) => request.apiVersion;

type Status = { allowed?: boolean; denied?: boolean; reason?: string };
interface Review {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: Record<string, unknown>;
}

/** A webhook that answers what it is told to, and remembers what it was asked. */
function createHook(
  answer: (review: Review, call: number) => Status | CallFailure | string,
  changes: Partial<WebhookConfiguration> & { readonly name?: string; conditions?: string[] } = {},
) {
  const { name = 'hook', conditions = [], ...configuration } = changes;
  const clock = createSimulatedClock();
  const metrics = createMetrics();
  const asked: Review[] = [];
  const environment = createRequestEnvironment(createFeatures());
  const authorizer = createWebhookAuthorizer({
    name,
    configuration: {
      kubeConfigFile: '/hook',
      subjectAccessReviewVersion: 'v1',
      timeoutMs: 3000,
      authorizedTtlMs: 300_000,
      unauthorizedTtlMs: 30_000,
      failurePolicy: 'NoOpinion',
      matchConditions: conditions.map((expression) => {
        const compiled = compileRequestExpression(environment, expression);
        assert.ok(typeof compiled !== 'string', String(compiled));
        return compiled;
      }),
      ...configuration,
    },
    endpoint: {
      async post(body) {
        const review = JSON.parse(Buffer.from(body).toString()) as Review;
        asked.push(review);
        const given = answer(review, asked.length);
        if (typeof given === 'string') return Buffer.from(given);
        if ('isRetriable' in given) return given;
        const { kind } = review;
        return Buffer.from(JSON.stringify({ kind, apiVersion: version(review), status: given }));
      },
      close: () => {},
    },
    clock,
    random: createSeededRandom(1),
    metrics: createWebhookMetrics(metrics, clock),
  });
  /** The counter's value for labels that contain all these texts. */
  const count = (family: string, ...labels: string[]) =>
    metrics
      .render()
      .split('\n')
      .filter((l) => l.startsWith(`${family}{`) && labels.every((label) => l.includes(label)))
      .reduce((sum, l) => sum + Number(l.split(' ').at(-1)), 0);
  const decide = async (attributes: RequestAttributes = pods, user = ann) => {
    const { decision, reason, evaluationError } = await authorizer.authorize(
      user,
      attributes,
      noDecisionTrace,
    );
    const error = evaluationError === undefined ? [] : [evaluationError];
    return [decision, reason, ...error].join(' | ');
  };
  return { authorizer, clock, asked, count, decide };
}

const failing = (changes: Partial<CallFailure> = {}): CallFailure => ({
  message: 'refused',
  result: 'error',
  isRetriable: false,
  ...changes,
});
const always = (decision: 'allow' | 'deny' | 'no-opinion'): Authorizer => ({
  name: 'fixed',
  authorize: () => ({ decision, reason: 'fixed' }),
});
const ask = async (authorizers: readonly Authorizer[]) =>
  createUnionAuthorizer(authorizers).authorize(ann, pods, noDecisionTrace);

test('auth §11.7 (1), (2), (12): what an answer means', async () => {
  const rows: [status: Status, expected: string][] = [
    [{ allowed: true, reason: 'why' }, 'allow | why'],
    [{ denied: true, reason: 'why' }, 'deny | why'],
    [{ allowed: false, denied: false }, 'no-opinion | '],
    [{}, 'no-opinion | '],
    [
      { allowed: true, denied: true, reason: 'odd' },
      'deny | odd | webhook subject access review returned both allow and deny response',
    ],
  ];
  for (const [status, expected] of rows)
    assert.equal(await createHook(() => status).decide(), expected);
  const silent = createHook(() => ({}));
  const second = createHook(() => ({ allowed: true, reason: 'second' }));
  assert.equal((await ask([silent.authorizer, second.authorizer])).reason, 'second');
  assert.equal(silent.asked.length, 1);
  const denying = createHook(() => ({ denied: true }));
  const later = createHook(() => ({ allowed: true }));
  assert.equal((await ask([denying.authorizer, later.authorizer])).decision, 'deny');
  assert.equal(later.asked.length, 0);
});

test('auth §11.4, §11.7 (13): what a webhook is sent', async () => {
  const hook = createHook(() => ({}));
  await hook.decide({
    ...pods,
    fieldSelector: [{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }],
    labelSelector: [{ key: 'x', operator: 'DoesNotExist', values: [] }],
  });
  assert.deepEqual(hook.asked[0], {
    kind: 'SubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec: {
      resourceAttributes: {
        namespace: 'shop',
        verb: 'list',
        version: 'v1',
        resource: 'pods',
        fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }] },
        labelSelector: { requirements: [{ key: 'x', operator: 'DoesNotExist' }] },
      },
      user: 'ann',
      groups: ['devs', 'system:authenticated'],
      extra: { team: ['a', 'b'] },
      uid: 'u1',
    },
    status: { allowed: false },
  });
  const older = createHook(() => ({ allowed: true }), { subjectAccessReviewVersion: 'v1beta1' });
  assert.equal(await older.decide({ isResource: false, verb: 'get', path: '/x' }), 'allow | ');
  assert.equal(older.asked[0]?.apiVersion, 'authorization.k8s.io/v1beta1');
  assert.deepEqual(older.asked[0]?.spec['group'], ann.groups);
  assert.deepEqual(older.asked[0]?.spec['nonResourceAttributes'], { path: '/x', verb: 'get' });
  const nobody = { name: 'x', uid: '', groups: [], extra: {} };
  await older.decide(pods, nobody);
  assert.deepEqual(Object.keys(older.asked[1]?.spec ?? {}), ['resourceAttributes', 'user']);
});

test('auth §12.4 (1)–(4), (9), (13): selectors of requests reach the webhook', async () => {
  const hook = createHook(() => ({}), { unauthorizedTtlMs: 0 });
  const sent = async (verb: string, query: string) => {
    const info = {
      isResourceRequest: true,
      path: '/api/v1/pods',
      verb,
      apiPrefix: 'api',
      group: '',
      version: 'v1',
      namespace: '',
      resource: 'pods',
      subresource: '',
      name: '',
      parts: [],
      query: new URLSearchParams(query),
    };
    await hook.decide(attributesOf({ info }));
    const attributes = hook.asked.at(-1)?.spec['resourceAttributes'] as Record<string, unknown>;
    return [attributes['fieldSelector'], attributes['labelSelector']].map((selector) =>
      selector === undefined ? undefined : (selector as { requirements: unknown[] }).requirements,
    );
  };
  const rows: [verb: string, query: string, expected: unknown[]][] = [
    [
      'list',
      'fieldSelector=spec.nodeName%3Dn1',
      [[{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }], undefined],
    ],
    [
      'watch',
      'fieldSelector=a!%3Db',
      [[{ key: 'a', operator: 'NotIn', values: ['b'] }], undefined],
    ],
    [
      'list',
      'labelSelector=x+in+(a,b)',
      [undefined, [{ key: 'x', operator: 'In', values: ['a', 'b'] }]],
    ],
    ['list', 'labelSelector=!x', [undefined, [{ key: 'x', operator: 'DoesNotExist' }]]],
    ['get', 'fieldSelector=spec.nodeName%3Dn1', [undefined, undefined]],
    ['deletecollection', 'labelSelector=x', [undefined, [{ key: 'x', operator: 'Exists' }]]],
    ['list', 'labelSelector=x+%3E+1', [undefined, undefined]],
    ['list', 'fieldSelector=a', [undefined, undefined]],
  ];
  for (const [verb, query, expected] of rows)
    assert.deepEqual(await sent(verb, query), expected, `${verb} ${query}`);
});

test('auth §11.7 (3), (4): match conditions', async () => {
  const conditions = ['request.user != "ann"'];
  const excluded = createHook(() => ({ denied: true }), { conditions });
  assert.equal(await excluded.decide(), 'no-opinion | ');
  assert.equal(excluded.asked.length, 0);
  const excludedTotal = 'apiserver_authorization_match_condition_exclusions_total';
  assert.equal(excluded.count(excludedTotal, 'type="Webhook"', 'name="hook"'), 1);

  const url: RequestAttributes = { isResource: false, verb: 'get', path: '/x' };
  const unguarded = ['request.resourceAttributes.namespace == "shop"'];
  const error =
    'cel evaluation error: expression \'request.resourceAttributes.namespace == "shop"\' resulted in error: no such key: resourceAttributes';
  const denying = createHook(() => ({}), { conditions: unguarded, failurePolicy: 'Deny' });
  assert.equal(await denying.decide(url), `deny |  | ${error}`);
  assert.equal(denying.asked.length, 0);
  const errors = 'apiserver_authorization_match_condition_evaluation_errors_total';
  assert.equal(denying.count(errors, 'name="hook"'), 1);
  const passing = createHook(() => ({}), { conditions: unguarded });
  assert.equal(await passing.decide(url), `no-opinion |  | ${error}`);
  const next = await createUnionAuthorizer([passing.authorizer, always('allow')]).authorize(
    ann,
    url,
    noDecisionTrace,
  );
  assert.equal(next.decision, 'allow');
  const both = createHook(() => ({}), {
    conditions: [...unguarded, 'has(request.resourceAttributes)'],
    failurePolicy: 'Deny',
  });
  assert.equal(
    await both.decide(url),
    'no-opinion | ',
    'one that is false wins over one that fails',
  );
});

test('a match condition has a budget', async () => {
  const each = (name: string, of: string) => `request.groups.all(${name}, ${of})`;
  const conditions = [each('a', each('b', each('c', 'a + b + c != ""')))];
  const hook = createHook(() => ({ allowed: true }), { conditions, failurePolicy: 'Deny' });
  const groups = Array.from({ length: 200 }, (_, i) => `group-${i}`);
  assert.match(await hook.decide(pods, { ...ann, groups }), /^deny .*actual cost limit exceeded$/);
  assert.equal(await hook.decide(), 'allow | ');
});

test('what match conditions see', async () => {
  const field = [{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }] as const;
  const url: RequestAttributes = { isResource: false, verb: 'get', path: '/x' };
  const rows: [attributes: RequestAttributes, holds: boolean, expression: string][] = [
    [pods, true, 'request.user == "ann" && request.uid == "u1" && "devs" in request.groups'],
    [pods, true, 'request.extra["team"] == ["a", "b"]'],
    [pods, true, 'request.resourceAttributes.name == "" && request.resourceAttributes.group == ""'],
    [pods, true, 'has(request.resourceAttributes) && !has(request.nonResourceAttributes)'],
    [pods, false, 'has(request.resourceAttributes.fieldSelector)'],
    [{ ...pods, fieldSelector: field }, true, 'has(request.resourceAttributes.fieldSelector)'],
    [
      { ...pods, fieldSelector: field },
      true,
      'request.resourceAttributes.fieldSelector.requirements.exists(r, r.key == "spec.nodeName" && r.operator == "In" && "n1" in r.values)',
    ],
    [pods, true, '!request.resourceAttributes.?labelSelector.hasValue()'],
    [url, true, 'request.nonResourceAttributes.path == "/x" && !has(request.resourceAttributes)'],
  ];
  for (const [attributes, holds, expression] of rows) {
    const hook = createHook(() => ({ allowed: true }), { conditions: [expression] });
    assert.equal(await hook.decide(attributes), holds ? 'allow | ' : 'no-opinion | ', expression);
  }
});

test('auth §11.7 (5): a webhook that cannot be asked', async () => {
  const timeout = failing({ result: 'timeout', message: 'context deadline exceeded' });
  const open = createHook(() => timeout);
  assert.equal(await open.decide(), 'no-opinion |  | context deadline exceeded');
  const prefix = 'apiserver_authorization_webhook_';
  assert.equal(open.count(`${prefix}evaluations_fail_open_total`, 'result="timeout"'), 1);
  assert.equal(open.count(`${prefix}evaluations_total`, 'name="hook"', 'result="timeout"'), 1);
  assert.equal(open.count(`${prefix}duration_seconds_count`, 'result="timeout"'), 1);
  const closed = createHook(() => timeout, { failurePolicy: 'Deny' });
  assert.equal(await closed.decide(), 'deny |  | context deadline exceeded');
  assert.equal(closed.count(`${prefix}evaluations_fail_open_total`), 0);
  const { decision, evaluationError } = await ask([closed.authorizer, always('allow')]);
  assert.deepEqual([decision, evaluationError], ['deny', 'context deadline exceeded']);
  await open.decide();
  assert.equal(open.asked.length, 2, 'failures are not kept');
});

test('answers that are none are failures', async () => {
  const rows = [
    '',
    '{',
    '[]',
    '{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1beta1","status":{"allowed":true}}',
    '{"kind":"Status","apiVersion":"v1","status":"Success"}',
    '{"apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}',
    '{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":"true"}}',
  ];
  for (const answer of rows) {
    const hook = createHook(() => answer, { failurePolicy: 'Deny' });
    assert.match(await hook.decide(), /^deny \|  \| ./, answer);
    assert.equal(hook.asked.length, 1);
  }
});

test('auth §11.4: what passes is tried again, five times in all', async () => {
  const hook = createHook((_review, call) =>
    call < 3 ? failing({ isRetriable: true }) : { allowed: true },
  );
  const decided = hook.decide();
  await hook.clock.advance(499);
  assert.equal(hook.asked.length, 1);
  await hook.clock.advance(101);
  assert.equal(hook.asked.length, 2);
  await hook.clock.advance(900);
  assert.equal(await decided, 'allow | ');
  assert.equal(hook.asked.length, 3);
  const never = createHook(() => failing({ isRetriable: true }));
  const given = never.decide();
  await never.clock.advance(10_000);
  assert.equal(await given, 'no-opinion |  | refused');
  assert.equal(never.asked.length, 5);
  assert.equal(never.count('apiserver_authorization_webhook_evaluations_total'), 5);
});

test('auth §11.7 (11): answers are kept', async () => {
  const hook = createHook(({ spec }) => ({ allowed: spec['user'] === 'ann' }));
  const bob = { ...ann, name: 'bob' };
  for (const who of [ann, bob, ann, bob]) await hook.decide(pods, who);
  assert.equal(hook.asked.length, 2);
  await hook.clock.advance(30_001);
  for (const who of [ann, bob]) await hook.decide(pods, who);
  assert.equal(hook.asked.length, 3, 'refusals for half a minute');
  await hook.clock.advance(270_000);
  await hook.decide();
  assert.equal(hook.asked.length, 4, 'permissions for five minutes');
  const selector = [{ key: 'a', operator: 'In', values: ['b'] }] as const;
  await hook.decide({ ...pods, fieldSelector: selector });
  await hook.decide({ ...pods, labelSelector: selector });
  assert.equal(hook.asked.length, 6, 'selectors are part of the question');
  const forgetful = createHook(() => ({ allowed: true }), { authorizedTtlMs: 0 });
  for (let i = 0; i < 3; i++) await forgetful.decide();
  assert.equal(forgetful.asked.length, 3);
});

test('what is kept is bounded', async () => {
  const hook = createHook(() => ({ allowed: true }));
  const long = { ...pods, name: 'x'.repeat(10_000) };
  await hook.decide(long);
  await hook.decide(long);
  assert.equal(hook.asked.length, 2, 'long requests are not kept');
  for (let i = 0; i <= cachedDecisionsMax; i++) await hook.decide({ ...pods, name: `p${i}` });
  const before = hook.asked.length;
  await hook.decide({ ...pods, name: `p${cachedDecisionsMax}` });
  assert.equal(hook.asked.length, before);
  await hook.decide({ ...pods, name: 'p0' });
  assert.equal(hook.asked.length, before + 1, 'the oldest went');
});

test('the decision trace says what was asked and what came of it', async () => {
  const hook = createHook(() => ({ denied: true, reason: 'no' }), {
    conditions: ['request.user == "ann"'],
  });
  const steps = async (attributes: RequestAttributes, user: UserInfo) => {
    const trace = createDecisionTrace();
    await hook.authorizer.authorize(user, attributes, trace);
    return trace.steps();
  };
  const step = { stage: 'authorization', by: 'webhook hook' };
  const held = [{ expression: 'request.user == "ann"', result: true }];
  assert.deepEqual(await steps(pods, ann), [
    {
      ...step,
      outcome: 'deny',
      reason: 'no',
      detail: { webhook: 'hook', conditions: held, cache: 'miss', attempts: 1 },
    },
  ]);
  assert.deepEqual(
    (await steps(pods, ann)).map(({ detail }) => detail),
    [{ webhook: 'hook', conditions: held, cache: 'hit' }],
  );
  const missed = [{ expression: 'request.user == "ann"', result: false }];
  assert.deepEqual(
    (await steps(pods, { ...ann, name: 'bob' })).map(({ detail }) => detail),
    [{ webhook: 'hook', conditions: missed }],
  );
});

test('rules of users are not known', async () => {
  const { authorizer } = createHook(() => ({}));
  const rules = await authorizer.rulesFor(ann, 'shop');
  assert.equal(rules.incomplete, true);
  assert.equal(rules.evaluationError, 'webhook authorizer does not support user rule resolution');
});
