import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantedOldLabels } from './old-labels.ts';

test('old labels of nodes follow the stable ones', () => {
  const rows: [labels: Record<string, string> | undefined, wanted: object | undefined][] = [
    [undefined, undefined],
    [{}, undefined],
    [{ 'kubernetes.io/os': 'linux' }, { 'beta.kubernetes.io/os': 'linux' }],
    [
      { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'arm64' },
      { 'beta.kubernetes.io/os': 'linux', 'beta.kubernetes.io/arch': 'arm64' },
    ],
    [
      { 'kubernetes.io/os': 'linux', 'beta.kubernetes.io/os': 'windows' },
      { 'beta.kubernetes.io/os': 'linux' },
    ],
    [{ 'kubernetes.io/os': 'linux', 'beta.kubernetes.io/os': 'linux' }, undefined],
    [{ 'beta.kubernetes.io/os': 'linux' }, undefined],
    [{ 'kubernetes.io/arch': '' }, { 'beta.kubernetes.io/arch': '' }],
  ];
  for (const [labels, wanted] of rows) assert.deepEqual(wantedOldLabels(labels), wanted);
});
