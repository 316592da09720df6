import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { createEventCorrelator } from './event-correlator.ts';
import type { EventText, ObjectAbout } from './event-recorder.ts';

const pod: ObjectAbout = {
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: 'shop',
  name: 'web',
  uid: 'u1',
};
const text = (reason: string, message: string): EventText => ({ type: 'Normal', reason, message });
const minuteMs = 60_000;

function setUp() {
  const clock = createSimulatedClock();
  const { correlate } = createEventCorrelator(clock);
  /** `count message`, or nothing for an event that is not heard. */
  const tell = (about: ObjectAbout, event: EventText) => {
    const told = correlate(about, event);
    return told && `${told.count} ${told.message}`;
  };
  return { clock, correlate, tell };
}

test('what repeats is counted from its first time on, by object, part and text', async () => {
  const { clock, correlate, tell } = setUp();
  const first = correlate(pod, text('Pulled', 'a'));
  await clock.advance(minuteMs);
  const again = correlate(pod, text('Pulled', 'a'));
  assert.deepEqual(again, { ...first, count: 2 });
  const others: [ObjectAbout, EventText][] = [
    [{ ...pod, fieldPath: 'spec.containers{app}' }, text('Pulled', 'a')],
    [{ ...pod, uid: 'u2' }, text('Pulled', 'a')],
    [pod, text('Pulled', 'b')],
    [pod, text('Started', 'a')],
    [pod, { ...text('Pulled', 'a'), type: 'Warning' }],
  ];
  for (const [about, event] of others)
    assert.equal(tell(about, event), `1 ${event.message}`, JSON.stringify([about, event]));
});

test('the tenth message of one reason and all later ones are counted together', async () => {
  const { clock, tell } = setUp();
  const create = (at: number) => tell(pod, text('SuccessfulCreate', `pod ${at}`));
  for (let at = 1; at <= 9; at++) assert.equal(create(at), `1 pod ${at}`);
  assert.equal(create(10), '1 (combined from similar events): pod 10');
  assert.equal(create(11), '2 (combined from similar events): pod 11');
  assert.equal(create(1), '2 pod 1');
  assert.equal(tell(pod, text('SuccessfulDelete', 'pod 1')), '1 pod 1');
  assert.equal(tell({ ...pod, uid: 'u2' }, text('SuccessfulCreate', 'pod 12')), '1 pod 12');
  // After ten silent minutes the reason starts over.
  await clock.advance(10 * minuteMs);
  assert.equal(create(12), '3 (combined from similar events): pod 12');
  await clock.advance(10 * minuteMs + 1);
  assert.equal(create(13), '1 pod 13');
});

test('of one object 25 events are heard at once, then one every five minutes', async () => {
  const { clock, tell } = setUp();
  const again = () => tell(pod, text('BackOff', 'crash'));
  for (let count = 1; count <= 25; count++) assert.equal(again(), `${count} crash`);
  assert.equal(again(), undefined);
  assert.equal(tell(pod, text('Pulled', 'a')), undefined);
  assert.equal(tell({ ...pod, uid: 'u2' }, text('Pulled', 'a')), '1 a');
  await clock.advance(5 * minuteMs - 1);
  assert.equal(again(), undefined);
  await clock.advance(1);
  // Those that were not heard are counted.
  assert.equal(again(), '28 crash');
  assert.equal(again(), undefined);
});
