// Every built-in kind through a client that speaks only protobuf.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  builtinResources,
  formatApiVersion,
  type JsonObject,
  type JsonValue,
  type ResourceDefinition,
} from '@keelson/apimachinery';
import { createCluster, type Cluster } from '@keelson/keelson';
import { collectionPath, minimalObject } from './minimal-objects.ts';
import { everyKind, storedKinds } from './stored-kinds.ts';
import {
  createWireClient,
  protobuf,
  type WireAnswer,
  type WireClient,
  type WireEvent,
} from './protobuf-client.ts';

const namespace = 'wire';
const json = { accept: 'application/json' };
const stored = storedKinds;

describe('a client that speaks only protobuf', { timeout: 60_000 }, () => {
  let cluster: Cluster;
  let client: WireClient;
  before(async () => {
    cluster = await createCluster({ controllers: [], ...everyKind });
    client = createWireClient((await cluster.listen()).kubeconfig);
    for (const object of [
      { kind: 'Namespace', apiVersion: 'v1', metadata: { name: namespace } },
      { kind: 'ServiceAccount', apiVersion: 'v1', metadata: { name: 'default', namespace } },
    ]) {
      const path =
        object.kind === 'Namespace'
          ? '/api/v1/namespaces'
          : `/api/v1/namespaces/${namespace}/serviceaccounts`;
      assert.equal((await client.call('POST', path, { body: object })).status, 201);
    }
  });
  after(async () => {
    client.close();
    await cluster.close();
  });

  for (const definition of stored) {
    const { group, version, kind } = definition;
    it(`creates, reads, watches, changes and deletes ${formatApiVersion({ group, version })} ${kind}`, () =>
      lifeOf(client, definition));
  }

  it('creates what is answered and not stored', () => reviews(client));
  it('uses the subresources of a pod and of a workload', () => subresources(client));
  it('reads lists in pages, by selector and as metadata', () => lists(client));
  it('watches from the beginning, up to a bookmark', () => initialEvents(client));
  it('is refused in its own language', () => refusals(client));
  it('is sent to JSON where there is no protobuf', () => fallbacks(client));
});

async function lifeOf(client: WireClient, definition: ResourceDefinition): Promise<void> {
  const object = minimalObject(definition, { name: 'sample', namespace });
  assert.ok(object, `no sample of ${definition.group}/${definition.resource}`);
  const { name } = object['metadata'] as { name: string };
  const collection = collectionPath(definition, namespace);
  const path = `${collection}/${name}`;
  const { metadata } = (await client.call('GET', collection)).object();
  const { resourceVersion } = metadata as { resourceVersion: string };
  const query = `watch=1&resourceVersion=${resourceVersion}&fieldSelector=metadata.name%3D${name}`;
  const { events } = await client.watch(`${collection}?${query}`, isDeletion);

  const created = await client.call('POST', collection, { body: object });
  assert.equal(created.status, 201, describeAnswer(created.bytes));
  const read = await settled(client, path);
  if (!definition.subresources.some(({ name: of }) => of === 'status'))
    assert.deepEqual(read.object(), created.object());
  const asJson = await client.call('GET', path, { headers: json });
  assert.deepEqual(withoutTemplateKinds(read.object()), withoutTemplateKinds(parse(asJson.bytes)));
  const list = (await client.call('GET', collection)).object();
  assert.equal(list['kind'], `${definition.kind}List`);
  const items = list['items'] as JsonObject[];
  const { kind: _kind, apiVersion: _apiVersion, ...item } = read.object();
  assert.deepEqual(
    items.find(({ metadata: of }) => (of as JsonObject)['name'] === name),
    item,
  );

  const same = await client.call('PUT', path, { body: read.object() });
  assert.equal(same.status, 200, describeAnswer(same.bytes));
  assert.deepEqual(same.object(), read.object(), 'writing back what was read changes nothing');
  const patched = await client.call('PATCH', path, {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: Buffer.from('{"metadata":{"labels":{"patched":"yes"}}}'),
  });
  assert.equal(patched.status, 200, describeAnswer(patched.bytes));

  const options = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 };
  const answer = await client.call('DELETE', path, { body: options });
  assert.equal(answer.status, 200, describeAnswer(answer.bytes));
  const seen = await events;
  assert.deepEqual(seen[0], { type: 'ADDED', object: created.object() });
  const changes = seen.slice(1).filter(({ type }) => type === 'MODIFIED');
  assert.ok(changes.some(({ object: of }) => isDeepStrictEqual(of, patched.object())));
}

