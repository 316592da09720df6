import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runUpdate } from '../testing/run-strategy.ts';
import { internalApiserverStrategies } from './strategies.ts';

const { storageversions: strategy = {} } = internalApiserverStrategies;
const version = (status: object) => ({
  apiVersion: 'internal.apiserver.k8s.io/v1alpha1',
  kind: 'StorageVersion',
  metadata: { name: 'apps.deployments' },
  spec: {},
  status,
});
const server = (apiServerID: string, encodingVersion = 'apps/v1', more: object = {}) => ({
  apiServerID,
  encodingVersion,
  decodableVersions: [encodingVersion],
  ...more,
});
const agreed = { commonEncodingVersion: 'apps/v1' };

describe('storage versions', () => {
  const rows: readonly [name: string, status: object, errors: RegExp[]][] = [
    ['of nobody', {}, []],
    ['of one', { storageVersions: [server('a')], ...agreed }, []],
    ['of two that agree', { storageVersions: [server('a'), server('b')], ...agreed }, []],
    ['of two that do not', { storageVersions: [server('a'), server('b', 'v1')] }, []],
    ['agreed by nobody', agreed, [/should be nil if servers do not agree/]],
    [
      'agreed, and not said',
      { storageVersions: [server('a')] },
      [/the common encoding version is apps\/v1$/],
    ],
    [
      'agreed on another',
      { storageVersions: [server('a')], commonEncodingVersion: 'v1' },
      [/the actual common encoding version is apps\/v1$/],
    ],
    [
      'of one twice',
      { storageVersions: [server('a'), server('a')], ...agreed },
      [/storageVersions\[1\].apiServerID: Duplicate value: "a"$/],
    ],
    [
      'of a nameless server',
      { storageVersions: [server('A')], ...agreed },
      [/apiServerID: Invalid value: "A"/],
    ],
    [
      'that is none',
      { storageVersions: [server('a', 'a/b/c')], commonEncodingVersion: 'a/b/c' },
      [/encodingVersion: Invalid value: "a\/b\/c": an apiVersion is/, /decodableVersions\[0\]/],
    ],
    [
      'that cannot be read',
      { storageVersions: [server('a', 'apps/v1', { decodableVersions: ['v1'] })], ...agreed },
      [/decodableVersions must include encodingVersion apps\/v1$/],
    ],
    [
      'served and not read',
      { storageVersions: [server('a', 'apps/v1', { servedVersions: ['v1'] })], ...agreed },
      [/individual served version : v1 must be included in decodableVersions : \[apps\/v1\]$/],
    ],
    [
      'with a silent condition',
      { conditions: [{ type: 'A', status: 'True' }] },
      [/^status\[0\].reason: Required value: reason cannot be empty$/, /message cannot be empty$/],
    ],
  ];
  for (const [name, status, expected] of rows)
    it(name, () => {
      const { errors } = runUpdate(strategy, [version(status), version({})], 'status');
      assert.equal(errors.length, expected.length, errors.join('\n'));
      expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
    });

  const names: readonly [name: string, problems: number][] = [
    ['apps.deployments', 0],
    ['internal.apiserver.k8s.io.storageversions', 0],
    ['deployments', 1],
    ['apps.Deployments', 1],
    ['Apps.deployments', 1],
  ];
  for (const [name, problems] of names)
    it(`${name} ${problems === 0 ? 'is' : 'is not'} a name`, () =>
      assert.equal(strategy.nameRule?.(name, false).length, problems));
});
