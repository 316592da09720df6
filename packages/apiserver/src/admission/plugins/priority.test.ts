import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { createTestObjects } from '../../authentication/testing.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createPriority } from './priority.ts';

const priorityClass = (name: string, value: number, extra: object = {}): KubeObject => ({
  metadata: { name },
  value,
  ...extra,
});
const system = priorityClass('system-node-critical', 2000001000, {
  preemptionPolicy: 'PreemptLowerPriority',
});
const never = priorityClass('never', 77, { preemptionPolicy: 'Never' });
const isDefault = { globalDefault: true, preemptionPolicy: 'Never' };
const pod = (spec: object) => ({ metadata: { name: 'web' }, spec });
const refused = (why: string) => `pods "web" is forbidden: ${why}`;

test('the priority of a new pod is that of its class', async () => {
  const plugin = createPriority(createTestObjects([system, never, priorityClass('bare', 5)]));
  const rows: [spec: object, message: string | undefined, result?: object][] = [
    [{}, undefined, { priority: 0, preemptionPolicy: 'PreemptLowerPriority' }],
    [{ priority: 0 }, undefined, { priority: 0, preemptionPolicy: 'PreemptLowerPriority' }],
    [
      { priority: 1 },
      refused(
        'the integer value of priority (1) must not be provided in pod spec; priority admission ' +
          'controller computed 0 from the given PriorityClass name',
      ),
    ],
    [
      { priorityClassName: 'system-node-critical' },
      undefined,
      {
        priorityClassName: 'system-node-critical',
        priority: 2000001000,
        preemptionPolicy: 'PreemptLowerPriority',
      },
    ],
    [
      { priorityClassName: 'never' },
      undefined,
      { priorityClassName: 'never', priority: 77, preemptionPolicy: 'Never' },
    ],
    [{ priorityClassName: 'bare' }, undefined, { priorityClassName: 'bare', priority: 5 }],
    [{ priorityClassName: 'missing' }, refused('no PriorityClass with name missing was found')],
    [
      { priorityClassName: 'never', preemptionPolicy: 'PreemptLowerPriority' },
      refused(
        'the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod ' +
          'spec; priority admission controller computed Never from the given PriorityClass name',
      ),
    ],
  ];
  for (const [spec, message, result] of rows) {
    const attributes = createTestAttributes({ object: pod(spec) });
    assert.equal(await admit(plugin, attributes), message);
    if (result !== undefined) assert.deepEqual(attributes.object?.['spec'], result);
  }
});

test('the default class with the lowest value is written into the pod', async () => {
  const plugin = createPriority(
    createTestObjects([priorityClass('b', 9, isDefault), priorityClass('a', 10, isDefault)]),
  );
  const attributes = createTestAttributes({ object: pod({}) });
  assert.equal(await admit(plugin, attributes), undefined);
  assert.deepEqual(attributes.object?.['spec'], {
    priorityClassName: 'b',
    priority: 9,
    preemptionPolicy: 'Never',
  });
});

test('an update keeps what it leaves out; subresources pass', async () => {
  const plugin = createPriority(createTestObjects([]));
  const old = pod({ priority: 5, preemptionPolicy: 'Never' });
  const rows: [request: TestRequest, expected: object][] = [
    [{ object: pod({}) }, { priority: 5, preemptionPolicy: 'Never' }],
    [{ object: pod({ priority: 6 }) }, { priority: 6, preemptionPolicy: 'Never' }],
    [{ object: pod({}), subresource: 'status' }, {}],
  ];
  for (const [request, expected] of rows) {
    const attributes = createTestAttributes({ operation: 'UPDATE', oldObject: old, ...request });
    assert.equal(await admit(plugin, attributes), undefined);
    assert.deepEqual(attributes.object?.['spec'], expected);
  }
});

test('there is one global default', async () => {
  const present = priorityClass('a', 1, isDefault);
  const refusal =
    'priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass a is already marked as ' +
    'default. Only one default can exist';
  const rows: [
    operation: 'CREATE' | 'UPDATE',
    classes: KubeObject[],
    object: KubeObject,
    message: string | undefined,
  ][] = [
    ['CREATE', [], priorityClass('b', 1, isDefault), undefined],
    ['CREATE', [present], priorityClass('b', 1), undefined],
    ['CREATE', [present], priorityClass('b', 1, isDefault), refusal],
    ['UPDATE', [present], priorityClass('b', 1, isDefault), refusal],
    ['UPDATE', [present], priorityClass('a', 1, isDefault), undefined],
  ];
  for (const [operation, classes, object, message] of rows) {
    const about = { group: 'scheduling.k8s.io', resource: 'priorityclasses', namespace: '' };
    const attributes = createTestAttributes({ operation, ...about, object });
    assert.equal(await admit(createPriority(createTestObjects(classes)), attributes), message);
  }
});
