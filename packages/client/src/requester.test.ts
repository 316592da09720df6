import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedClock, isStatusError, StatusError } from '@keelson/apimachinery';
import { defaultClientLimits } from './limits.ts';
import { createRequester, type RequesterOptions } from './requester.ts';
import { createScriptedTransport, type ScriptedAnswer } from './testing/scripted-transport.ts';
import { TransportError } from './transport.ts';

const ok: ScriptedAnswer = { body: { kind: 'Fine' } };
const status = (code: number, headers: Record<string, string> = {}): ScriptedAnswer => ({
  status: code,
  headers,
  body: { kind: 'Status', apiVersion: 'v1', reason: `R${code}`, message: `no ${code}`, code },
});
const broken = { error: new TransportError('broken', 'reset') };
const unreachable = { error: new TransportError('unreachable', 'refused') };

function scripted(script: readonly ScriptedAnswer[], more: Partial<RequesterOptions> = {}) {
  const transport = createScriptedTransport(script);
  const clock = createSimulatedClock();
  const requester = createRequester({
    transport,
    clock,
    limits: defaultClientLimits,
    userAgent: 'test',
    ...more,
  });
  return { transport, clock, requester };
}

const retries: [
  what: string,
  method: string,
  script: ScriptedAnswer[],
  tries: number,
  outcome: string,
][] = [
  ['a success is not repeated', 'GET', [ok, ok], 1, 'ok'],
  ['429 with a time is waited out', 'POST', [status(429, { 'retry-after': '2' }), ok], 2, 'ok'],
  ['503 with a time too', 'DELETE', [status(503, { 'retry-after': '1' }), ok], 2, 'ok'],
  ['429 without a time is final', 'GET', [status(429), ok], 1, 'R429'],
  ['500 without a time is final', 'GET', [status(500), ok], 1, 'R500'],
  ['a time that is no number is none', 'GET', [status(503, { 'retry-after': 'soon' })], 1, 'R503'],
  ['409 is final whatever it says', 'PUT', [status(409, { 'retry-after': '1' }), ok], 1, 'R409'],
  ['404 is final', 'GET', [status(404), ok], 1, 'R404'],
  ['a broken read is read again', 'GET', [broken, ok], 2, 'ok'],
  ['a broken write may have happened', 'POST', [broken, ok], 1, 'broken'],
  ['a server that is not there saw nothing', 'POST', [unreachable, unreachable, ok], 3, 'ok'],
  ['but not for ever', 'GET', Array.from({ length: 9 }, () => unreachable), 3, 'unreachable'],
  [
    'being put off ends as well',
    'GET',
    Array.from({ length: 20 }, () => status(429, { 'retry-after': '1' })),
    10,
    'R429',
  ],
];
for (const [what, method, script, tries, outcome] of retries) {
  test(`tries: ${what}`, async () => {
    const { transport, clock, requester } = scripted(script);
    const sent = requester.send({ method, path: '/x' }).then(
      () => 'ok',
      (error: unknown) =>
        error instanceof StatusError ? error.reason : (error as TransportError).code,
    );
    await clock.advance(15 * 60_000);
    assert.equal(await sent, outcome);
    assert.equal(transport.requests.length, tries);
  });
}

test('a server that asks for an hour is asked again after a minute', async () => {
  const { transport, clock, requester } = scripted([status(429, { 'retry-after': '3600' }), ok]);
  const sent = requester.send({ method: 'GET', path: '/x' });
  await clock.advance(59_999);
  assert.equal(transport.requests.length, 1);
  await clock.advance(1);
  await sent;
});

test('waiting for another try ends with the signal', async () => {
  const { requester, clock } = scripted([status(429, { 'retry-after': '5' }), ok]);
  const controller = new AbortController();
  const sent = requester.send({ method: 'GET', path: '/x', signal: controller.signal });
  await clock.advance(1_000);
  controller.abort(new Error('changed my mind'));
  await assert.rejects(sent, /changed my mind/);
  assert.equal(clock.pending, 0);
});

test('a request that takes too long is given up', async () => {
  const limits = { ...defaultClientLimits, requestTimeoutMs: 5_000 };
  const { requester, clock } = scripted([{ body: [{}], open: true }], { limits });
  const sent = assert.rejects(requester.send({ method: 'GET', path: '/x' }), (error) =>
    isStatusError(error, 'Timeout'),
  );
  await clock.advance(5_000);
  await sent;
});

test('an answer larger than its bound is refused', async () => {
  const limits = { ...defaultClientLimits, responseBytesMax: 100 };
  const { requester } = scripted([{ body: 'x'.repeat(101) }], { limits });
  await assert.rejects(requester.send({ method: 'GET', path: '/x' }), { code: 'too-large' });
});

test('failures without a Status are told by their HTTP status', async () => {
  for (const [code, reason] of [
    [401, 'Unauthorized'],
    [404, 'NotFound'],
    [413, 'RequestEntityTooLarge'],
    [502, 'Unknown'],
    [504, 'Timeout'],
  ] as const) {
    const { requester } = scripted([{ status: code, body: '<html>proxy</html>' }]);
    await assert.rejects(requester.send({ method: 'GET', path: '/x' }), (error) => {
      assert.ok(error instanceof StatusError);
      assert.deepEqual([error.code, error.reason], [code, reason]);
      assert.equal(error.status.details?.causes?.[0]?.message, '<html>proxy</html>');
      return true;
    });
  }
});

test('warnings, query and impersonation', async () => {
  const warnings: string[] = [];
  const warning = '299 - "v1 is \\"old\\", go on", 299 - "second"';
  const { transport, requester } = scripted([{ ...ok, headers: { warning } }], {
    onWarning: (text) => warnings.push(text),
    impersonate: { user: 'jane', groups: ['a,b', 'c'], extra: { 'example.com/Team': ['x'] } },
  });
  await requester.send({ method: 'GET', path: '/x', query: [['labelSelector', 'a=b,c!=d&e']] });
  assert.deepEqual(warnings, ['v1 is "old", go on', 'second']);
  const [sent] = transport.requests;
  assert.equal(sent?.url, '/x?labelSelector=a%3Db%2Cc!%3Dd%26e');
  assert.equal(sent?.headers['impersonate-user'], 'jane');
  assert.deepEqual(sent?.headers['impersonate-group'], ['a,b', 'c']);
  assert.deepEqual(sent?.headers['impersonate-extra-example.com%2fteam'], ['x']);
});
