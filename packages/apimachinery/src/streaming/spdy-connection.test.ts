// Two sides of a SPDY connection over a pair of streams in memory, and one side with a peer that
// says what it likes.

import assert from 'node:assert/strict';
import { duplexPair, type Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { systemClock, type Clock } from '../clock.ts';
import { createSimulatedClock } from '../simulated-clock.ts';
import { createFrameDecoder } from './frame-decoder.ts';
import { createHeaderCompressor, type HeaderCompressor } from './header-block.ts';
import { createSpdyConnection, type SpdyConnection } from './spdy-connection.ts';
import {
  encodeControlFrame,
  encodeDataFrame,
  resetStatus,
  type ControlFrame,
  type DataPart,
} from './spdy-frames.ts';
import { streamsMax } from './spdy-session.ts';
import type { SpdyStream } from './spdy-stream.ts';

interface Pair {
  readonly client: SpdyConnection;
  readonly server: SpdyConnection;
  /** The next stream that the server got. */
  next(): Promise<SpdyStream>;
}

function connect(t: TestContext): Pair {
  const [near, far] = duplexPair();
  const streams = queue<SpdyStream>();
  const server = createSpdyConnection({
    transport: far,
    role: 'server',
    clock: systemClock,
    takerOf: (headers) => (headers.get('kind') === 'bad' ? undefined : streams.put),
  });
  const client = createSpdyConnection({ transport: near, role: 'client', clock: systemClock });
  t.after(() => Promise.all([client, server].map((one) => (one.destroy(), one.closed))));
  return { client, server, next: streams.take };
}

function queue<T>() {
  const items: T[] = [];
  const takers: ((item: T) => void)[] = [];
  return {
    put(item: T) {
      const taker = takers.shift();
      if (taker === undefined) items.push(item);
      else taker(item);
    },
    take: () =>
      new Promise<T>((resolve) => {
        const item = items.shift();
        if (item === undefined) takers.push(resolve);
        else resolve(item);
      }),
  };
}

test('headers and both directions of several streams arrive, each for itself', async (t) => {
  const { client, next } = connect(t);
  const big = Buffer.alloc(3_000_000, 'Keelson');
  for (const kind of ['one', 'two', 'three']) {
    const [mine, theirs] = await Promise.all([
      client.open(
        new Map([
          ['kind', kind],
          ['note', 'grün'],
        ]),
      ),
      next(),
    ]);
    assert.deepEqual(
      [...theirs.headers],
      [
        ['kind', kind],
        ['note', 'grün'],
      ],
    );
    mine.end(big);
    theirs.end(`answer to ${kind}`);
    const [received, answer] = await Promise.all([buffer(theirs), text(mine)]);
    assert.ok(received.equals(big), kind);
    assert.equal(answer, `answer to ${kind}`);
  }
});

test('a side that has ended may still be answered', async (t) => {
  const { client, next } = connect(t);
  const [mine, theirs] = await Promise.all([client.open(new Map()), next()]);
  mine.end('question');
  assert.equal(await text(theirs), 'question');
  theirs.end('answer');
  assert.equal(await text(mine), 'answer');
});

test('a stream that is refused rejects; the connection lives on', async (t) => {
  const { client, next } = connect(t);
  await assert.rejects(client.open(new Map([['kind', 'bad']])), /the stream was refused/);
  const [mine, theirs] = await Promise.all([client.open(new Map()), next()]);
  theirs.end('fine');
  assert.equal(await text(mine), 'fine');
});

test('what came before a reset is read, and then the stream ends', async (t) => {
  const { client, next } = connect(t);
  const [mine, theirs] = await Promise.all([client.open(new Map()), next()]);
  theirs.write('first');
  theirs.destroy();
  assert.equal(await text(mine), 'first');
});

test('who does not read makes the writer wait, and loses nothing', async (t) => {
  const { client, next } = connect(t);
  const [mine, theirs] = await Promise.all([client.open(new Map()), next()]);
  const chunk = Buffer.alloc(64 * 1024, 1);
  let written = 0;
  while (mine.write(chunk)) written++;
  assert.ok(written < 100, `${written} chunks were taken`);
  mine.end();
  assert.equal((await buffer(theirs)).length, (written + 1) * chunk.length);
});

test('the end of a connection ends its streams', async (t) => {
  const { client, server, next } = connect(t);
  const [mine] = await Promise.all([client.open(new Map()), next()]);
  server.destroy();
  await assert.rejects(text(mine), /the connection has ended/);
  await Promise.all([client.closed, server.closed]);
  await assert.rejects(client.open(new Map()), /no stream can be opened/);
});

interface Peer {
  readonly transport: Duplex;
  readonly connection: SpdyConnection;
  readonly clock: ReturnType<typeof createSimulatedClock>;
  send(...frames: readonly ControlFrame[]): void;
  /** The next frame that the connection sends. */
  next(): Promise<ControlFrame | DataPart>;
}

/** A server that this test is the client of, frame by frame. */
function peerOf(t: TestContext, taker: (stream: SpdyStream) => void = (s) => s.resume()): Peer {
  const [near, far] = duplexPair();
  const clock = createSimulatedClock();
  const connection = createSpdyConnection({
    transport: far,
    role: 'server',
    clock: clock as Clock,
    takerOf: () => taker,
  });
  t.after(async () => {
    near.destroy();
    connection.destroy();
    await connection.closed;
  });
  const decoder = createFrameDecoder();
  const frames = queue<ControlFrame | DataPart>();
  near.on('error', () => {});
  near.on('data', (bytes: Buffer) => {
    for (const frame of decoder.decode(bytes)) frames.put(frame);
  });
  const send = (...list: readonly ControlFrame[]) =>
    void near.write(Buffer.concat(list.map(encodeControlFrame)));
  return { transport: near, connection, clock, send, next: frames.take };
}

async function createSyn(): Promise<(streamId: number) => Promise<ControlFrame>> {
  const compressor = createHeaderCompressor();
  return async (streamId) => ({
    type: 'synStream',
    streamId,
    fin: false,
    block: await compressor.compress(new Map([['kind', 'x']])),
  });
}

test('pings of the peer are answered, answers to ours are not', async (t) => {
  const { send, next } = peerOf(t);
  send({ type: 'ping', id: 2 }, { type: 'ping', id: 7 });
  assert.deepEqual(await next(), { type: 'ping', id: 7 });
});

test('frames that ask for nothing are passed over', async (t) => {
  const { send, next, transport } = peerOf(t);
  const unknown = Buffer.from([0x80, 3, 0, 10, 0, 0, 0, 2, 1, 1]);
  transport.write(unknown);
  transport.write(encodeDataFrame(9, Buffer.from('for nobody'), false));
  send(
    { type: 'settings', settings: [{ id: 7, value: 65_536 }] },
    { type: 'windowUpdate', streamId: 1, delta: 1 },
    { type: 'rstStream', streamId: 5, status: 5 },
    { type: 'goAway', lastStreamId: 0, status: 0 },
    { type: 'ping', id: 1 },
  );
  assert.deepEqual(await next(), { type: 'ping', id: 1 });
});

test('data after the end resets the stream', async (t) => {
  const { send, next, transport } = peerOf(t, () => {});
  const syn = await createSyn();
  send(await syn(1));
  assert.equal((await next()).type, 'synReply');
  transport.write(encodeDataFrame(1, Buffer.from('all'), true));
  transport.write(encodeDataFrame(1, Buffer.from('more'), false));
  assert.deepEqual(await next(), {
    type: 'rstStream',
    streamId: 1,
    status: resetStatus.streamAlreadyClosed,
  });
});

test('more streams at a time than are allowed are refused', async (t) => {
  const { send, next } = peerOf(t);
  const syn = await createSyn();
  for (let id = 1; id <= streamsMax * 2; id += 2) {
    send(await syn(id));
    assert.equal((await next()).type, 'synReply');
  }
  send(await syn(streamsMax * 2 + 1));
  assert.deepEqual(await next(), {
    type: 'rstStream',
    streamId: streamsMax * 2 + 1,
    status: resetStatus.refusedStream,
  });
});

const broken: readonly (readonly [
  name: string,
  frames: (syn: (id: number) => Promise<ControlFrame>) => Promise<readonly ControlFrame[]>,
])[] = [
  ['a stream of the wrong side', async (syn) => [await syn(2)]],
  ['the same stream twice', async (syn) => [await syn(1), await syn(1)]],
  ['an earlier stream', async (syn) => [await syn(5), await syn(3)]],
  [
    'headers that are not packed',
    async () => [{ type: 'synStream', streamId: 1, fin: false, block: Buffer.alloc(20, 255) }],
  ],
];
for (const [name, frames] of broken)
  test(`${name} ends the connection`, async (t) => {
    const { send, next, connection } = peerOf(t);
    send(...(await frames(await createSyn())));
    let frame = await next();
    while (frame.type === 'synReply') frame = await next();
    assert.equal(frame.type, 'goAway');
    await connection.closed;
  });

const someId = fc.integer({ min: 1, max: 9 });
const anything = fc.oneof(
  fc.record({ type: fc.constant('syn' as const), streamId: someId, fin: fc.boolean() }),
  fc.record({ type: fc.constantFrom('synReply' as const, 'headers' as const), streamId: someId }),
  fc.record({ type: fc.constant('rstStream' as const), streamId: someId }),
  fc.record({ type: fc.constant('data' as const), streamId: someId, fin: fc.boolean() }),
  fc.record({ type: fc.constant('ping' as const), streamId: someId }),
  fc.record({ type: fc.constant('goAway' as const), streamId: someId }),
  fc.record({ type: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
);
type Anything = typeof anything extends fc.Arbitrary<infer T> ? T : never;

test('whatever a peer sends, in whatever order, the connection ends with its transport', async (t) => {
  const encode = async (what: Anything, compressor: HeaderCompressor) => {
    if (what.type === 'bytes') return what.bytes;
    const { streamId } = what;
    const block = await compressor.compress(new Map([['kind', 'x']]));
    switch (what.type) {
      case 'syn':
        return encodeControlFrame({ type: 'synStream', streamId, fin: what.fin, block });
      case 'synReply':
      case 'headers':
        return encodeControlFrame({ type: what.type, streamId, fin: false, block });
      case 'rstStream':
        return encodeControlFrame({ type: 'rstStream', streamId, status: 5 });
      case 'data':
        return encodeDataFrame(streamId, Buffer.from('some'), what.fin);
      case 'ping':
        return encodeControlFrame({ type: 'ping', id: streamId });
      case 'goAway':
        return encodeControlFrame({ type: 'goAway', lastStreamId: streamId, status: 0 });
    }
  };
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { maxLength: 12 }), async (list) => {
      const { transport, connection } = peerOf(t, (stream) => stream.pipe(stream));
      const compressor = createHeaderCompressor();
      for (const what of list) transport.write(await encode(what, compressor));
      compressor.close();
      transport.end();
      await connection.closed;
    }),
    { numRuns: 150 },
  );
});

test('a connection that is silent for four hours ends', async (t) => {
  const { send, next, clock, connection } = peerOf(t);
  send({ type: 'ping', id: 1 });
  await next();
  await clock.advance(3 * 3_600_000);
  send({ type: 'ping', id: 3 });
  await next();
  await clock.advance(3 * 3_600_000);
  send({ type: 'ping', id: 5 });
  assert.deepEqual(await next(), { type: 'ping', id: 5 });
  await clock.advance(5 * 3_600_000);
  await connection.closed;
});

test('after a goodbye the peer has ten seconds', async (t) => {
  const { next, clock, connection } = peerOf(t);
  connection.close();
  assert.equal((await next()).type, 'goAway');
  await clock.advance(10_000);
  await connection.closed;
});
