// Admission webhooks in a whole cluster: which requests they are asked about, and what their answers
// do. Webhooks that misbehave are in `hostile-webhooks.test.ts`, those of files in
// `static-manifests.test.ts`.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { JsonObject } from '@keelson/apimachinery';
import { startWebhookServer, type Reply } from '../webhooks/webhook-server.ts';
import {
  assertRefused,
  configMaps,
  customResources,
  definition,
  definitions,
  map,
  registration,
  ruleFor,
  startCluster,
} from './cluster.ts';

const { cluster, send, create } = await startCluster();
const webhook = await startWebhookServer();
after(() => Promise.all([cluster.close(), webhook.close()]));

interface Hook {
  readonly name: string;
  readonly rules?: readonly object[];
  readonly [field: string]: unknown;
}
/** Takes the configuration away when the test ends. */
async function configure(
  t: { after(end: () => unknown): void },
  kind: 'mutating' | 'validating',
  hooks: readonly Hook[],
) {
  const path = `${registration}/${kind}webhookconfigurations`;
  const { port, caBundle } = webhook;
  await create(path, {
    metadata: { name: 'hooks' },
    webhooks: hooks.map(({ name, ...rest }) => ({
      name: `${name}.example.com`,
      clientConfig: { url: `https://127.0.0.1:${port}/${name}`, caBundle },
      rules: [ruleFor('configmaps')],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      ...rest,
    })),
  });
  t.after(() => send('DELETE', `${path}/hooks`));
  return `${path}/hooks`;
}

const deny = (status: object = { message: 'no' }): Reply => ({
  response: { allowed: false, status: status as JsonObject },
});
const labels = (key: string): Reply => ({
  patch: [{ op: 'add', path: `/metadata/labels/${key}`, value: 'yes' }],
});
const asked = () => webhook.calls.map(({ path }) => path.slice(1));
function requestOf(call: number): unknown {
  const { body } = webhook.calls[call] ?? assert.fail(`there was no call ${call}`);
  return body?.['request'];
}
const denied = 'admission webhook "a.example.com" denied the request';

