// What holds for every object that fits its schema, whatever is in it: the server answers and does
// not fail; what it takes it gives back; writing back what was read changes nothing; protobuf and
// JSON are one object.
//
// KEELSON_PROPERTY_RUNS makes it longer, KEELSON_TEST_SEED tries other objects.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  createSeededRandom,
  decodeProtobuf,
  formatApiVersion,
  isJsonObject,
  isStatusError,
  type JsonObject,
  type JsonValue,
  type ResourceDefinition,
} from '@keelson/apimachinery';
import type { Client } from '@keelson/client';
import { createCluster, type Cluster } from '@keelson/keelson';
import fc from 'fast-check';
import { collectionPath, minimalObject } from '../wire/minimal-objects.ts';
import { everyKind, storedKinds } from '../wire/stored-kinds.ts';
import { decorate, decorateStatus } from './decorate.ts';
import { changedFields, lostFields } from './lost-fields.ts';

const numRuns = Number(process.env['KEELSON_PROPERTY_RUNS'] ?? 20);
const namespace = 'properties';
const protobuf = 'application/vnd.kubernetes.protobuf';
const stored = storedKinds;

describe('objects that fit their schema', { timeout: 1_000_000 }, () => {
  let cluster: Cluster;
  let client: Client;
  let accepted = 0;
  before(async () => {
    cluster = await createCluster({ controllers: [], ...everyKind });
    client = cluster.client();
    await send(client, 'POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    await send(client, 'POST', accounts, { metadata: { name: 'default' } });
  });
  after(() => cluster.close());

  for (const definition of stored) {
    const { group, version, kind } = definition;
    it(`${formatApiVersion({ group, version })} ${kind}`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 6 }),
          async (changes) => {
            if (await holds(client, definition, changes)) accepted++;
          },
        ),
        { numRuns },
      ));
  }

  it('are mostly not refused', () => {
    assert.ok(accepted > (numRuns * stored.length) / 5, `${accepted} accepted`);
  });
});

/** Whether the server took the object. */
async function holds(
  client: Client,
  definition: ResourceDefinition,
  changes: readonly number[],
): Promise<boolean> {
  const object = minimalObject(definition, { name: 'sample', namespace });
  assert.ok(object, `no sample of ${definition.group}/${definition.resource}`);
  for (const change of changes) decorate(object, definition.type, createSeededRandom(change));
  const collection = collectionPath(definition, namespace);
  const path = `${collection}/${(object['metadata'] as { name: string }).name}`;
  const created = await send(client, 'POST', collection, object);
  if (created.status !== 201) {
    assert.ok([400, 403, 422].includes(created.status), describeAnswer(created));
    return false;
  }
  try {
    assert.deepEqual(lostFields(definition, object, created.body), [], describeAnswer(created));
    await readsTheSame(client, path);
    await updates(client, definition, { path, changes });
    // COMPAT: a field that is not kept is a change each time it is applied.
    if (changedFields(definition, object, created.body).length === 0)
      await appliesOnce(client, path, object);
  } finally {
    await remove(client, path);
  }
  return true;
}

async function readsTheSame(client: Client, path: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const read = await send(client, 'GET', path);
    assert.equal(read.status, 200, describeAnswer(read));
    const same = await send(client, 'PUT', path, read.body);
    // The server itself may have filled in its status in between.
    if (same.status === 409 && tries < 20) continue;
    assert.equal(same.status, 200, describeAnswer(same));
    const before = read.body['metadata'] as JsonObject;
    const after = same.body['metadata'] as JsonObject;
    if (before['resourceVersion'] !== after['resourceVersion']) {
      if (tries < 3) continue;
      assert.deepEqual(same.body, read.body, 'writing back what was read changes nothing');
    }
    const bytes = await client.send({ method: 'GET', path, headers: { accept: protobuf } });
    const decoded = decodeProtobuf(bytes).object as unknown as JsonObject;
    const now = await send(client, 'GET', path);
    assert.deepEqual(plain(decoded), plain(now.body), 'protobuf is JSON');
    return;
  }
}

/** Whether the server itself writes the status, whenever the object changes. */
function isOwnStatus({ resource }: ResourceDefinition): boolean {
  return ['apiservices', 'customresourcedefinitions', 'flowschemas'].includes(resource);
}

interface Changes {
  readonly path: string;
  readonly changes: readonly number[];
}

