import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRetiredKind } from './retired-kinds.ts';

const rows: readonly (readonly [apiVersion: string, kind: string, known: boolean])[] = [
  ['extensions/v1beta1', 'Scale', true],
  ['extensions/v1beta1', 'DeploymentList', true],
  ['policy/v1beta1', 'Eviction', true],
  ['extensions/v1beta1', 'PodSecurityPolicy', false],
  ['authentication.k8s.io/v1beta1', 'TokenRequest', false],
  ['apps/v1', 'Deployment', false],
  ['constructor', 'Deployment', false],
  ['batch/v1beta1', '', false],
];

test('kinds of versions that are no longer served are known', () => {
  for (const [apiVersion, kind, known] of rows) {
    assert.equal(isRetiredKind(apiVersion, kind), known, `${apiVersion} ${kind}`);
  }
});