describe('admission webhooks', () => {
  it('admission §6 (1): a refusal in the words of the webhook', async (t) => {
    await configure(t, 'validating', [{ name: 'a' }]);
    webhook.play({ '/a': deny({ message: 'not on Fridays', code: 403, reason: 'Forbidden' }) });
    const decision = await send('POST', configMaps, map('one'));
    assertRefused(decision, 403, `${denied}: not on Fridays`);
    assert.equal((decision.body as { reason: string }).reason, 'Forbidden');
  });

  it('admission §6 (2): a refusal without a word', async (t) => {
    await configure(t, 'validating', [{ name: 'a' }]);
    webhook.play({ '/a': { response: { allowed: false } } });
    assertRefused(await send('POST', configMaps, map('one')), 400, `${denied} without explanation`);
    webhook.play({ '/a': deny({ code: 200, reason: 'Because' }) });
    assertRefused(await send('POST', configMaps, map('one')), 400, `${denied}: Because`);
  });

  it('admission §6 (3): a webhook that takes too long', async (t) => {
    const slow = { timeoutSeconds: 1 };
    await configure(t, 'validating', [
      { name: 'strict', ...slow, objectSelector: { matchLabels: { checked: 'yes' } } },
      { name: 'lax', ...slow, failurePolicy: 'Ignore' },
    ]);
    const late = { delayMs: 5_000 };
    webhook.play({ '/strict': late, '/lax': late });
    const [passed, refused] = await Promise.all([
      send('POST', configMaps, map('slow')),
      send('POST', configMaps, map('late', {}, { checked: 'yes' })),
    ]);
    assert.equal(passed.status, 201);
    assert.deepEqual(passed.auditAnnotations, {
      ...passed.auditAnnotations,
      'failed-open.validating.webhook.admission.k8s.io/round_0_index_0': 'lax.example.com',
    });
    assertRefused(
      refused,
      500,
      /^Internal error occurred: failed calling webhook "strict\.example\.com": failed to call webhook: Post "https:\/\/127\.0\.0\.1:\d+\/strict\?timeout=1s": context deadline exceeded$/,
    );
  });

  it('admission §6 (6): a webhook sees what came after it, if it asks for that', async (t) => {
    await configure(t, 'mutating', [
      { name: 'again', reinvocationPolicy: 'IfNeeded' },
      { name: 'never', reinvocationPolicy: 'Never' },
      { name: 'last' },
    ]);
    webhook.play({ '/last': labels('last') });
    await create(configMaps, map('again', {}, { a: 'b' }));
    assert.deepEqual(asked(), ['again', 'never', 'last', 'again']);
    const { object } = requestOf(3) as { object: { metadata: { labels: object } } };
    assert.deepEqual(object.metadata.labels, { a: 'b', last: 'yes' });
  });

  it('admission §6 (8): configurations are shown to no webhook', async (t) => {
    const everything = { ...ruleFor('*/*', '*', ['*']), apiVersions: ['*'] };
    const path = await configure(t, 'validating', [{ name: 'a', rules: [everything] }]);
    webhook.play({ '/a': deny() });
    const { body } = await send('GET', path);
    const [only] = (body as unknown as { webhooks: object[] }).webhooks;
    const updated = await send('PUT', path, {
      ...(body as object),
      webhooks: [{ ...only, timeoutSeconds: 5 }],
    });
    assert.equal(updated.status, 200);
    assert.deepEqual(asked(), []);
    assertRefused(await send('POST', configMaps, map('one')), 400, `${denied}: no`);
  });

  it('admission §6 (9): a namespace is selected by the labels that it gets', async (t) => {
    const rules = [ruleFor('namespaces')];
    const namespaceSelector = { matchLabels: { checked: 'yes' } };
    await configure(t, 'validating', [{ name: 'a', rules, namespaceSelector }]);
    webhook.play({ '/a': deny() });
    const namespace = (value: string) => ({
      metadata: { name: 'selected', labels: { checked: value } },
    });
    const path = '/api/v1/namespaces';
    assertRefused(await send('POST', path, namespace('yes')), 400, `${denied}: no`);
    await create(path, namespace('no'));
    const relabelled = await send('PATCH', `${path}/selected`, namespace('yes'), {
      contentType: 'application/merge-patch+json',
    });
    assertRefused(relabelled, 400, `${denied}: no`);
  });

  it('admission §6 (10): what is deleted is selected by the labels that it had', async (t) => {
    for (const keep of ['yes', 'no']) await create(configMaps, map(`keep-${keep}`, {}, { keep }));
    const rules = [ruleFor('configmaps', '', ['DELETE'])];
    const objectSelector = { matchLabels: { keep: 'yes' } };
    await configure(t, 'validating', [{ name: 'a', rules, objectSelector }]);
    webhook.play({ '/a': deny() });
    assertRefused(await send('DELETE', `${configMaps}/keep-yes`), 400, `${denied}: no`);
    const { object, oldObject } = requestOf(0) as {
      object: unknown;
      oldObject: { metadata: { name: string } };
    };
    assert.deepEqual([object, oldObject.metadata.name], [null, 'keep-yes']);
    assert.equal((await send('DELETE', `${configMaps}/keep-no`)).status, 200);
  });

  it('admission §6 (11): an object is shown in the version of the rule', async (t) => {
    const versions = ['v1', 'v2'];
    await create(definitions, definition({ plural: 'dials', kind: 'Dial', versions }));
    const rules = [ruleFor('dials', 'example.com')];
    await configure(t, 'validating', [
      { name: 'equivalent', rules },
      { name: 'exact', rules, matchPolicy: 'Exact' },
    ]);
    webhook.play({});
    await create(customResources('dials', 'v2'), {
      apiVersion: 'example.com/v2',
      kind: 'Dial',
      metadata: { name: 'd' },
      spec: {},
    });
    assert.deepEqual(asked(), ['equivalent']);
    const { kind, requestKind, object } = requestOf(0) as {
      kind: { version: string };
      requestKind: { version: string };
      object: { apiVersion: string };
    };
    assert.deepEqual(
      [kind.version, requestKind.version, object.apiVersion],
      ['v1', 'v2', 'example.com/v1'],
    );
  });

  it('admission §6 (12): a condition that is false keeps a webhook out', async (t) => {
    const matchConditions = [{ name: 'c', expression: 'object.metadata.name != "out"' }];
    await configure(t, 'validating', [{ name: 'a', matchConditions }]);
    webhook.play({ '/a': deny() });
    await create(configMaps, map('out'));
    assert.deepEqual(asked(), []);
    assertRefused(await send('POST', configMaps, map('in')), 400, `${denied}: no`);
  });

  it('admission §6 (13): of several refusals one is the answer', async (t) => {
    await configure(t, 'validating', [{ name: 'a' }, { name: 'b' }]);
    webhook.play({ '/a': deny(), '/b': { ...deny({ message: 'later' }), delayMs: 50 } });
    assertRefused(await send('POST', configMaps, map('one')), 400, `${denied}: no`);
    assert.deepEqual(asked().toSorted(), ['a', 'b']);
  });

  it('admission §6 (14): warnings reach the client, also with a refusal', async (t) => {
    await configure(t, 'validating', [{ name: 'a' }]);
    const warnings = ['first', 'second', 'first'];
    webhook.play({ '/a': { response: { warnings } } });
    assert.deepEqual((await create(configMaps, map('warned'))).warnings, ['first', 'second']);
    webhook.play({ '/a': { response: { allowed: false, warnings } } });
    const refused = await send('POST', configMaps, map('refused'));
    assert.deepEqual([refused.status, refused.warnings], [400, ['first', 'second']]);
  });
});
