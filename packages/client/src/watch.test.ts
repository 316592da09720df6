import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, createSimulatedClock, StatusError } from '@keelson/apimachinery';
import { createClient } from './client.ts';
import type { WatchOptions } from './resource-options.ts';
import { createScriptedTransport, type ScriptedAnswer } from './testing/scripted-transport.ts';
import { TransportError } from './transport.ts';
import { linesOf } from './watch.ts';

async function* of(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}
const splits: [chunks: string[], lines: string[]][] = [
  [['a\nb\n'], ['a', 'b']],
  [
    ['a', 'b\nc', '\n'],
    ['ab', 'c'],
  ],
  [['a\n\n\nb\n'], ['a', 'b']],
  [['a\ncut o'], ['a']],
  [['', '\n'], []],
  [[], []],
];
test('a stream is cut at line feeds, and an unfinished end is dropped', async () => {
  for (const [chunks, lines] of splits) {
    const read: string[] = [];
    for await (const line of linesOf(of(...chunks), 10)) read.push(Buffer.from(line).toString());
    assert.deepEqual(read, lines);
  }
});
test('a line beyond the bound is refused, however it comes', async () => {
  for (const chunks of [['12345678901'], ['123456', '78901'], ['ok\n12345678901\n']])
    await assert.rejects(
      async () => {
        for await (const _line of linesOf(of(...chunks), 10));
      },
      { code: 'too-large' },
    );
});

const pods = { group: '', version: 'v1', resource: 'pods' };
const event = (type: string, name: string, resourceVersion: string) => ({
  type,
  object: { kind: 'Pod', apiVersion: 'v1', metadata: { name, resourceVersion } },
});
const bookmark = (resourceVersion: string, annotations = {}) => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion, annotations } },
});
const gone = {
  type: 'ERROR',
  object: { kind: 'Status', apiVersion: 'v1', code: 410, reason: 'Expired', message: 'too old' },
};

/** What a watch delivers and asks for until the script is used up, and how it ends. */
async function follow(script: readonly ScriptedAnswer[], options: WatchOptions) {
  const clock = createSimulatedClock();
  const controller = new AbortController();
  const transport = createScriptedTransport((_request, nth) => {
    const answer = script[nth];
    if (answer === undefined) controller.abort(new Error('end of script'));
    return answer ?? { error: controller.signal.reason as Error };
  });
  const client = createClient({ transport, clock, random: createSeededRandom(1) });
  const seen: string[] = [];
  let ended = 'done';
  const reading = (async () => {
    for await (const e of client.resource(pods).watch({ ...options, signal: controller.signal }))
      seen.push(`${e.type} ${e.object.metadata.name ?? ''}`);
  })().catch((error: unknown) => {
    ended = error instanceof StatusError ? String(error.code) : (error as Error).message;
  });
  await clock.advance(10 * 60_000);
  await reading;
  const urls = transport.requests.map(({ url }) => url.replace(/^[^?]*\?/, ''));
  return { seen, ended, urls };
}

const query = (rest: string) => `watch=true&allowWatchBookmarks=true${rest}`;

test('a watch goes on from the last revision that it knows', async () => {
  const { seen, ended, urls } = await follow(
    [
      { body: [event('ADDED', 'a', '5'), event('MODIFIED', 'a', '6')] },
      { body: [bookmark('9')], error: new TransportError('broken', 'reset') },
      { status: 503, body: '' },
    ],
    { resourceVersion: '4' },
  );
  assert.deepEqual(seen, ['ADDED a', 'MODIFIED a', 'BOOKMARK ']);
  assert.deepEqual(
    urls,
    ['4', '6', '9'].map((rv) => query(`&resourceVersion=${rv}`)),
  );
  // The server refused: that is an answer.
  assert.equal(ended, '503');
});

const endings: [
  what: string,
  script: ScriptedAnswer[],
  WatchOptions,
  ended: string,
  requests: number,
][] = [
  ['an expired revision', [{ body: [gone] }], { resourceVersion: '4' }, '410', 1],
  ['nothing to resume from: the end', [{ body: [event('ADDED', 'a', '5')] }], {}, 'done', 1],
  [
    'nothing to resume from: a failure',
    [{ body: [event('ADDED', 'a', '5')], error: new TransportError('broken', 'reset') }],
    { resourceVersion: '0' },
    'reset',
    1,
  ],
  [
    'the client is closed',
    [{ body: [], error: new TransportError('closed', 'closed') }],
    { resourceVersion: '4' },
    'closed',
    1,
  ],
  [
    'an event that is too large would be so again',
    [{ body: [], error: new TransportError('too-large', 'too large') }],
    { resourceVersion: '4' },
    'too large',
    1,
  ],
  ['resume is not wanted', [{ body: [] }], { resourceVersion: '4', resume: false }, 'done', 1],
  [
    'a bookmark is something to resume from',
    [{ body: [event('ADDED', 'a', '5'), bookmark('7')] }],
    { sendInitialEvents: true },
    'end of script',
    2,
  ],
  [
    'an event of no type',
    [{ body: [{ type: 'X', object: {} }] }],
    {},
    'the server sent an event of type "X"',
    1,
  ],
  [
    'an event without object',
    [{ body: [{ type: 'ADDED' }] }],
    {},
    'the server sent an event that is none',
    1,
  ],
];
for (const [what, script, options, expected, requests] of endings) {
  test(`a watch ends: ${what}`, async () => {
    const { ended, urls } = await follow(script, options);
    assert.equal(ended, expected);
    assert.equal(urls.length, requests);
  });
}

test('a watch that always breaks at once is not tried in a tight loop', async () => {
  const script = Array.from({ length: 1_000 }, () => ({ body: [] }));
  const clock = createSimulatedClock();
  const transport = createScriptedTransport(script);
  const client = createClient({ transport, clock, random: createSeededRandom(1) });
  const controller = new AbortController();
  const { signal } = controller;
  const reading = client.resource(pods).watch({ resourceVersion: '4', signal }).next();
  const rejected = assert.rejects(reading, /enough/);
  await clock.advance(60_000);
  assert.ok(transport.requests.length < 12, `${transport.requests.length} requests in a minute`);
  controller.abort(new Error('enough'));
  await rejected;
  assert.equal(clock.pending, 0);
});
