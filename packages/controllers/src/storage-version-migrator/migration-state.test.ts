import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StorageVersionMigration } from '@keelson/apimachinery/types/storagemigration.k8s.io.v1beta1';
import { currentMigration, failed, running, succeeded } from './migration-state.ts';

function migration(
  name: string,
  minute: number,
  ...types: readonly string[]
): StorageVersionMigration {
  const creationTimestamp = `2026-01-01T00:0${minute}:00Z`;
  const conditions = types.map((type) => {
    const [of = '', status = 'True'] = type.split('=');
    return { type: of, status, reason: 'R', message: '', lastTransitionTime: creationTimestamp };
  });
  return {
    metadata: { name, creationTimestamp },
    spec: { resource: { group: '', resource: 'pods' } },
    status: { conditions },
  };
}

describe('the migration to work on', () => {
  const rows: readonly [what: string, all: readonly StorageVersionMigration[], name?: string][] = [
    ['none', []],
    ['the only one', [migration('a', 1)], 'a'],
    ['the oldest', [migration('a', 2), migration('b', 1)], 'b'],
    ['the first by name of those of one second', [migration('b', 1), migration('a', 1)], 'a'],
    ['what runs, before what is older', [migration('a', 1), migration('b', 2, 'Running')], 'b'],
    ['none that has succeeded', [migration('a', 1, 'Running=False', 'Succeeded')]],
    ['none that has failed', [migration('a', 1, 'Failed')]],
    ['the next one after those', [migration('a', 1, 'Failed'), migration('b', 2)], 'b'],
    ['one that did not succeed yet', [migration('a', 1, 'Succeeded=False')], 'a'],
    [
      'none that says both that it runs and that it has ended',
      [migration('a', 1, 'Running', 'Succeeded'), migration('b', 2)],
      'b',
    ],
  ];
  for (const [what, all, name] of rows)
    it(what, () => assert.equal(currentMigration(all)?.metadata.name, name));
});

describe('what a migration says', () => {
  const nowMs = Date.parse('2026-01-01T01:00:00Z');
  const begun = running(migration('a', 1), { resourceVersion: '7', nowMs });
  const typesOf = ({ status }: StorageVersionMigration) =>
    status?.conditions?.map(({ type, status: is }) => `${type}=${is}`);
  it('runs, from a resource version on', () => {
    assert.deepEqual(typesOf(begun), ['Running=True']);
    assert.equal(begun.status?.resourceVersion, '7');
  });
  it('runs no more when it has ended, and keeps its resource version', () => {
    assert.deepEqual(typesOf(succeeded(begun, nowMs)), ['Running=False', 'Succeeded=True']);
    const ended = failed(begun, { message: 'why', nowMs });
    assert.deepEqual(typesOf(ended), ['Running=False', 'Failed=True']);
    assert.equal(ended.status?.resourceVersion, '7');
  });
  it('never ran, and has failed', () =>
    assert.deepEqual(typesOf(failed(migration('a', 1), { message: 'why', nowMs })), [
      'Failed=True',
    ]));
});
