import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { admit, createTestAttributes } from '../testing.ts';
import { createAlwaysPullImages } from './always-pull-images.ts';

const plugin = createAlwaysPullImages();
const pod = (image = 'a:1', policy = 'IfNotPresent'): KubeObject => ({
  metadata: { name: 'web' },
  spec: {
    initContainers: [{ name: 'i', image, imagePullPolicy: policy }],
    containers: [{ name: 'c', image, imagePullPolicy: policy }],
    ephemeralContainers: [{ name: 'e', image, imagePullPolicy: policy }],
    volumes: [{ name: 'v', image: { reference: 'm', pullPolicy: policy } }, { name: 'w' }],
  },
});
const policiesOf = (object: KubeObject | undefined) =>
  [...JSON.stringify(object).matchAll(/ullPolicy":"(\w+)"/g)].map(([, policy]) => policy);

test('every container and image volume of a new pod pulls', async () => {
  const attributes = createTestAttributes({ object: pod() });
  assert.equal(await admit(plugin, attributes), undefined);
  assert.deepEqual(policiesOf(attributes.object), ['Always', 'Always', 'Always', 'Always']);
});

test('an update counts when it brings an image', async () => {
  const rows: [request: Parameters<typeof createTestAttributes>[0], expected: string][] = [
    [{ operation: 'UPDATE', object: pod(), oldObject: pod() }, 'IfNotPresent'],
    [{ operation: 'UPDATE', object: pod('a:2'), oldObject: pod() }, 'Always'],
    [
      {
        operation: 'UPDATE',
        subresource: 'ephemeralcontainers',
        object: pod('a:2'),
        oldObject: pod(),
      },
      'IfNotPresent',
    ],
    [{ object: pod(), resource: 'replicasets', group: 'apps' }, 'IfNotPresent'],
  ];
  for (const [request, expected] of rows) {
    const attributes = createTestAttributes(request);
    assert.equal(await admit(plugin, attributes), undefined);
    assert.equal(policiesOf(attributes.object)[1], expected);
  }
});

test('what a later plugin made of the policies is refused', () => {
  const refusal = (path: string) =>
    `pods "web" is forbidden: ${path}: Unsupported value: "Never": supported values: "Always"`;
  const object = pod('a:1', 'Never');
  assert.throws(() => plugin.validate?.(createTestAttributes({ object })), {
    message: `[${[
      'spec.initContainers[0].imagePullPolicy',
      'spec.containers[0].imagePullPolicy',
      'spec.ephemeralContainers[0].imagePullPolicy',
      'spec.volumes[0].image.pullPolicy',
    ]
      .map(refusal)
      .join(', ')}]`,
  });
});
