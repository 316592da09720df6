import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  defaultPullPolicy,
  imageReferenceProblem,
  parseImageReference,
} from './image-reference.ts';

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

const read: readonly (readonly [image: string, name: string | undefined, tag?: string])[] = [
  ['nginx', 'docker.io/library/nginx', 'latest'],
  ['nginx:1.25', 'docker.io/library/nginx', '1.25'],
  ['team/app:v1', 'docker.io/team/app', 'v1'],
  ['localhost/app', 'localhost/app', 'latest'],
  ['registry.example:5000/app:v1', 'registry.example:5000/app', 'v1'],
  [`nginx@${digest}`, 'docker.io/library/nginx'],
  [`nginx:1@${digest}`, 'docker.io/library/nginx', '1'],
  ['Nginx', undefined],
  ['nginx:', undefined],
  ['nginx@sha256:00', undefined],
  ['0'.repeat(64), undefined],
];

for (const [image, name, tag] of read) {
  test(`image ${JSON.stringify(image)} in full is ${name}`, () => {
    const found = parseImageReference(image);
    assert.deepEqual([found?.name, found?.tag], [name, tag]);
  });
}

const problems: readonly (readonly [image: string, problem: string | undefined])[] = [
  ['nginx:1', undefined],
  ['nginx:', 'invalid reference format'],
  ['a b', 'invalid reference format'],
  ['NGINX:1', 'invalid reference format: repository name (library/NGINX) must be lowercase'],
  ['ghcr.io/Me/app', 'invalid reference format: repository name (Me/app) must be lowercase'],
  [
    'f'.repeat(64),
    `invalid repository name (${'f'.repeat(64)}), cannot specify 64-byte hexadecimal strings`,
  ],
];

for (const [image, problem] of problems) {
  test(`image ${JSON.stringify(image)}: ${problem ?? 'no problem'}`, () => {
    assert.equal(imageReferenceProblem(image), problem);
  });
}