/** Gone, or only waiting for a controller that lets it go. */
function isDeletion({ type, object }: WireEvent): boolean {
  const { deletionTimestamp } = object['metadata'] as JsonObject;
  return type === 'DELETED' || deletionTimestamp !== undefined;
}

/** The object once the server has stopped to fill in its status. */
async function settled(client: WireClient, path: string): Promise<WireAnswer> {
  for (let before = await client.call('GET', path); ;) {
    await sleep(20);
    const now = await client.call('GET', path);
    if (now.bytes.equals(before.bytes)) return now;
    before = now;
  }
}

function describeAnswer(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').slice(0, 600);
}

function parse(bytes: Uint8Array): JsonObject {
  return JSON.parse(Buffer.from(bytes).toString()) as JsonObject;
}

/** Messages do not carry kinds: those of claim templates are not in them. */
function withoutTemplateKinds(object: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify(object, (key, value: JsonValue) =>
      key === 'volumeClaimTemplates' && Array.isArray(value)
        ? value.map((claim) => ({ ...(claim as JsonObject), kind: '', apiVersion: '' }))
        : value,
    ),
  ) as JsonObject;
}

async function reviews(client: WireClient): Promise<void> {
  const authorization = '/apis/authorization.k8s.io/v1';
  const resourceAttributes = { verb: 'get', resource: 'pods', namespace };
  const created = async (path: string, kind: string, spec: JsonObject) => {
    const apiVersion = path.split('/').slice(2, 4).join('/');
    const answer = await client.call('POST', path, {
      body: { kind, apiVersion, metadata: {}, spec },
    });
    assert.equal(answer.status, 201, describeAnswer(answer.bytes));
    const object = answer.object();
    assert.equal(object['kind'], kind);
    return object['status'] as JsonObject;
  };
  const self = await created(
    `${authorization}/selfsubjectaccessreviews`,
    'SelfSubjectAccessReview',
    {
      resourceAttributes,
    },
  );
  assert.equal(self['allowed'], true);
  const other = { user: 'nobody', groups: ['g'], extra: { k: ['v', 'w'] }, resourceAttributes };
  const subject = `${authorization}/subjectaccessreviews`;
  assert.equal((await created(subject, 'SubjectAccessReview', other))['allowed'], false);
  const rules = `${authorization}/selfsubjectrulesreviews`;
  const found = await created(rules, 'SelfSubjectRulesReview', { namespace });
  assert.ok(Array.isArray(found['resourceRules']));
  const token = '/apis/authentication.k8s.io/v1/tokenreviews';
  const reviewed = await created(token, 'TokenReview', { token: 'no token' });
  assert.notEqual(reviewed['authenticated'], true);
  const me = await client.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body: { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1', metadata: {} },
  });
  assert.match(JSON.stringify(me.object()['status']), /system:masters/);
}

