import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestServer } from '../testing.ts';
import { systemUser } from '../authentication/system-user.ts';
import { callInProcess } from '../transport/in-process.ts';
import { respondParts } from './respond-parts.ts';
import type { RequestContext } from '../request-context.ts';

const quarter = 256 * 1024;

/** A response that overwrites what it was lent as soon as it may. */
function createRecorder(method = 'GET', abortAfter = Infinity) {
  const written: Buffer[] = [];
  const headers = new Map<string, unknown>();
  const abort = new AbortController();
  let ended = false;
  let aborted = false;
  const context = {
    request: { method },
    signal: abort.signal,
    warnings: [],
    response: {
      setHeader: (name: string, value: unknown) => headers.set(name, value),
      async writeShared(chunk: Buffer) {
        await Promise.resolve();
        written.push(Buffer.from(chunk));
        chunk.fill(0xff);
        if (written.length >= abortAfter) abort.abort();
      },
      end(chunk?: Uint8Array) {
        if (chunk !== undefined) written.push(Buffer.from(chunk));
        ended = true;
      },
      abort: () => (aborted = true),
    },
  };
  return {
    context: context as unknown as RequestContext,
    headers,
    body: () => Buffer.concat(written),
    state: () => ({ ended, aborted, chunks: written.length }),
  };
}

const bodies: readonly (readonly [name: string, sizes: readonly number[], chunks: number])[] = [
  ['nothing', [], 1],
  ['small pieces', [1, 0, 2, 3], 1],
  ['exactly one buffer', [quarter - 1, 1], 1],
  ['one byte more', [quarter, 1], 2],
  ['pieces across the edge', [quarter - 3, 7, quarter], 3],
  ['a piece of many buffers', [5, quarter * 5, 9], 6],
];

test('the pieces arrive whole and in order, whatever their sizes', async () => {
  for (const [name, sizes, chunks] of bodies) {
    const parts = sizes.map((size, i) => Buffer.alloc(size, i + 1));
    const size = sizes.reduce((sum, n) => sum + n, 0);
    const recorder = createRecorder();
    await respondParts(recorder.context, 'application/json', { size, parts: () => parts });
    assert.ok(recorder.body().equals(Buffer.concat(parts)), name);
    assert.equal(recorder.headers.get('content-length'), String(size), name);
    assert.deepEqual(recorder.state(), { ended: true, aborted: false, chunks }, name);
  }
});

test('nothing is written to a client that is gone, nor to one that asked for headers', async () => {
  const parts = () => Array.from({ length: 100 }, () => Buffer.alloc(quarter));
  const gone = createRecorder('GET', 2);
  await respondParts(gone.context, 'application/json', { size: quarter * 100, parts });
  assert.deepEqual(gone.state(), { ended: false, aborted: true, chunks: 2 });
  const head = createRecorder('HEAD');
  await respondParts(head.context, 'application/json', { size: quarter * 100, parts });
  assert.deepEqual(head.state(), { ended: true, aborted: false, chunks: 0 });
});

test('long lists are the same in every transport and media type', async () => {
  const server = await createTestServer();
  const annotations = { long: 'x'.repeat(100_000) };
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const object = { metadata: { name, annotations } };
    const { status } = await server.admin('POST', '/api/v1/namespaces', object);
    assert.equal(status, 201);
  }
  const { items } = (await server.admin('GET', '/api/v1/namespaces')).json() as {
    items: { metadata: { name: string } }[];
  };
  assert.equal(items.map(({ metadata }) => metadata.name).join(''), 'abcdef');
  const answer = await callInProcess(server.server.serve, {
    method: 'GET',
    url: '/api/v1/namespaces',
    headers: { accept: 'application/vnd.kubernetes.protobuf' },
    user: systemUser,
  });
  const bytes = await answer.bytes();
  assert.equal(String(bytes.length), answer.headers.get('content-length'));
  await server.close();
});
