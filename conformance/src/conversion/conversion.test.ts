// A definition with two versions of different shape and a conversion webhook, as a client sees it.
// v1 has `spec.host` and `spec.port`; v2, which is stored, has `spec.address`, `host:port`.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  isJsonObject,
  isStatusError,
  type JsonObject,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Client, ResourceClient } from '@keelson/client';
import { createCluster, type Cluster } from '@keelson/keelson';
import { startConversionServer, type ConversionServer, type Review } from './conversion-server.ts';

const group = 'shop.example.com';
const text = { type: 'string' };
const schemaOf = (properties: JsonObject) => ({
  openAPIV3Schema: {
    type: 'object',
    properties: {
      spec: { type: 'object', properties },
      status: { type: 'object', properties: { phase: text } },
    },
  },
});
const v1Schema = schemaOf({
  host: { ...text, maxLength: 20 },
  port: { type: 'integer', default: 80 },
});
const v2Schema = schemaOf({ address: text, note: text });

function definition(conversion: JsonObject, schemas = [v1Schema, v2Schema]): KubeObject {
  const version = (name: string, storage: boolean, schema: unknown) => ({
    name,
    served: true,
    storage,
    schema,
    subresources: { status: {} },
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `backends.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'backends', singular: 'backend', kind: 'Backend' },
      versions: [version('v1', false, schemas[0]), version('v2', true, schemas[1])],
      conversion,
    },
  };
}

function convert(object: JsonObject, from: string): void {
  const spec = isJsonObject(object['spec']) ? object['spec'] : {};
  if (from.endsWith('/v1')) {
    const { host, port, ...rest } = spec;
    object['spec'] = { ...rest, address: `${String(host)}:${String(port)}` };
  } else {
    const { address, ...rest } = spec;
    const [host = '', port] = String(address).split(':');
    object['spec'] = { ...rest, host, port: Number(port) };
  }
}

describe('conversion by webhook', { timeout: 60_000 }, () => {
  let hook: ConversionServer;
  let cluster: Cluster;
  let client: Client;
  let v1: ResourceClient;
  let v2: ResourceClient;
  const definitions = () =>
    client.resource({
      group: 'apiextensions.k8s.io',
      version: 'v1',
      resource: 'customresourcedefinitions',
    });
  const conversion = (change: JsonObject = {}) => ({
    strategy: 'Webhook',
    webhook: {
      clientConfig: { url: `https://127.0.0.1:${hook.port}/convert`, caBundle: hook.caBundle },
      conversionReviewVersions: ['v2', 'v1', 'v1beta1'],
      ...change,
    },
  });
  const redefine = async (object: KubeObject) => {
    const current = await definitions().get(object.metadata.name ?? '');
    await definitions().update({
      ...object,
      metadata: { ...object.metadata, resourceVersion: current.metadata.resourceVersion ?? '' },
    });
  };
  const backend = (version: string, name: string, spec: JsonObject): KubeObject => ({
    apiVersion: `${group}/${version}`,
    kind: 'Backend',
    metadata: { name },
    spec,
  });

  before(async () => {
    hook = await startConversionServer(convert);
    cluster = await createCluster({ controllers: [] });
    client = cluster.client();
    const resource = (version: string) =>
      client.resource({ group, version, resource: 'backends' }).namespace('default');
    [v1, v2] = [resource('v1'), resource('v2')];
    await definitions().create(definition(conversion()));
  });
  after(async () => {
    await cluster.close();
    await hook.close();
  });

  it('reads and writes either version, and checks each by its own schema', async () => {
    const created = await v1.create(backend('v1', 'a', { host: 'a.example', extra: 'pruned' }));
    assert.deepEqual(created['spec'], { host: 'a.example', port: 80 });
    assert.equal(created.apiVersion, `${group}/v1`);
    assert.deepEqual((await v2.get('a'))['spec'], { address: 'a.example:80' });
    await v2.create(backend('v2', 'b', { address: 'a-rather-long-name.example:443' }));
    await assert.rejects(v1.create(backend('v1', 'c', { host: 'x'.repeat(21) })), {
      message: /spec\.host: Too long: may not be more than 20 bytes/,
    });
    await assert.rejects(v1.create(backend('v1', 'a', { host: 'again' })), /already exists/);
  });

  it('asks in version v1 with the objects as they are, once for each object', async () => {
    hook.reviews.length = 0;
    const listed = await v1.list();
    assert.deepEqual(
      listed.items.map((item) => [item.apiVersion, (item['spec'] as JsonObject)['port']]),
      [
        [`${group}/v1`, 80],
        [`${group}/v1`, 443],
      ],
    );
    await Promise.all([v1.list(), v1.get('a'), v2.list(), v1.get('b')]);
    assert.equal(hook.reviews.length, 1);
    const [review] = hook.reviews;
    assert.equal(review?.apiVersion, 'apiextensions.k8s.io/v1');
    assert.equal(review.request.desiredAPIVersion, `${group}/v1`);
    assert.deepEqual(
      review.request.objects.map((o) => (o['metadata'] as JsonObject)['name']),
      ['b'],
    );
  });

  it('converts a long list in few calls', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `many-${i}`);
    for (const name of names) await v2.create(backend('v2', name, { address: `${name}:1` }));
    hook.reviews.length = 0;
    assert.equal((await v1.list()).items.length, 22);
    assert.equal(hook.reviews.length, 1);
    assert.equal(hook.reviews[0]?.request.objects.length, 20);
    for (const name of names) await v2.delete(name);
  });

  it('watches in the version that was asked for', async () => {
    const { metadata } = await v1.list();
    const stop = new AbortController();
    const resourceVersion = metadata.resourceVersion ?? '';
    const events = v1.watch({ resourceVersion, signal: stop.signal });
    await v2.create(backend('v2', 'w', { address: 'w.example:1' }));
    await v2.patch('w', 'merge', { spec: { address: 'w.example:2' } });
    await v2.delete('w');
    const seen: unknown[] = [];
    for await (const event of events) {
      if (event.type === 'BOOKMARK') continue;
      seen.push([
        event.type,
        event.object.apiVersion,
        (event.object['spec'] as JsonObject)['port'],
      ]);
      if (seen.length === 3) break;
    }
    stop.abort();
    const apiVersion = `${group}/v1`;
    assert.deepEqual(seen, [
      ['ADDED', apiVersion, 1],
      ['MODIFIED', apiVersion, 2],
      ['DELETED', apiVersion, 2],
    ]);
  });

  it('updates, patches and applies through the version that is not stored', async () => {
    const live = await v1.get('a');
    await v1.update({ ...live, spec: { host: 'b.example', port: 81 } });
    assert.deepEqual((await v2.get('a'))['spec'], { address: 'b.example:81' });
    await v1.patch('a', 'merge', { spec: { port: 82 } });
    assert.deepEqual((await v2.get('a'))['spec'], { address: 'b.example:82' });
    await v1.apply(backend('v1', 'a', { port: 83 }), { fieldManager: 'applier', force: true });
    const applied = await v2.apply(backend('v2', 'a', { note: 'hello' }), {
      fieldManager: 'noter',
      force: true,
    });
    assert.deepEqual(applied['spec'], { address: 'b.example:83', note: 'hello' });
    const managers = applied.metadata.managedFields?.map((m) => `${m.manager} ${m.apiVersion}`);
    assert.ok(managers?.includes(`applier ${group}/v1`), String(managers));
    assert.ok(managers?.includes(`noter ${group}/v2`), String(managers));
  });

  it('knows whose field it is in whatever version it was named', async () => {
    const named = (manager: string) => ({ fieldManager: manager, force: false });
    await v1.apply(backend('v1', 'owned', { host: 'o.example', port: 1 }), named('one'));
    const taking = backend('v2', 'owned', { address: 'p.example:1' });
    await assert.rejects(v2.apply(taking, named('two')), {
      message: 'Apply failed with 1 conflict: conflict with "one": .spec.host',
    });
    await v2.apply(taking, { fieldManager: 'two', force: true });
    const { metadata } = await v1.get('owned');
    const fieldsOf = (name: string) =>
      JSON.stringify(metadata.managedFields?.find(({ manager }) => manager === name)?.fieldsV1);
    assert.equal(fieldsOf('one'), '{"f:spec":{"f:port":{}}}');
    assert.equal(fieldsOf('two'), '{"f:spec":{"f:address":{}}}');
    await v1.delete('owned');
  });

  it('takes labels and annotations of an answer, and no other metadata', async () => {
    const original = hook.answer;
    hook.answer = ({ apiVersion, request }) => ({
      kind: 'ConversionReview',
      apiVersion,
      response: {
        uid: request.uid,
        result: { status: 'Success' },
        convertedObjects: request.objects.map((object) => ({
          ...object,
          apiVersion: request.desiredAPIVersion,
          spec: { host: 'x', port: 1 },
          metadata: {
            ...(object['metadata'] as JsonObject),
            generation: 99,
            resourceVersion: '1',
            finalizers: ['example.com/added'],
            labels: { added: 'yes' },
          },
        })),
      },
    });
    await v2.create(backend('v2', 'meta', { address: 'm:1' }));
    const { metadata } = await v1.get('meta');
    hook.answer = original;
    assert.deepEqual(metadata.labels, { added: 'yes' });
    assert.equal(metadata.generation, 1);
    assert.equal(metadata.finalizers, undefined);
    assert.notEqual(metadata.resourceVersion, '1');
  });

  const success = { status: 'Success' };
  const answerOf =
    (response: (objects: JsonObject[], review: Review) => unknown) => (review: Review) => ({
      kind: 'ConversionReview',
      apiVersion: review.apiVersion,
      response: response(
        review.request.objects.map((object) => ({
          ...object,
          apiVersion: review.request.desiredAPIVersion,
        })),
        review,
      ),
    });
  const subject = `conversion webhook for ${group}/v2, Kind=Backend`;
  const refusals: readonly (readonly [string, (review: Review) => unknown, string | RegExp])[] = [
    ['no object', () => 'hello', `${subject} failed: the answer is no JSON object`],
    [
      'another kind',
      () => ({ kind: 'Status', apiVersion: 'v1' }),
      `${subject} failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got v1, Kind=Status`,
    ],
    ['no response', answerOf(() => null), `${subject} failed: no response provided`],
    [
      'another uid',
      answerOf(() => ({ uid: 'x' })),
      /failed: expected response\.uid="[0-9a-f-]{36}", got "x"$/,
    ],
    [
      'a failure with its reason',
      answerOf((_o, r) => ({ uid: r.request.uid, result: { status: 'Failure', message: 'no' } })),
      `${subject} failed: no`,
    ],
    [
      'a failure without',
      answerOf((_o, r) => ({ uid: r.request.uid, result: { status: 'Failure' } })),
      `${subject} failed: response.result.status was 'Failure', not 'Success'`,
    ],
    [
      'too few',
      answerOf((_o, r) => ({ uid: r.request.uid, result: success, convertedObjects: [] })),
      `${subject} returned 0 objects, expected 1`,
    ],
    ...(
      [
        [
          'another version',
          { apiVersion: `${group}/v3` },
          `invalid object at index 0: invalid groupVersion (expected ${group}/v1, received ${group}/v3)`,
        ],
        [
          'another kind of object',
          { kind: 'Other' },
          'invalid object at index 0: invalid kind (expected Backend, received Other)',
        ],
        [
          'another name',
          { metadata: { name: 'other' } },
          'invalid object: must have the same name: b != other',
        ],
        [
          'another namespace',
          { metadata: { name: 'b', namespace: 'other' } },
          'invalid object: must have the same namespace: default != other',
        ],
        [
          'another uid of the object',
          { metadata: { name: 'b', namespace: 'default', uid: 'u' } },
          /invalid object: must have the same UID: [0-9a-f-]{36} != u$/,
        ],
      ] as const
    ).map(
      ([what, change, message]) =>
        [
          `an object of ${what}`,
          answerOf((objects, r) => ({
            uid: r.request.uid,
            result: success,
            convertedObjects: objects.map((o) => ({ ...o, ...change })),
          })),
          typeof message === 'string' ? `${subject} returned ${message}` : message,
        ] as const,
    ),
    ...(
      [
        [{ labels: 'no' }, 'invalid metadata.labels of type string in converted object'],
        [
          { labels: { a: 1 } },
          'metadata.labels[a] must be a string, but is int64 in converted object',
        ],
        [{ annotations: { 'a b': '' } }, /^metadata\.annotation: Invalid value: "a b": name part/],
      ] as const
    ).map(
      ([change, message]) =>
        [
          `metadata like ${JSON.stringify(change)}`,
          answerOf((objects, r) => ({
            uid: r.request.uid,
            result: success,
            convertedObjects: objects.map((o) => ({
              ...o,
              metadata: { ...(o['metadata'] as JsonObject), ...change },
            })),
          })),
          typeof message === 'string'
            ? `${subject} returned invalid metadata: ${message}`
            : new RegExp(message.source.slice(1)),
        ] as const,
    ),
  ];
  for (const [what, answer, message] of refusals)
    it(`refuses an answer of ${what}`, async () => {
      await v2.patch('b', 'merge', { metadata: { annotations: { asked: what } } });
      hook.answer = answer;
      await assert.rejects(v1.get('b'), (error: Error & { status?: { code?: number } }) => {
        if (typeof message === 'string') assert.equal(error.message, message);
        else assert.match(error.message, message);
        assert.equal(error.status?.code, 500);
        return true;
      });
      hook.answer = undefined;
      assert.equal((await v1.get('b')).apiVersion, `${group}/v1`);
    });

  it('speaks v1beta1 where nothing newer is wanted', async () => {
    await redefine(definition(conversion({ conversionReviewVersions: ['v1beta1'] })));
    hook.reviews.length = 0;
    hook.answer = (review) => ({ response: { result: success, convertedObjects: [] }, review });
    await assert.rejects(v1.get('b'), { message: `${subject} returned 0 objects, expected 1` });
    hook.answer = undefined;
    assert.equal((await v1.get('b')).apiVersion, `${group}/v1`);
    assert.equal(hook.reviews.at(-1)?.apiVersion, 'apiextensions.k8s.io/v1beta1');
  });

  it('says where a service leads that is none', async () => {
    const clientConfig = { service: { namespace: 'default', name: 'converter' } };
    await redefine(definition(conversion({ clientConfig })));
    await assert.rejects(v1.get('b'), {
      message: `${subject} failed: Post "https://converter.default.svc:443/?timeout=30s": services "converter" not found`,
    });
  });

  it('reaches a service by its name', async () => {
    await client
      .resource({ group: '', version: 'v1', resource: 'services' })
      .namespace('default')
      .create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'converter' },
        spec: { type: 'ExternalName', externalName: 'localhost' },
      });
    const { port, caBundle } = hook;
    const clientConfig = { service: { namespace: 'default', name: 'converter', port }, caBundle };
    await redefine(definition(conversion({ clientConfig })));
    assert.deepEqual((await v1.get('b'))['spec'], {
      host: 'a-rather-long-name.example',
      port: 443,
    });
  });

  it('reads old objects under the schema of now', async () => {
    const changed = schemaOf({ note: { ...text, default: 'none' } });
    await redefine(definition({ strategy: 'None' }, [v1Schema, changed]));
    assert.deepEqual((await v2.get('b'))['spec'], { note: 'none' });
    assert.deepEqual((await v1.get('b'))['spec'], {});
    await redefine(definition(conversion()));
  });

  it('goes with all its objects, also when the webhook is broken', async () => {
    const { metadata } = await v2.list();
    const resourceVersion = metadata.resourceVersion ?? '';
    const watching = collect(v2.watch({ resourceVersion }));
    hook.answer = () => ({});
    await definitions().delete(`backends.${group}`);
    for (let tries = 0; ; tries++) {
      const left = (await definitions().list()).items;
      if (left.length === 0) break;
      assert.ok(tries < 100, JSON.stringify(left[0]?.['status']));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const events = await watching;
    assert.ok(events.length > 0);
    assert.deepEqual([...new Set(events)], ['DELETED']);
  });
});

/** The types of all events until the server ends the watch, and knows of no other. */
async function collect(watch: AsyncIterable<{ readonly type: string }>): Promise<string[]> {
  const types: string[] = [];
  try {
    for await (const { type } of watch) if (type !== 'MODIFIED') types.push(type);
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
  return types;
}