async function subresources(client: WireClient): Promise<void> {
  const core = `/api/v1/namespaces/${namespace}`;
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  const pod = (name: string) => ({ kind: 'Pod', apiVersion: 'v1', metadata: { name }, spec });
  for (const name of ['bound', 'evicted'])
    assert.equal((await client.call('POST', `${core}/pods`, { body: pod(name) })).status, 201);
  const target = { kind: 'Node', name: 'n' };
  const binding = { kind: 'Binding', apiVersion: 'v1', metadata: { name: 'bound' }, target };
  const bound = await client.call('POST', `${core}/pods/bound/binding`, { body: binding });
  assert.equal(bound.status, 201, describeAnswer(bound.bytes));
  assert.equal(bound.object()['status'], 'Success');
  const eviction = { kind: 'Eviction', apiVersion: 'policy/v1', metadata: { name: 'evicted' } };
  const evicted = await client.call('POST', `${core}/pods/evicted/eviction`, { body: eviction });
  assert.equal(evicted.status, 201, describeAnswer(evicted.bytes));
  const request = { audiences: [], expirationSeconds: 3600 };
  const token = await client.call('POST', `${core}/serviceaccounts/default/token`, {
    body: { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec: request },
  });
  assert.equal(token.status, 201, describeAnswer(token.bytes));
  assert.match(String((token.object()['status'] as JsonObject)['token']), /^ey/);

  const apps = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const deployment = builtinResources().find(({ resource }) => resource === 'deployments');
  const body = deployment && minimalObject(deployment, { name: 'scaled', namespace });
  assert.equal((await client.call('POST', apps, { body: body ?? {} })).status, 201);
  const scale = (await client.call('GET', `${apps}/scaled/scale`)).object();
  assert.deepEqual([scale['kind'], scale['spec']], ['Scale', { replicas: 1 }]);
  const scaled = await client.call('PUT', `${apps}/scaled/scale`, {
    body: { ...scale, spec: { replicas: 3 } },
  });
  assert.deepEqual(scaled.object()['spec'], { replicas: 3 });
}

async function lists(client: WireClient): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  for (const name of ['a', 'b', 'c']) {
    const metadata = { name, labels: { page: 'yes' } };
    const body = { kind: 'ConfigMap', apiVersion: 'v1', metadata };
    assert.equal((await client.call('POST', path, { body })).status, 201);
  }
  const names: string[] = [];
  let next = '';
  do {
    const query = `limit=2&labelSelector=page&continue=${encodeURIComponent(next)}`;
    const { items, metadata } = (await client.call('GET', `${path}?${query}`)).object();
    for (const item of items as { metadata: { name: string } }[]) names.push(item.metadata.name);
    next = String((metadata as JsonObject)['continue'] ?? '');
  } while (next !== '');
  assert.deepEqual(names, ['a', 'b', 'c']);
  for (const [as, kind, where] of [
    ['PartialObjectMetadataList', 'PartialObjectMetadataList', path],
    ['PartialObjectMetadata', 'PartialObjectMetadata', `${path}/a`],
  ] as const) {
    const headers = { accept: `${protobuf};as=${as};v=v1;g=meta.k8s.io` };
    const answer = await client.call('GET', where, { headers });
    assert.equal(answer.contentType, protobuf);
    assert.equal(answer.object()['kind'], kind);
    const headersOfJson = { accept: headers.accept.replace(protobuf, 'application/json') };
    const sameAsJson = await client.call('GET', where, { headers: headersOfJson });
    assert.equal(
      JSON.stringify(withoutItemKinds(answer.object())),
      JSON.stringify(withoutItemKinds(parse(sameAsJson.bytes))),
    );
  }
}

function withoutItemKinds({ items, ...rest }: JsonObject): JsonObject {
  if (!Array.isArray(items)) return rest;
  const bare = items.map((item) => ({ metadata: (item as JsonObject)['metadata'] }) as JsonObject);
  return { ...rest, items: bare };
}

async function initialEvents(client: WireClient): Promise<void> {
  const query =
    'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const path = `/api/v1/namespaces/${namespace}/configmaps?labelSelector=page&${query}`;
  const { events } = await client.watch(path, ({ type }) => type === 'BOOKMARK');
  const seen = await events;
  assert.deepEqual(
    seen.map(({ type }) => type),
    ['ADDED', 'ADDED', 'ADDED', 'BOOKMARK'],
  );
  const last = seen.at(-1);
  assert.ok(last !== undefined);
  const { kind, metadata } = last.object as { kind: string; metadata: JsonObject };
  assert.equal(kind, 'ConfigMap');
  assert.deepEqual(metadata['annotations'], { 'k8s.io/initial-events-end': 'true' });
}