/** The same for what is changed later, and for the status where it has a path of its own. */
async function updates(
  client: Client,
  definition: ResourceDefinition,
  { path, changes }: Changes,
): Promise<void> {
  const { type, subresources } = definition;
  const hasStatus = subresources.some(({ name }) => name === 'status') && !isOwnStatus(definition);
  for (const part of hasStatus ? (['', 'status'] as const) : ([''] as const)) {
    const { body } = await send(client, 'GET', path);
    const before = (body['metadata'] as JsonObject)['resourceVersion'];
    for (const change of changes) {
      const random = createSeededRandom(change + 7);
      if (part === '') decorate(body, type, random);
      else decorateStatus(body, type, random);
    }
    const target = part === '' ? path : `${path}/${part}`;
    const changed = await send(client, 'PUT', target, body);
    assert.ok([200, 400, 403, 409, 422].includes(changed.status), describeAnswer(changed));
    if (changed.status !== 200) continue;
    if ((changed.body['metadata'] as JsonObject)['resourceVersion'] === before) continue;
    const kept = part === '' ? { ...body, status: undefined } : { status: body['status'] };
    const { metadata: _metadata, ...written } = kept as JsonObject;
    assert.deepEqual(lostFields(definition, written, changed.body), [], describeAnswer(changed));
    await readsTheSame(client, path);
  }
}

/** Applying the same configuration again changes nothing. */
async function appliesOnce(client: Client, path: string, object: JsonObject): Promise<void> {
  const target = `${path}?fieldManager=properties&force=true`;
  const first = await send(client, 'PATCH', target, object);
  // COMPAT: items without a key, or with the same one, are answered 500.
  const isUntyped = String(first.body['message']).startsWith('failed to create typed ');
  const isAnswer = [200, 201, 400, 403, 422].includes(first.status);
  assert.ok(isAnswer || (first.status === 500 && isUntyped), describeAnswer(first));
  if (first.status > 201) return;
  const second = await send(client, 'PATCH', target, object);
  assert.equal(second.status, 200, describeAnswer(second));
  const versionOf = ({ body }: Answer) => (body['metadata'] as JsonObject)['resourceVersion'];
  if (versionOf(first) === versionOf(second)) return;
  // The server itself may have filled in its status in between.
  const third = await send(client, 'PATCH', target, object);
  if (versionOf(second) !== versionOf(third)) assert.deepEqual(second.body, first.body);
}

/** Takes away what keeps the object, too. */
async function remove(client: Client, path: string): Promise<void> {
  await send(client, 'DELETE', `${path}?gracePeriodSeconds=0`);
  for (let tries = 0; tries < 20; tries++) {
    const left = await send(client, 'GET', path);
    if (left.status === 404) return;
    const { metadata } = left.body as { metadata: JsonObject };
    if (metadata['finalizers'] !== undefined)
      await send(client, 'PUT', path, { ...left.body, metadata: { ...metadata, finalizers: [] } });
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { status, body } = await send(client, 'GET', path);
  const spec = isJsonObject(body['spec']) ? body['spec'] : {};
  if (status === 404 || spec['finalizers'] === undefined) return;
  await send(client, 'PUT', `${path}/finalize`, { ...body, spec: { finalizers: [] } });
}

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

async function send(
  client: Client,
  method: string,
  target: string,
  body?: JsonObject,
): Promise<Answer> {
  const [path = '', query = ''] = target.split('?');
  try {
    const bytes = await client.send({
      method,
      path,
      query: [...new URLSearchParams(query)],
      ...(body === undefined
        ? {}
        : {
            headers: {
              'content-type':
                method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json',
            },
            body: Buffer.from(JSON.stringify(body)),
          }),
    });
    return { status: method === 'POST' ? 201 : 200, body: parse(bytes) };
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return { status: error.status.code ?? 0, body: error.status as unknown as JsonObject };
  }
}

function parse(bytes: Uint8Array): JsonObject {
  return JSON.parse(Buffer.from(bytes).toString()) as JsonObject;
}

function describeAnswer({ status, body }: Answer): string {
  return `${status}: ${JSON.stringify(body['message'] ?? body)}`;
}

/** Messages do not carry kinds: those of claim templates are not in them. */
function plain(object: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify(object, (key, value: JsonValue) =>
      key === 'volumeClaimTemplates' && Array.isArray(value)
        ? value.map((claim) => ({ ...(claim as JsonObject), kind: '', apiVersion: '' }))
        : value,
    ),
  ) as JsonObject;
}
