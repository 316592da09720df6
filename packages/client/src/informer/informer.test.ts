import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, createSimulatedClock, type KubeObject } from '@keelson/apimachinery';
import { createClient } from '../client.ts';
import { createScriptedTransport, type ScriptedAnswer } from '../testing/scripted-transport.ts';
import { TransportError } from '../transport.ts';
import { startInformer, type InformerOptions } from './informer.ts';

const pods = { group: '', version: 'v1', resource: 'pods' };
const pod = (name: string, resourceVersion: string, uid = `uid-${name}`) => ({
  kind: 'Pod',
  metadata: { name, namespace: 'shop', uid, resourceVersion },
});
const event = (type: string, object: object) => ({ type, object });
const added = (name: string, rv: string, uid?: string) => event('ADDED', pod(name, rv, uid));
const initialEnd = (rv: string) =>
  event('BOOKMARK', {
    metadata: { resourceVersion: rv, annotations: { 'k8s.io/initial-events-end': 'true' } },
  });
const failure = (code: number, reason: string): ScriptedAnswer => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', code, reason, message: reason },
});
const reset = new TransportError('broken', 'reset');
const list = (rv: string, ...items: object[]): ScriptedAnswer => ({
  body: { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: rv }, items },
});

/** Runs an informer against the script; the last answer stays open. */
async function run(
  script: readonly ScriptedAnswer[],
  more: Partial<InformerOptions<KubeObject>> = {},
  forMs = 60_000,
) {
  const clock = createSimulatedClock();
  const random = createSeededRandom(1);
  const transport = createScriptedTransport((_, nth) => script[nth] ?? { body: [], open: true });
  const client = createClient({ transport, clock, random });
  const controller = new AbortController();
  const errors: string[] = [];
  const informer = startInformer(
    {
      resource: client.resource(pods),
      clock,
      random,
      onError: (error) => errors.push((error as Error).message),
      ...more,
    },
    controller.signal,
  );
  const calls: string[] = [];
  const say = (what: string, o: KubeObject) =>
    calls.push(`${what} ${o.metadata.name}@${o.metadata.resourceVersion}`);
  informer.addHandler({
    onAdd: (o, isInitial) => say(isInitial ? 'initial' : 'add', o),
    onUpdate: (o, old) => say(`update from ${old.metadata.resourceVersion}`, o),
    onDelete: (o) => say('delete', o),
  });
  await clock.advance(forMs);
  controller.abort(new Error('over'));
  await clock.advance(0);
  const urls = transport.requests.map(({ url }) => {
    const query = new URLSearchParams(url.split('?')[1]);
    const first = query.get('sendInitialEvents') === 'true' ? ' first' : '';
    return `${query.has('watch') ? 'watch' : 'list'}${first} ${query.get('resourceVersion') ?? ''}`.trim();
  });
  return { informer, calls, errors, urls, clock };
}

test('the first state comes over the watch, and what follows', async () => {
  const { informer, calls, errors, urls, clock } = await run([
    {
      body: [
        added('a', '1'),
        added('b', '2'),
        initialEnd('5'),
        event('MODIFIED', pod('a', '6')),
        event('DELETED', pod('b', '7')),
        added('c', '8'),
      ],
      open: true,
    },
  ]);
  assert.deepEqual(calls, [
    'initial a@1',
    'initial b@2',
    'update from 1 a@6',
    'delete b@7',
    'add c@8',
  ]);
  assert.ok(informer.hasSynced());
  assert.deepEqual([errors, urls], [[], ['watch first']]);
  assert.equal(clock.pending, 0);
});

test('a watch that ends is taken up from the last revision', async () => {
  const { calls, urls, errors } = await run([
    { body: [added('a', '1'), initialEnd('5')] },
    { body: [event('MODIFIED', pod('a', '9'))], error: reset },
    { body: [added('b', '10')], open: true },
  ]);
  assert.deepEqual(calls, ['initial a@1', 'update from 1 a@9', 'add b@10']);
  assert.deepEqual(urls, ['watch first', 'watch 5', 'watch 9']);
  assert.deepEqual(errors, ['reset']);
});

