import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStatusError } from '@keelson/apimachinery';
import { createStoppedClock } from '../../authentication/testing.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createEventRateLimit, type EventLimit } from './event-rate-limit.ts';

const event = (request: TestRequest = {}): TestRequest => ({
  resource: 'events',
  kind: 'Event',
  object: {
    metadata: { name: 'e' },
    source: { component: 'kubelet', host: 'n1' },
    involvedObject: { kind: 'Pod', namespace: 'shop', name: 'web', uid: 'u', apiVersion: 'v1' },
  },
  ...request,
});
const setUp = (...limits: EventLimit[]) => {
  const clock = createStoppedClock(0);
  return { clock, plugin: createEventRateLimit({ limits }, clock) };
};
const limited = (what: string) => `Too many requests: ${what}`;

test('a bucket starts full, empties and fills again', async () => {
  const { clock, plugin } = setUp({ type: 'Server', qps: 2, burst: 2 });
  const refusal = limited('limit reached on type Server for key ');
  const steps: [atMs: number, message: string | undefined][] = [
    [0, undefined],
    [0, undefined],
    [0, refusal],
    [499, refusal],
    [500, undefined],
    [501, refusal],
    [10_000, undefined],
    [10_000, undefined],
    [10_000, refusal],
  ];
  for (const [atMs, message] of steps) {
    clock.nowMs = atMs;
    assert.equal(await admit(plugin, createTestAttributes(event())), message, `at ${atMs}`);
  }
});

test('limits have their own keys', async () => {
  const rows: [type: EventLimit['type'], other: TestRequest, key: string][] = [
    ['Namespace', { namespace: 'bank' }, 'shop'],
    ['User', { userName: 'bob' }, 'ann'],
    [
      'SourceAndObject',
      { object: { metadata: { name: 'e' }, source: { component: 'kubelet', host: 'n2' } } },
      'kubeletn1PodshopwebuV1'.replace('V1', 'v1'),
    ],
  ];
  for (const [type, other, key] of rows) {
    const { plugin } = setUp({ type, qps: 1, burst: 1 });
    assert.equal(await admit(plugin, createTestAttributes(event())), undefined);
    assert.equal(
      await admit(plugin, createTestAttributes(event())),
      limited(`limit reached on type ${type} for key ${key}`),
    );
    assert.equal(await admit(plugin, createTestAttributes(event(other))), undefined);
  }
});

test('every limit is asked and takes its token', async () => {
  const { plugin } = setUp(
    { type: 'Server', qps: 1, burst: 1 },
    { type: 'User', qps: 1, burst: 2 },
  );
  const attributes = () => createTestAttributes(event());
  assert.equal(await admit(plugin, attributes()), undefined);
  assert.equal(await admit(plugin, attributes()), limited('limit reached on type Server for key '));
  assert.equal(
    await admit(plugin, attributes()),
    limited('[limit reached on type Server for key , limit reached on type User for key ann]'),
  );
});

test('the least recently used bucket is forgotten', async () => {
  const { plugin } = setUp({ type: 'User', qps: 1, burst: 1, cacheSize: 1 });
  for (const userName of ['ann', 'bob', 'ann'])
    assert.equal(await admit(plugin, createTestAttributes(event({ userName }))), undefined);
});

test('what is not counted', async () => {
  const { plugin } = setUp({ type: 'Server', qps: 1, burst: 1 });
  const rows: TestRequest[] = [
    event({ dryRun: true }),
    event({ group: 'events.k8s.io' }),
    event({ operation: 'DELETE' }),
    { object: { metadata: { name: 'web' } } },
  ];
  for (const request of rows)
    for (let i = 0; i < 2; i++)
      assert.equal(await admit(plugin, createTestAttributes(request)), undefined);
  await admit(plugin, createTestAttributes(event()));
  assert.throws(
    () => plugin.validate?.(createTestAttributes(event({ operation: 'UPDATE' }))),
    (error) => isStatusError(error, 'TooManyRequests') && error.code === 429,
  );
});
