import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { readStart, readWhole } from './answer-body.ts';

const messageOf = (...chunks: string[]) =>
  Readable.from(chunks.map((text) => Buffer.from(text))) as unknown as IncomingMessage;

test('a body that fits is read whole', async () => {
  assert.equal(String(await readWhole(messageOf('ab', 'cd'), 4, 'it')), 'abcd');
  assert.equal(String(await readWhole(messageOf(), 0, 'it')), '');
});

test('a larger one is refused, and no more of it is read', async () => {
  const message = messageOf('ab', 'cd', 'ef');
  await assert.rejects(
    readWhole(message, 3, 'the key set'),
    /^Error: the key set is larger than 3/,
  );
  assert.equal(message.destroyed, true);
});

test('a start is as long as it may be', async () => {
  for (const [max, start] of [
    [3, 'abc'],
    [4, 'abcd'],
    [9, 'abcdef'],
  ] as const) {
    const message = messageOf('ab', 'cd', 'ef');
    assert.equal(await readStart(message, max), start);
    assert.equal(message.destroyed, true);
  }
});
