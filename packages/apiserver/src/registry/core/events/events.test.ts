import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError, type KubeObject } from '@keelson/apimachinery';
import { coreToEventsV1, eventsV1ToCore } from '../../events/conversion.ts';
import { eventsStrategies } from '../../events/strategies.ts';
import { readObject, testContext } from '../../testing/run-strategy.ts';
import { testCreates } from '../../testing/strategy-tables.ts';
import { eventStrategy } from './strategy.ts';

function event(more: object, about: object = { kind: 'Pod', namespace: 'n', name: 'p' }) {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'n' },
    involvedObject: about,
    ...more,
  };
}
const other = 'involvedObject.namespace: Invalid value: "": does not match event.namespace';

testCreates(eventStrategy, [
  ['about a pod', event({ reason: 'Started' }), []],
  [
    'about another namespace',
    event({}, { kind: 'Pod', namespace: 'm', name: 'p' }),
    ['involvedObject.namespace: Invalid value: "m": does not match event.namespace'],
  ],
  ['about a node, away from default', event({}, { kind: 'Node', name: 'a' }), [other]],
]);

const modern = {
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'n' },
  regarding: { kind: 'Pod', namespace: 'n', name: 'p' },
  eventTime: '2024-01-01T00:00:00.000000Z',
  reportingController: 'example.com/c',
  reportingInstance: 'c-1',
  action: 'Binding',
  reason: 'Bound',
  note: 'done',
  type: 'Normal',
};

function modernErrors(fields: object): string[] {
  const stored = eventsV1ToCore(readObject({ ...modern, ...fields }));
  const errors = eventsStrategies['v1/events']?.validate?.(stored, testContext) ?? [];
  return errors.map(renderFieldError);
}

const modernRows: readonly (readonly [string, object, readonly string[]])[] = [
  ['complete', {}, []],
  ['a series', { series: { count: 2, lastObservedTime: modern.eventTime } }, []],
  [
    'a controller that is no name',
    { reportingController: 'a/b/c' },
    [
      "reportingController: Invalid value: \"a/b/c\": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ],
  ],
  ['no instance', { reportingInstance: '' }, ['reportingInstance: Required value']],
  ['no action', { action: '' }, ['action: Required value']],
  ['no time', { eventTime: null }, ['eventTime: Required value']],
  ['a type', { type: 'Odd' }, ['type: Invalid value: "": has invalid value: Odd']],
  [
    'a series of one',
    { series: { count: 1, lastObservedTime: modern.eventTime } },
    ['series.count: Invalid value: "": should be at least 2'],
  ],
  ['fields of old', { deprecatedCount: 3 }, ['count: Invalid value: "": needs to be unset']],
];
for (const [what, fields, errors] of modernRows) {
  test(`an Event of events.k8s.io: ${what}`, () => {
    assert.deepEqual(modernErrors(fields), errors);
  });
}

test('an Event keeps what it says in both versions', () => {
  const source: KubeObject = readObject({
    ...modern,
    deprecatedSource: { component: 'c' },
    deprecatedFirstTimestamp: '2024-01-01T00:00:00Z',
    deprecatedCount: 2,
  });
  const stored = eventsV1ToCore(source);
  assert.equal(stored['message'], 'done');
  assert.equal(stored['reportingComponent'], 'example.com/c');
  assert.deepEqual(stored['involvedObject'], modern.regarding);
  assert.deepEqual(coreToEventsV1(stored), source);
});
