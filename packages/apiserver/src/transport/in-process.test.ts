// A reader in the process sets the pace, as one behind a socket does.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { callInProcess, type ServeRequest } from './in-process.ts';

const block = new Uint8Array(64 * 1024);

/** Writes blocks and waits when it is told to. */
function createWriter(count: number) {
  let written = 0;
  const serve: ServeRequest = async (request, response) => {
    for (; written < count && !request.signal.aborted; written++)
      if (!response.write(block)) await response.drained();
    response.end();
  };
  return { serve, written: () => written };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('an answer that nobody reads yet', () => {
  it('is written up to the buffer, and on when it is read', async () => {
    const { serve, written } = createWriter(100);
    const answer = await callInProcess(serve, { method: 'GET', url: '/' });
    await settle();
    assert.ok(written() < 10, String(written()));
    assert.equal((await answer.bytes()).byteLength, 100 * block.byteLength);
  });

  it('waits also between shared blocks', async () => {
    let written = 0;
    const serve: ServeRequest = async (_request, response) => {
      const shared = new Uint8Array(block.byteLength);
      for (; written < 20; written++) {
        shared.fill(written);
        await response.writeShared(shared);
      }
      response.end();
    };
    const answer = await callInProcess(serve, { method: 'GET', url: '/' });
    await settle();
    assert.ok(written < 10, String(written));
    const bytes = await answer.bytes();
    for (let i = 0; i < 20; i++) assert.equal(bytes[i * block.byteLength], i);
  });

  it('is given up when the caller gives up', async () => {
    const { serve, written } = createWriter(100);
    const stop = new AbortController();
    await callInProcess(serve, { method: 'GET', url: '/', signal: stop.signal });
    await settle();
    stop.abort();
    await settle();
    assert.ok(written() < 10, String(written()));
  });

  it('is given up when the reader leaves', async () => {
    const { serve, written } = createWriter(1000);
    const answer = await callInProcess(serve, { method: 'GET', url: '/' });
    for await (const chunk of answer.chunks()) {
      assert.equal(chunk.byteLength, block.byteLength);
      break;
    }
    await settle();
    assert.ok(written() < 20, String(written()));
  });
});