async function refusals(client: WireClient): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'refused' } };
  const prefix = [0x6b, 0x38, 0x73, 0x00];
  const rows: readonly (readonly [string, JsonObject | Uint8Array | undefined, number, RegExp])[] =
    [
      ['GET', undefined, 404, /configmaps "absent" not found/],
      [
        'POST',
        { ...object, metadata: { name: 'Not A Name' } },
        422,
        /metadata.name: Invalid value/,
      ],
      [
        'POST',
        { ...object, kind: 'Secret' },
        400,
        /^Secret in version "v1" cannot be handled as a ConfigMap: converting \(v1.Secret\) to \(core.ConfigMap\): unknown conversion$/,
      ],
      [
        'POST',
        Buffer.from('{}'),
        400,
        /must be of type ConfigMap\): provided data does not appear to be a protobuf message, expected prefix \[107 56 115 0\] \(\{\}\)$/,
      ],
      ['POST', Buffer.from(prefix), 400, /must be of type ConfigMap\): empty body \(6b387300\)$/],
      ['POST', Buffer.of(), 400, /must be of type ConfigMap\): empty data \(<empty>\)$/],
      [
        'POST',
        Buffer.from([...prefix, 0x0a, 0x02, 0x0a, 0x00, 0x12, 0x02, 0x0a, 0x7f]),
        400,
        /^ConfigMap in version "v1" cannot be handled as a ConfigMap: unexpected EOF$/,
      ],
      ['POST', Buffer.from([...prefix, 0x0a]), 400, /must be of type ConfigMap\): unexpected EOF/],
    ];
  for (const [method, body, code, message] of rows) {
    const where = method === 'GET' ? `${path}/absent` : path;
    const answer = await client.call(method, where, body === undefined ? {} : { body });
    assert.equal(answer.contentType, protobuf);
    const status = answer.object();
    assert.deepEqual(
      [status['kind'], status['status'], status['code']],
      ['Status', 'Failure', code],
    );
    assert.match(String(status['message']), message);
  }
}

async function fallbacks(client: WireClient): Promise<void> {
  const definition = stored.find(({ kind }) => kind === 'CustomResourceDefinition');
  const body = definition && minimalObject(definition, { name: '', namespace });
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  assert.equal((await client.call('POST', crds, { body: body ?? {} })).status, 201);
  const path = `/apis/example.com/v1/namespaces/${namespace}/wires`;
  for (let tries = 0; (await client.call('GET', path, { headers: json })).status === 404; tries++) {
    assert.ok(tries < 200, 'the definition is not served');
    await sleep(20);
  }
  const refused = await client.call('GET', path);
  assert.equal(refused.status, 406);
  assert.match(describeAnswer(refused.bytes), /application\/json, ?application\/yaml/);
  const object = { kind: 'Wire', apiVersion: 'example.com/v1', metadata: { name: 'w' } };
  const sent = await client.call('POST', path, { body: Buffer.from('k8s\0'), headers: json });
  assert.equal(sent.status, 415);
  // What client-go then does.
  const both = { accept: `${protobuf},application/json`, 'content-type': 'application/json' };
  const bytes = Buffer.from(JSON.stringify(object));
  const created = await client.call('POST', path, { body: bytes, headers: both });
  assert.deepEqual([created.status, created.contentType], [201, 'application/json']);
  const metadata = { accept: `${protobuf};as=PartialObjectMetadata;v=v1;g=meta.k8s.io` };
  const partial = await client.call('GET', `${path}/w`, { headers: metadata });
  assert.equal(partial.object()['kind'], 'PartialObjectMetadata');
  const options = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' };
  const removed = await client.call('DELETE', `${path}/w`, { headers: both, body: bytes });
  assert.equal(removed.status, 400, 'a Wire is no DeleteOptions');
  const gone = await client.call('DELETE', `${path}/w`, {
    body: options,
    headers: { accept: both.accept },
  });
  assert.equal(gone.status, 200, describeAnswer(gone.bytes));
  const table = { accept: `${protobuf};as=Table;v=v1;g=meta.k8s.io` };
  assert.equal((await client.call('GET', path, { headers: table })).status, 406);
}
