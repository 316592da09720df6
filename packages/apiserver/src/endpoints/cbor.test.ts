// CBOR behind its gate: with it, one more media type for everything; without it, the refusals from
// which client-go learns to speak JSON.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeCbor, encodeCbor, type JsonObject } from '@keelson/apimachinery';
import { systemUser } from '../authentication/system-user.ts';
import { createTestServer, type TestServer } from '../testing.ts';
import { callInProcess, type InProcessResponse } from '../transport/in-process.ts';

const cbor = 'application/cbor';
const path = '/api/v1/namespaces/default/configmaps';
const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'c' }, data: { a: 'é' } };

function send(
  server: TestServer,
  method: string,
  url: string,
  options: { headers?: Record<string, string>; body?: unknown; signal?: AbortSignal } = {},
): Promise<InProcessResponse> {
  const { headers = {}, body, signal } = options;
  return callInProcess(server.server.serve, {
    method,
    url,
    user: systemUser,
    headers: { accept: cbor, ...(body === undefined ? {} : { 'content-type': cbor }), ...headers },
    ...(body === undefined ? {} : { body: encodeCbor(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
}

const contentType = (answer: InProcessResponse) => answer.headers.get('content-type');
const objectOf = async (answer: InProcessResponse) =>
  decodeCbor(await answer.bytes()) as JsonObject;

describe('with the gate CBORServingAndStorage', () => {
  let server: TestServer;
  before(async () => {
    server = await createTestServer({ featureGates: { CBORServingAndStorage: true } });
  });
  after(() => server.close());

  it('objects are written, read, listed and watched', async () => {
    const stop = new AbortController();
    const watch = await send(server, 'GET', `${path}?watch=1`, { signal: stop.signal });
    assert.equal(contentType(watch), 'application/cbor-seq');
    const created = await send(server, 'POST', path, { body: object });
    assert.deepEqual([created.status, contentType(created)], [201, cbor]);
    const bytes = Buffer.from(await created.bytes());
    assert.equal(bytes.subarray(0, 3).toString('hex'), 'd9d9f7');
    const value = decodeCbor(bytes) as JsonObject;
    const asJson = await server.admin('GET', `${path}/c`);
    assert.deepEqual(value, asJson.json());
    const put = await send(server, 'PUT', `${path}/c`, { body: value });
    assert.deepEqual(await objectOf(put), value);
    const list = await objectOf(await send(server, 'GET', path));
    assert.equal(list['kind'], 'ConfigMapList');
    const { kind: _kind, apiVersion: _apiVersion, ...item } = value;
    assert.deepEqual(list['items'], [item]);
    for await (const chunk of watch.chunks()) {
      assert.deepEqual(decodeCbor(chunk), { type: 'ADDED', object: value });
      break;
    }
  });

  it('tables and metadata come too', async () => {
    for (const as of ['Table', 'PartialObjectMetadataList']) {
      const accept = `${cbor};as=${as};v=v1;g=meta.k8s.io`;
      const answer = await send(server, 'GET', path, { headers: { accept } });
      assert.deepEqual([answer.status, contentType(answer)], [200, cbor]);
      assert.equal((await objectOf(answer))['kind'], as);
    }
  });

  it('an apply configuration and the options of a delete are read', async () => {
    const headers = { 'content-type': 'application/apply-patch+cbor' };
    const applied = await send(server, 'PATCH', `${path}/applied?fieldManager=m`, {
      headers,
      body: { ...object, metadata: { name: 'applied' } },
    });
    assert.equal(applied.status, 201);
    assert.deepEqual((await objectOf(applied))['data'], object.data);
    const broken = await callInProcess(server.server.serve, {
      method: 'PATCH',
      url: `${path}/applied?fieldManager=m`,
      user: systemUser,
      headers: { accept: cbor, ...headers },
      body: Buffer.of(0xa1),
    });
    assert.equal((await objectOf(broken))['message'], 'error decoding CBOR: unexpected EOF');
    const body = { preconditions: { uid: 'another' } };
    assert.equal((await send(server, 'DELETE', `${path}/applied`, { body })).status, 409);
    assert.equal((await send(server, 'DELETE', `${path}/applied`, { body: {} })).status, 200);
  });

  it('what is wrong is said in CBOR, as of JSON', async () => {
    const rows: readonly (readonly [body: unknown, message: RegExp])[] = [
      [[1], /must be of type ConfigMap\): the document is not a map \(d9d9f78101\)$/],
      [{ ...object, kind: 'Pod' }, /^Pod in version "v1" cannot be handled as a ConfigMap/],
      [{ ...object, data: { a: 1 } }, /json: cannot unmarshal number into Go struct field/],
      [{ ...object, x: 1 }, /strict decoding error: unknown field "x"$/],
    ];
    for (const [body, message] of rows) {
      const answer = await send(server, 'POST', `${path}?fieldValidation=Strict`, { body });
      assert.deepEqual([answer.status, contentType(answer)], [400, cbor]);
      assert.match(String((await objectOf(answer))['message']), message);
    }
  });
});

describe('without the gate', () => {
  let server: TestServer;
  before(async () => {
    server = await createTestServer();
  });
  after(() => server.close());

  it('nothing is answered in CBOR, and nothing read', async () => {
    const refused = [
      [await send(server, 'GET', path), 406],
      [await send(server, 'GET', `${path}?watch=1`), 406],
      [await send(server, 'POST', path, { body: object, headers: { accept: '*/*' } }), 415],
      [
        await send(server, 'PATCH', `${path}/c?fieldManager=m`, {
          body: object,
          headers: { accept: '*/*', 'content-type': 'application/apply-patch+cbor' },
        }),
        415,
      ],
    ] as const;
    for (const [answer, status] of refused) {
      const { code, message } = JSON.parse(Buffer.from(await answer.bytes()).toString()) as Record<
        string,
        unknown
      >;
      assert.deepEqual([answer.status, code], [status, status]);
      assert.equal(contentType(answer), 'application/json');
      assert.doesNotMatch(String(message), /cbor/);
    }
  });

  it('a client that would rather have CBOR is given JSON', async () => {
    const accept = `${cbor}, application/json;q=0.9`;
    const answer = await send(server, 'GET', path, { headers: { accept } });
    assert.deepEqual([answer.status, contentType(answer)], [200, 'application/json']);
  });
});
