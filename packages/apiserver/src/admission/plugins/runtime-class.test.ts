import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestObjects } from '../../authentication/testing.ts';
import { admit, createTestAttributes } from '../testing.ts';
import { createRuntimeClass } from './runtime-class.ts';

const toleration = { key: 'rt', operator: 'Exists' };
const plugin = createRuntimeClass(
  createTestObjects([
    { metadata: { name: 'plain' }, handler: 'h' },
    {
      metadata: { name: 'full' },
      handler: 'h',
      overhead: { podFixed: { cpu: '10m' } },
      scheduling: { nodeSelector: { rt: 'y' }, tolerations: [toleration] },
    },
  ]),
);
const refused = (why: string) => `pods "web" is forbidden: ${why}`;
const mismatch = refused(
  "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
);
const uncalledFor = refused(
  'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
);

test('RuntimeClass', async () => {
  const merged = { overhead: { cpu: '10m' }, nodeSelector: { rt: 'y' }, tolerations: [toleration] };
  const rows: [spec: object, message: string | undefined, added?: object][] = [
    [{}, undefined, {}],
    [{ overhead: { cpu: '1' } }, uncalledFor],
    [{ runtimeClassName: 'none' }, refused('pod rejected: RuntimeClass "none" not found')],
    [{ runtimeClassName: 'plain' }, undefined, {}],
    [{ runtimeClassName: 'plain', overhead: { cpu: '1' } }, uncalledFor],
    [{ runtimeClassName: 'full' }, undefined, merged],
    [{ runtimeClassName: 'full', overhead: { cpu: '0.010' } }, undefined, merged],
    [{ runtimeClassName: 'full', overhead: { cpu: '11m' } }, mismatch],
    [{ runtimeClassName: 'full', overhead: { cpu: '10m', memory: '1' } }, mismatch],
    [
      { runtimeClassName: 'full', nodeSelector: { a: 'b', rt: 'y' } },
      undefined,
      { ...merged, nodeSelector: { a: 'b', rt: 'y' } },
    ],
    [
      { runtimeClassName: 'full', nodeSelector: { rt: 'n' } },
      refused(
        'conflict: runtimeClass.scheduling.nodeSelector[rt] = y; pod.spec.nodeSelector[rt] = n',
      ),
    ],
    [
      { runtimeClassName: 'full', tolerations: [{ key: 'a', operator: 'Exists' }] },
      undefined,
      { ...merged, tolerations: [{ key: 'a', operator: 'Exists' }, toleration] },
    ],
  ];
  for (const [spec, message, added] of rows) {
    const attributes = createTestAttributes({ object: { metadata: { name: 'web' }, spec } });
    assert.equal(await admit(plugin, attributes), message);
    if (added !== undefined) assert.deepEqual(attributes.object?.['spec'], { ...spec, ...added });
  }
});

test('what later plugins made of the overhead is checked, updates are not', () => {
  const spec = { runtimeClassName: 'full' };
  const object = { metadata: { name: 'web' }, spec };
  assert.throws(() => plugin.validate?.(createTestAttributes({ object })), { message: mismatch });
  assert.ok(!plugin.handles('UPDATE'));
});
