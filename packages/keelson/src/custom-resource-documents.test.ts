// What discovery and OpenAPI say of custom resources as definitions come, change and go.

import assert from 'node:assert/strict';
import { request } from 'node:https';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '@keelson/apimachinery';
import { createCluster } from './index.ts';

const crds = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
};

function definition(plural: string, names: JsonObject, fields: JsonObject = {}): KubeObject {
  const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', ...fields } } };
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.docs.example.com` },
    spec: {
      group: 'docs.example.com',
      scope: 'Namespaced',
      names: { plural, ...names },
      versions: [version],
    },
  };
}

async function clusterOf() {
  const cluster = await createCluster({ controllers: [] });
  const { url } = await cluster.listen();
  const token = await administratorOptions(cluster);
  const get = (path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; etag: string; text: string }>((resolve, reject) => {
      request(url + path, { ...token, headers, rejectUnauthorized: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            etag: answer.headers.etag ?? '',
            text: Buffer.concat(chunks).toString(),
          }),
        );
      })
        .on('error', reject)
        .end();
    });
  return { cluster, get, definitions: cluster.client().resource(crds) };
}

/** The certificate of the administrator, from the kubeconfig. */
async function administratorOptions(cluster: Awaited<ReturnType<typeof createCluster>>) {
  const { kubeconfig } = await cluster.listen();
  const from = (field: string) =>
    Buffer.from(new RegExp(`${field}: (\\S+)`).exec(kubeconfig)?.[1] ?? '', 'base64');
  return { cert: from('client-certificate-data'), key: from('client-key-data') };
}

test('documents follow the definitions', async (t) => {
  const { cluster, get, definitions } = await clusterOf();
  t.after(() => cluster.close());
  const aggregated = {
    accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  };
  const v3 = '/openapi/v3/apis/docs.example.com/v1';
  assert.equal((await get(v3)).status, 404);
  const before = await get('/openapi/v2');
  const gnostic = { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' };
  await definitions.create(
    definition('books', { kind: 'Book', listKind: 'Shelf', shortNames: ['bk'] }),
  );

  const first = await get('/apis', aggregated);
  assert.match(first.text, /"resource":"books"/);
  assert.equal((await get('/apis', { ...aggregated, 'if-none-match': first.etag })).status, 304);
  assert.match((await get('/apis/docs.example.com/v1')).text, /"shortNames":\["bk"\]/);
  const { paths, components } = JSON.parse((await get(v3)).text) as {
    paths: Record<string, object>;
    components: { schemas: Record<string, JsonObject> };
  };
  assert.deepEqual(Object.keys(paths), [
    '/apis/docs.example.com/v1/',
    '/apis/docs.example.com/v1/books',
    '/apis/docs.example.com/v1/namespaces/{namespace}/books',
    '/apis/docs.example.com/v1/namespaces/{namespace}/books/{name}',
  ]);
  assert.ok(components.schemas['com.example.docs.v1.Book']);
  assert.equal(
    components.schemas['com.example.docs.v1.Shelf']?.['description'],
    'Shelf is a list of Book',
  );
  const references = JSON.stringify(components).matchAll(
    /"\$ref":"#\/components\/schemas\/([^"]+)"/g,
  );
  for (const [, name = ''] of references) assert.ok(components.schemas[name], name);
  const after = await get('/openapi/v2');
  assert.notEqual(after.etag, before.etag);
  assert.match(after.text, /"com\.example\.docs\.v1\.Book":/);
  // One schema that has no place in the protobuf form must not take the document from everybody.
  const endless = { properties: { a: { type: 'string', maxLength: 2n ** 62n } } } as JsonObject;
  await definitions.create(definition('reels', { kind: 'Reel' }, endless));
  const protobuf = await get('/openapi/v2', gnostic);
  assert.equal(protobuf.status, 200);
  for (const name of ['Book', 'Reel'])
    assert.ok(protobuf.text.includes(`com.example.docs.v1.${name}`));
  await definitions.delete('reels.docs.example.com');
  const list = await cluster
    .client()
    .resource({ group: 'docs.example.com', version: 'v1', resource: 'books' })
    .list();
  assert.equal(list.kind, 'Shelf');

  const live = await definitions.get('books.docs.example.com');
  const changed = definition('books', (live['spec'] as { names: JsonObject }).names, {
    description: 'Changed.',
  });
  await definitions.update({ ...changed, metadata: live.metadata });
  assert.match((await get(v3)).text, /Changed\./);
  assert.match((await get('/openapi/v2')).text, /Changed\./);
  await definitions.delete('books.docs.example.com');
  while ((await definitions.list()).items.length > 0)
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await get(v3)).status, 404);
  assert.doesNotMatch((await get('/apis', aggregated)).text, /docs\.example\.com/);
  assert.equal((await get('/openapi/v2')).etag, before.etag);
});

test('a name that is taken is given to the next when it becomes free', async (t) => {
  const { cluster, get, definitions } = await clusterOf();
  t.after(() => cluster.close());
  const conditionsOf = async (name: string) => {
    const { status } = (await definitions.get(name)) as unknown as {
      status: { conditions: { type: string; status: string; reason: string }[] };
    };
    return Object.fromEntries(status.conditions.map((c) => [c.type, `${c.status} ${c.reason}`]));
  };
  const path = '/apis/docs.example.com/v1/namespaces/default';
  await definitions.create(definition('books', { kind: 'Book' }));
  await definitions.create(definition('tomes', { kind: 'Book', listKind: 'TomeList' }));
  for (let tries = 0; tries < 100; tries++) {
    if ((await conditionsOf('tomes.docs.example.com'))['NamesAccepted'] !== undefined) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await conditionsOf('tomes.docs.example.com'), {
    NamesAccepted: 'False KindConflict',
    Established: 'False NotAccepted',
  });
  assert.equal((await get(`${path}/tomes`)).status, 404);
  await definitions.delete('books.docs.example.com');
  for (let tries = 0; tries < 200; tries++) {
    if ((await get(`${path}/tomes`)).status === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(await conditionsOf('tomes.docs.example.com'), {
    NamesAccepted: 'True NoConflicts',
    Established: 'True InitialNamesAccepted',
  });
});
