import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionTrace } from '@keelson/apimachinery';
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
