import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionTrace, type KubeObject } from '@keelson/apimachinery';
import type { AdmissionPlugin } from './admission.ts';
import { createAdmissionChain } from './chain.ts';
import { createTestAttributes } from './testing.ts';

const pod = { metadata: { name: 'p' } };
const label: AdmissionPlugin = {
  name: 'Label',
  handles: (operation) => operation === 'CREATE',
  mutate({ object }) {
    if (object) object.metadata.labels = { a: 'b' };
  },
};
const look: AdmissionPlugin = {
  name: 'Look',
  handles: () => true,
  mutate() {},
  validate({ object }) {
    if (object?.metadata.labels === undefined) throw new Error('no labels');
  },
};

test('plugins run in order, and only those that handle the operation', async () => {
  const chain = createAdmissionChain([label, look]);
  const created = createTestAttributes({ object: pod });
  await chain.mutate(created);
  await chain.validate(created);
  assert.deepEqual(created.object?.metadata.labels, { a: 'b' });
  const updated = createTestAttributes({ operation: 'UPDATE', object: pod });
  await chain.mutate(updated);
  await assert.rejects(chain.validate(updated), { message: 'no labels' });
  assert.ok(chain.handles('DELETE'));
  assert.ok(!createAdmissionChain([label]).handles('DELETE'));
});

test('each step goes into the trace', async () => {
  const trace = createDecisionTrace();
  const attributes = { ...createTestAttributes({ object: pod }), trace };
  const chain = createAdmissionChain([label, look]);
  await chain.mutate(attributes);
  await chain.validate(attributes);
  attributes.object = pod;
  await assert.rejects(chain.validate(attributes));
  const steps = trace.steps().map(({ stage, by, outcome, reason }) => [stage, by, outcome, reason]);
  assert.deepEqual(steps, [
    ['admission/mutating', 'Label', 'changed', ''],
    ['admission/mutating', 'Look', 'unchanged', ''],
    ['admission/validating', 'Look', 'allow', ''],
    ['admission/validating', 'Look', 'deny', 'no labels'],
  ]);
});

test('the trace knows who changed the object, however it was done', async () => {
  const plugin = (name: string, mutate: NonNullable<AdmissionPlugin['mutate']>) => ({
    name,
    handles: () => true,
    mutate,
  });
  const kept: KubeObject[] = [];
  const chain = createAdmissionChain([
    plugin('LooksAway', () => {}),
    plugin('Reads', ({ object }) => void kept.push(object ?? pod)),
    plugin('Replaces', (attributes) => {
      attributes.object = { metadata: { name: 'q' } };
    }),
    plugin('LooksAwayAfterwards', () => {}),
    plugin('ReplacesByEqual', (attributes) => {
      attributes.object = { metadata: { name: 'q' } };
    }),
    plugin('Changes', ({ object }) => {
      if (object !== undefined) object.metadata.labels = {};
    }),
    plugin('ReadsAfterwards', ({ object }) => void kept.push(object ?? pod)),
    plugin('Removes', (attributes) => {
      attributes.object = undefined;
    }),
  ]);
  const trace = createDecisionTrace();
  const attributes = { ...createTestAttributes({ object: pod }), trace };
  await chain.mutate(attributes);
  assert.deepEqual(
    trace
      .steps()
      .filter(({ outcome }) => outcome === 'changed')
      .map(({ by }) => by),
    ['Replaces', 'Changes', 'Removes'],
  );
  assert.equal(trace.steps().length, 8);
  assert.deepEqual(kept, [pod, { metadata: { name: 'q', labels: {} } }]);
  assert.equal(attributes.object, undefined);
});
