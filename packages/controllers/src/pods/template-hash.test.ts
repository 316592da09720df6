import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodTemplateSpec } from '@keelson/apimachinery/types/core.v1';
import { podTemplateHash } from './template-hash.ts';

const container = {
  name: 'c',
  image: 'registry.example/app:1',
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'IfNotPresent',
};
const template: PodTemplateSpec = {
  metadata: { labels: { app: 'web' } },
  spec: {
    containers: [container],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'none',
  },
};

test('a template has the hash that kube-controller-manager 1.36 gives it', () => {
  assert.equal(podTemplateHash(template), '86dbdc64b6');
  const { spec } = template;
  const second = { ...container, image: 'registry.example/app:2' };
  const changed = { ...template, spec: { ...spec, containers: [second] } };
  assert.equal(podTemplateHash(changed), '5c977dbcb7');
});

test('everything in the template counts, and so do collisions', () => {
  const { spec } = template;
  const variants: PodTemplateSpec[] = [
    template,
    { ...template, metadata: { labels: { app: 'web' }, annotations: { a: 'b' } } },
    { ...template, spec: { ...spec, nodeSelector: { a: 'b' } } },
    { ...template, spec: { ...spec, priority: 0 } },
    ...['100m', '1', '64Mi', '1Gi'].map((cpu) => ({
      ...template,
      spec: { ...spec, containers: [{ ...container, resources: { requests: { cpu } } }] },
    })),
    ...[80, 81, 'http'].map((port) => ({
      ...template,
      spec: { ...spec, containers: [{ ...container, livenessProbe: { httpGet: { port } } }] },
    })),
    { ...template, spec: { ...spec, volumes: [{ name: 'v', configMap: { name: 'm' } }] } },
    { ...template, spec: { ...spec, volumes: [{ name: 'v', secret: { secretName: 'm' } }] } },
  ];
  const hashes = [
    ...variants.map((variant) => podTemplateHash(variant)),
    ...[0, 1, 2].map((collisions) => podTemplateHash(template, collisions)),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
});
