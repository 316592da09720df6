import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPullPolicy } from './image-reference.ts';

const digest = `sha256:${'0'.repeat(64)}`;

const rows: readonly (readonly [image: string, policy: string])[] = [
  ['nginx', 'Always'],
  ['nginx:latest', 'Always'],
  ['registry.example:5000/team/app', 'Always'],
  ['nginx:1.25', 'IfNotPresent'],
  ['registry.example:5000/team/app:v1', 'IfNotPresent'],
  [`nginx@${digest}`, 'IfNotPresent'],
  [`nginx:latest@${digest}`, 'Always'],
  ['', 'IfNotPresent'],
  ['Not A Reference', 'IfNotPresent'],
];

for (const [image, policy] of rows) {
  test(`image ${JSON.stringify(image)} is pulled: ${policy}`, () => {
    assert.equal(defaultPullPolicy(image), policy);
  });
}
