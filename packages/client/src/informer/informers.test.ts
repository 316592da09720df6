import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, createSimulatedClock } from '@keelson/apimachinery';
import { createClient } from '../client.ts';
import { createScriptedTransport } from '../testing/scripted-transport.ts';
import { createInformers } from './informers.ts';

const pods = { group: '', version: 'v1', resource: 'pods' };

test('who asks for the same has the same informer, whole objects serve who needs no more', async () => {
  const clock = createSimulatedClock();
  const transport = createScriptedTransport(() => ({ body: [], open: true }));
  const client = createClient({ transport, clock });
  const stop = new AbortController();
  const informers = createInformers({ client, clock, random: createSeededRandom(1) }, stop.signal);
  assert.equal(informers.existing(pods), undefined);
  const parts = [
    informers.informer(pods, { namespace: 'shop' }),
    informers.informer(pods, { labelSelector: 'app=web' }),
    informers.informer(pods, { fieldSelector: 'spec.nodeName=a' }),
    informers.informer(pods, { metadataOnly: true }),
  ];
  assert.equal(informers.existing(pods), undefined, 'not all objects, or not whole');
  const all = informers.informer(pods);
  assert.equal(informers.existing(pods), all);
  assert.equal(informers.informer(pods), all);
  assert.equal(informers.informer(pods, { namespace: 'shop' }), parts[0]);
  assert.equal(new Set([...parts, all]).size, 5);
  await clock.advance(1);
  assert.equal(transport.requests.length, 5);
  stop.abort(new Error('over'));
});
