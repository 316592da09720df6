// Admission webhooks as their authors use them: a real HTTPS server on one side, a cluster and its
// client on the other.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JsonObject, KubeObject, StatusError } from '@keelson/apimachinery';
import { createCluster } from '@keelson/keelson';
import { startWebhookServer, type Reply } from './webhook-server.ts';

const v1 = { group: '', version: 'v1' };
const admissionregistration = { group: 'admissionregistration.k8s.io', version: 'v1' };

interface Hook extends JsonObject {
  readonly name: string;
}

async function arrange(t: TestContext) {
  const webhook = await startWebhookServer();
  const cluster = await createCluster({ controllers: [] });
  t.after(async () => {
    await cluster.close();
    await webhook.close();
  });
  const client = cluster.client();
  const configMaps = client.resource({ ...v1, resource: 'configmaps' }).namespace('default');
  const configure = async (kind: 'Mutating' | 'Validating', hooks: readonly Hook[]) => {
    const resource = `${kind.toLowerCase()}webhookconfigurations`;
    await client.resource({ ...admissionregistration, resource }).create({
      metadata: { name: 'hooks' },
      webhooks: hooks.map(({ name, ...rest }) => ({
        name: `${name}.example.com`,
        clientConfig: {
          url: `https://127.0.0.1:${webhook.port}/${name}`,
          caBundle: webhook.caBundle,
        },
        rules: [
          { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] },
        ],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        ...rest,
      })),
    } as unknown as KubeObject);
  };
  const create = (name: string, data: JsonObject = { a: '1' }, labels: JsonObject = {}) =>
    configMaps.create({ metadata: { name, labels }, data } as unknown as KubeObject);
  return { webhook, cluster, configMaps, configure, create };
}

const deny = (message: string): Reply => ({ response: { allowed: false, status: { message } } });
const add = (key: string): Reply => ({
  patch: [{ op: 'add', path: `/data/${key}`, value: 'yes' }],
});
const refusal = (code: number, message: RegExp) => (error: StatusError) => {
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};
const dataOf = (object: KubeObject) => (object as unknown as { data: JsonObject }).data;

test('a webhook is in force when its configuration was written, and no longer when deleted', async (t) => {
  const { webhook, cluster, configure, create } = await arrange(t);
  await configure('Validating', [{ name: 'a' }]);
  webhook.play({ '/a': deny('not on Fridays') });
  await assert.rejects(
    create('one'),
    refusal(400, /^admission webhook "a.example.com" denied the request: not on Fridays$/),
  );
  const resource = 'validatingwebhookconfigurations';
  await cluster
    .client()
    .resource({ ...admissionregistration, resource })
    .delete('hooks');
  await create('one');
});

test('what cannot be asked refuses, or is passed over when its policy says so', async (t) => {
  const { webhook, configure, create } = await arrange(t);
  await configure('Validating', [
    { name: 'strict', objectSelector: { matchLabels: { checked: 'yes' } } },
    { name: 'lenient', failurePolicy: 'Ignore' },
  ]);
  webhook.play({ '/strict': { close: true }, '/lenient': { close: true } });
  await create('passed-over');
  await assert.rejects(
    create('refused', { a: '1' }, { checked: 'yes' }),
    refusal(
      500,
      /^Internal error occurred: failed calling webhook "strict.example.com": failed to/,
    ),
  );
});

test('patches are applied one after the other, defaulted and validated', async (t) => {
  const { webhook, configure, create } = await arrange(t);
  await configure('Mutating', [{ name: 'a' }, { name: 'b' }]);
  webhook.play({ '/a': add('from-a'), '/b': add('from-b') });
  assert.deepEqual(dataOf(await create('one')), { a: '1', 'from-a': 'yes', 'from-b': 'yes' });
  const seen = webhook.calls.map(({ path, body }) => {
    const { request } = body as unknown as { request: { object: { data: JsonObject } } };
    return [path, Object.keys(request.object.data)];
  });
  assert.deepEqual(seen, [
    ['/a', ['a']],
    ['/b', ['a', 'from-a']],
  ]);
  webhook.play({ '/a': add('not valid') });
  await assert.rejects(create('two'), refusal(422, /data\[not valid\]: Invalid value/));
});

test('a webhook that asked for it sees what others changed after it, once', async (t) => {
  const { webhook, configure, create } = await arrange(t);
  await configure('Mutating', [
    { name: 'a', reinvocationPolicy: 'IfNeeded' },
    { name: 'b', reinvocationPolicy: 'IfNeeded' },
    { name: 'never' },
  ]);
  webhook.play({ '/b': add('from-b'), '/never': add('from-c') });
  await create('one');
  assert.deepEqual(
    webhook.calls.map(({ path }) => path),
    ['/a', '/b', '/never', '/a', '/b'],
  );
});

test('the refusal of one of several is the answer, and all are heard', async (t) => {
  const { webhook, configure, create } = await arrange(t);
  await configure('Validating', [{ name: 'a' }, { name: 'b' }]);
  webhook.play({ '/a': { delayMs: 50 }, '/b': deny('no') });
  await assert.rejects(create('one'), refusal(400, /"b.example.com" denied the request: no/));
  assert.equal(webhook.calls.length, 2);
});

test('configurations reach no webhook, so that each can be taken away again', async (t) => {
  const { webhook, cluster, configure } = await arrange(t);
  await configure('Validating', [
    {
      name: 'all',
      rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }],
    },
  ]);
  webhook.play({ '/all': deny('everything') });
  const resource = 'validatingwebhookconfigurations';
  await cluster
    .client()
    .resource({ ...admissionregistration, resource })
    .delete('hooks');
  assert.deepEqual(webhook.calls, []);
});

test('conditions that cannot be judged refuse', async (t) => {
  const { webhook, configure, create } = await arrange(t);
  await configure('Validating', [
    { name: 'a', matchConditions: [{ name: 'c', expression: 'object.data.missing == "x"' }] },
  ]);
  await assert.rejects(create('one'), refusal(403, /^configmaps "one" is forbidden: /));
  assert.deepEqual(webhook.calls, []);
});