test('after an expired revision the difference is told', async () => {
  const { calls, urls, errors } = await run([
    { body: [added('a', '1'), added('b', '2'), added('c', '3'), initialEnd('5')] },
    failure(410, 'Expired'),
    {
      body: [
        added('a', '1'),
        added('b', '8'),
        added('c', '9', 'another'),
        added('d', '9'),
        initialEnd('9'),
      ],
      open: true,
    },
  ]);
  assert.deepEqual(calls, [
    'initial a@1',
    'initial b@2',
    'initial c@3',
    'update from 2 b@8',
    'delete c@3',
    'add c@9',
    'add d@9',
  ]);
  assert.deepEqual(urls, ['watch first', 'watch 5', 'watch first']);
  assert.deepEqual(errors, []);
});

test('what vanished while nobody watched is deleted', async () => {
  const { calls, informer } = await run([
    { body: [added('a', '1'), added('b', '2'), initialEnd('5')] },
    { body: [event('ERROR', { kind: 'Status', apiVersion: 'v1', code: 410, reason: 'Expired' })] },
    { body: [added('b', '2'), initialEnd('9')], open: true },
  ]);
  assert.deepEqual(calls, ['initial a@1', 'initial b@2', 'delete a@1']);
  assert.equal(informer.store.size, 1);
});

test('a server without initial events is listed', async () => {
  const { calls, urls, errors } = await run([
    failure(422, 'Invalid'),
    list('5', pod('a', '1')),
    { body: [added('b', '6')], open: true },
  ]);
  assert.deepEqual(calls, ['initial a@1', 'add b@6']);
  assert.deepEqual(urls, ['watch first', 'list', 'watch 5']);
  assert.deepEqual(errors, []);
});

test('a refusal is reported and tried again, more and more slowly', async () => {
  const script = Array.from({ length: 1_000 }, () => failure(403, 'Forbidden'));
  const { informer, errors, urls } = await run(script, {}, 10 * 60_000);
  assert.equal(informer.hasSynced(), false);
  assert.equal(errors[0], 'Forbidden');
  assert.equal(errors.length, urls.length);
  assert.ok(urls.length > 10 && urls.length < 40, `${urls.length} tries in ten minutes`);
});

test('initial events that are cut off are not taken for all there is', async () => {
  const { calls, informer } = await run([
    { body: [added('a', '1')] },
    { body: [added('a', '1')], error: reset },
    { body: [], open: true },
  ]);
  assert.deepEqual(calls, []);
  assert.equal(informer.hasSynced(), false);
  await assert.rejects(informer.synced(AbortSignal.abort(new Error('no more'))), /no more/);
});

test('a handler that throws harms nobody else', async () => {
  const clock = createSimulatedClock();
  const transport = createScriptedTransport([
    { body: [added('a', '1'), initialEnd('5')], open: true },
  ]);
  const client = createClient({ transport, clock });
  const controller = new AbortController();
  const errors: unknown[] = [];
  const informer = startInformer(
    { resource: client.resource(pods), clock, onError: (error) => errors.push(error) },
    controller.signal,
  );
  const seen: string[] = [];
  informer.addHandler({ onAdd: () => assert.fail('bad handler') });
  const off = informer.addHandler({ onAdd: (o) => seen.push(o.metadata.name ?? '') });
  await informer.synced();
  assert.deepEqual(seen, ['a']);
  assert.equal(errors.length, 1);
  off();
  // Who comes late is told what is there.
  informer.addHandler({ onAdd: (o, isInitial) => seen.push(`${o.metadata.name} ${isInitial}`) });
  assert.deepEqual(seen, ['a', 'a true']);
  controller.abort();
});

test('objects are cut down and frozen when asked', async () => {
  const { informer } = await run([{ body: [added('a', '1'), initialEnd('5')], open: true }], {
    freeze: true,
    transform: ({ metadata: { name = '', namespace = '', resourceVersion = '' } }) => ({
      metadata: { name, namespace, resourceVersion },
    }),
  });
  const stored = informer.store.get('shop', 'a');
  assert.deepEqual(stored, { metadata: { name: 'a', namespace: 'shop', resourceVersion: '1' } });
  assert.ok(Object.isFrozen(stored?.metadata));
});
