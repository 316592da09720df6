import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceClass } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { summarizePod } from '../snapshot/pod-summary.ts';
import { testPod } from '../testing/scheduling-cluster.ts';
import { extendedRequests } from './extended-requests.ts';
import { extendedResourcesOf, newestClass, resourcesOfClass } from './extended-resources.ts';

const gpu = 'example.com/gpu';
const container = (name: string, count: number, more: object = {}) => ({
  name,
  resources: { requests: { cpu: '1', [gpu]: String(count) } },
  ...more,
});
const sidecar = { restartPolicy: 'Always' };

interface Row {
  readonly what: string;
  readonly init?: readonly object[];
  readonly main: readonly object[];
  /** `request=count` */
  readonly requests: readonly string[];
  /** `container→request` */
  readonly mappings: readonly string[];
}

const rows: readonly Row[] = [
  {
    what: 'each container has its own',
    main: [container('a', 2), { name: 'b' }, container('c', 1)],
    requests: ['container-0-request-1=2', 'container-2-request-1=1'],
    mappings: ['a→container-0-request-1', 'c→container-2-request-1'],
  },
  {
    what: 'an init container uses what a container will have',
    init: [container('i', 1)],
    main: [container('a', 2)],
    requests: ['container-1-request-1=2'],
    mappings: ['a→container-1-request-1', 'i→container-1-request-1'],
  },
  {
    what: 'an init container asks for what is missing',
    init: [container('i', 3)],
    main: [container('a', 1), container('b', 1)],
    requests: ['container-0-request-1=1', 'container-1-request-1=1', 'container-2-request-1=1'],
    mappings: [
      'a→container-1-request-1',
      'b→container-2-request-1',
      'i→container-1-request-1',
      'i→container-2-request-1',
      'i→container-0-request-1',
    ],
  },
  {
    what: 'init containers share the largest of what they miss',
    init: [container('i', 2), container('j', 4)],
    main: [container('a', 1)],
    requests: ['container-1-request-1=3', 'container-2-request-1=1'],
    mappings: [
      'a→container-2-request-1',
      'i→container-2-request-1',
      'i→container-1-request-1',
      'j→container-2-request-1',
      'j→container-1-request-1',
    ],
  },
  {
    what: 'what a sidecar has from before is not for an init container after it',
    init: [container('s', 1, sidecar), container('i', 1)],
    main: [],
    requests: ['container-0-request-1=1', 'container-1-request-1=1'],
    mappings: ['s→container-0-request-1', 'i→container-1-request-1'],
  },
];

const gpuClass: DeviceClass = { metadata: { name: 'gpu' }, spec: { extendedResourceName: gpu } };

for (const { what, init = [], main, requests, mappings } of rows)
  test(`what the claim for extended resources asks for: ${what}`, () => {
    const pod = summarizePod(testPod('p', { initContainers: init, containers: main }));
    const classOf = (resource: string) => (resource === gpu ? gpuClass : undefined);
    const asked = extendedRequests(pod, extendedResourcesOf(pod), classOf);
    assert.deepEqual(
      asked.requests.map(({ name, exactly }) => `${name}=${String(exactly?.count)}`),
      requests,
    );
    assert.deepEqual(
      asked.mappings.map(({ containerName, requestName }) => `${containerName}→${requestName}`),
      mappings,
    );
    for (const { resourceName } of asked.mappings) assert.equal(resourceName, gpu);
  });

test('a class has the names of its resource and of its own; of two the newer one counts', () => {
  assert.deepEqual(resourcesOfClass(gpuClass), ['deviceclass.resource.kubernetes.io/gpu', gpu]);
  assert.deepEqual(resourcesOfClass({ metadata: { name: 'x' }, spec: {} }), [
    'deviceclass.resource.kubernetes.io/x',
  ]);
  const made = (name: string, creationTimestamp: string): DeviceClass => ({
    metadata: { name, creationTimestamp },
    spec: { extendedResourceName: gpu },
  });
  const old = made('a', '2026-01-01T00:00:00Z');
  const fresh = made('c', '2026-01-02T00:00:00Z');
  const twin = made('b', '2026-01-02T00:00:00Z');
  assert.equal(newestClass([old, fresh])?.metadata.name, 'c');
  assert.equal(newestClass([fresh, twin, old])?.metadata.name, 'b');
  assert.equal(newestClass([]), undefined);
});
