import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod, ResourceRequirements } from '@keelson/apimachinery/types/core.v1';
import { createFeatures } from '../../../features/create-features.ts';
import { computeQosClass } from './quality-of-service.ts';

const features = createFeatures();
const full = { cpu: '1', memory: '1Gi' };

const rows: readonly (readonly [string, readonly ResourceRequirements[], string])[] = [
  ['nothing asked', [{}], 'BestEffort'],
  ['zero asked', [{ requests: { cpu: '0' } }], 'BestEffort'],
  ['other resources do not count', [{ limits: { 'example.com/gpu': '1' } }], 'BestEffort'],
  ['some asked', [{ requests: { cpu: '1' } }], 'Burstable'],
  ['limits without memory', [{ requests: { cpu: '1' }, limits: { cpu: '1' } }], 'Burstable'],
  ['limits above requests', [{ requests: full, limits: { cpu: '2', memory: '1Gi' } }], 'Burstable'],
  ['limits equal requests', [{ requests: full, limits: full }], 'Guaranteed'],
  [
    'equal, spelt differently',
    [{ requests: full, limits: { cpu: '1000m', memory: '1024Mi' } }],
    'Guaranteed',
  ],
  ['one of two containers without', [{ requests: full, limits: full }, {}], 'Burstable'],
];

for (const [what, resources, expected] of rows) {
  test(`quality of service: ${what}`, () => {
    const containers = resources.map((r, i): Container => ({ name: `c${i}`, resources: r }));
    const pod: Pod = { metadata: {}, spec: { containers } };
    assert.equal(computeQosClass(pod, features), expected);
  });
}
