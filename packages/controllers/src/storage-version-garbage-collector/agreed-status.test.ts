import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StorageVersion } from '@keelson/apimachinery/types/internal.apiserver.k8s.io.v1alpha1';
import { agreedStatus } from './agreed-status.ts';

const nowMs = Date.parse('2026-01-01T01:00:00Z');
const earlier = '2026-01-01T00:00:00Z';
const server = (id: string, version: string) => ({
  apiServerID: id,
  encodingVersion: version,
  decodableVersions: [version],
});

function storageVersion(common: string | undefined): StorageVersion {
  const condition = {
    type: 'AllEncodingVersionsEqual',
    status: common === undefined ? 'False' : 'True',
    reason: 'Because',
    message: '',
    lastTransitionTime: earlier,
  };
  return {
    metadata: { name: 'apps.deployments' },
    spec: {},
    status: {
      storageVersions: [server('gone', 'v9')],
      ...(common !== undefined && { commonEncodingVersion: common }),
      conditions: [condition],
    },
  };
}

const rows: readonly [
  what: string,
  before: string | undefined,
  versions: readonly string[],
  common: string | undefined,
  isSince: 'earlier' | 'now',
][] = [
  ['they agree as before', 'v1', ['v1', 'v1'], 'v1', 'earlier'],
  ['they agree now', undefined, ['v1', 'v1'], 'v1', 'now'],
  ['one is left', undefined, ['v2'], 'v2', 'now'],
  ['they agree on another version', 'v1', ['v2', 'v2'], 'v2', 'now'],
  ['they do not agree', undefined, ['v1', 'v2'], undefined, 'earlier'],
  ['they agree no more', 'v1', ['v1', 'v2'], undefined, 'now'],
];
for (const [what, before, versions, common, isSince] of rows)
  test(what, () => {
    const servers = versions.map((version, i) => server(`s${i}`, version));
    const status = agreedStatus(storageVersion(before), servers, nowMs);
    assert.deepEqual(status.storageVersions, servers);
    assert.equal(status.commonEncodingVersion, common);
    const [condition] = status.conditions ?? [];
    const word = common === undefined ? 'Unset' : 'Set';
    assert.equal(condition?.reason, `CommonEncodingVersion${word}`);
    assert.equal(condition.message, `Common encoding version ${word.toLowerCase()}`);
    assert.equal(condition.status, common === undefined ? 'False' : 'True');
    const since = isSince === 'now' ? '2026-01-01T01:00:00Z' : earlier;
    assert.equal(condition.lastTransitionTime, since);
  });
