import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCreate, runUpdate } from '../testing/run-strategy.ts';
import { storagemigrationStrategies } from './strategies.ts';

const { storageversionmigrations: strategy = {} } = storagemigrationStrategies;
const migration = (resource: object, status: object = {}) => ({
  apiVersion: 'storagemigration.k8s.io/v1beta1',
  kind: 'StorageVersionMigration',
  metadata: { name: 'm' },
  spec: { resource },
  status,
});
const deployments = { group: 'apps', resource: 'deployments' };
const conditions = (...types: string[]) =>
  types.map((type) => ({
    type,
    status: 'True',
    reason: 'Because',
    lastTransitionTime: '2024-01-01T00:00:00Z',
  }));

describe('storage version migrations', () => {
  const rows: readonly [name: string, resource: object, errors: RegExp[]][] = [
    ['of a group', deployments, []],
    ['of the core group', { resource: 'pods' }, []],
    [
      'of nothing',
      {},
      [/^spec.resource.resource: Required value: resource is required to be set$/],
    ],
    [
      'of a kind',
      { resource: 'Pod' },
      [/^spec.resource.resource: Invalid value: "Pod": a DNS-1035 label/],
    ],
    [
      'of no group',
      { ...deployments, group: 'a_b' },
      [/^spec.resource.group: Invalid value: "a_b"/],
    ],
  ];
  for (const [name, resource, expected] of rows)
    it(name, () => {
      const { errors, object } = runCreate(strategy, migration(resource, { resourceVersion: '7' }));
      assert.equal(errors.length, expected.length, errors.join('\n'));
      expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
      assert.deepEqual(object['status'], {});
    });

  it('are of one resource for ever', () => {
    const { errors } = runUpdate(strategy, [
      migration({ resource: 'pods' }),
      migration(deployments),
    ]);
    assert.match(errors.join('\n'), /^spec: Invalid value: .*: field is immutable$/);
  });

  const told: readonly [name: string, now: object, old: object, errors: RegExp[]][] = [
    ['running', { resourceVersion: '7', conditions: conditions('Running') }, {}, []],
    ['done', { resourceVersion: '7', conditions: conditions('Succeeded') }, {}, []],
    ['failed before it began', { conditions: conditions('Failed') }, {}, []],
    [
      'at no revision any more',
      { conditions: conditions('Running') },
      { resourceVersion: '7' },
      [/^status.resourceVersion: Invalid value: "": field is immutable$/],
    ],
    [
      'at an odd revision',
      { resourceVersion: '07' },
      {},
      [/resource version is not well formed: 07$/],
    ],
    [
      'at another revision',
      { resourceVersion: '8' },
      { resourceVersion: '7' },
      [/^status.resourceVersion: Invalid value: "8": field is immutable$/],
    ],
    [
      'done and failed',
      { resourceVersion: '7', conditions: conditions('Succeeded', 'Failed') },
      {},
      [/Both success and failed/],
    ],
    [
      'done and running',
      { resourceVersion: '7', conditions: conditions('Succeeded', 'Running') },
      {},
      [/when success condition is true$/],
    ],
    [
      'failed and running',
      { resourceVersion: '7', conditions: conditions('Failed', 'Running') },
      {},
      [/when failed condition is true$/],
    ],
    [
      'no longer done',
      { resourceVersion: '7' },
      { resourceVersion: '7', conditions: conditions('Succeeded') },
      [/^status.conditions: .*Success condition cannot be set to false/],
    ],
    [
      'no longer failed',
      { resourceVersion: '7' },
      { resourceVersion: '7', conditions: conditions('Failed') },
      [/Failed condition cannot be set to false/],
    ],
  ];
  for (const [name, now, old, expected] of told)
    it(`told to be ${name}`, () => {
      const objects = [migration(deployments, now), migration(deployments, old)] as const;
      const { errors } = runUpdate(strategy, objects, 'status');
      assert.equal(errors.length, expected.length, errors.join('\n'));
      expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
    });

  it('say how far they are', () => {
    const row = (status: object) =>
      strategy.tableCells?.(
        runUpdate(strategy, [migration(deployments), migration(deployments, status)]).object,
        0,
      );
    assert.deepEqual(row({}), ['m', 'deployments.apps', 'Unknown']);
    assert.deepEqual(row({ conditions: conditions('Running') }), [
      'm',
      'deployments.apps',
      'Running',
    ]);
  });
});
