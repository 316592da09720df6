import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check, VersionedCheck } from './check.ts';
import { newestRelease } from './evaluate.ts';
import { checks, checksFor, findRegistryFaults } from './registry.ts';

const allow = () => undefined;
const version = (minimumVersion: number, overrides?: string[]): VersionedCheck =>
  overrides === undefined
    ? { minimumVersion, checkPod: allow }
    : { minimumVersion, checkPod: allow, overrides };
const check = (id: string, level: Check['level'], ...versions: VersionedCheck[]): Check => ({
  id,
  level,
  versions,
});

describe('registry', () => {
  it('lists baseline checks by id, then restricted checks by id', () => {
    const keys = checks.map(({ id, level }) => `${level} ${id}`);
    assert.deepEqual(keys, [...keys].sort());
    assert.deepEqual(findRegistryFaults(checks), []);
  });

  it('changes only in the versions in which the standards changed', () => {
    const shape = (level: 'baseline' | 'restricted', minor: number) => checksFor(level, minor);
    const changed = (level: 'baseline' | 'restricted') =>
      Array.from({ length: newestRelease }, (_, i) => i + 1).filter((minor) => {
        const before = shape(level, minor - 1);
        const after = shape(level, minor);
        return (
          before.length !== after.length ||
          before.some(({ checkPod }, i) => checkPod !== after[i]?.checkPod)
        );
      });
    assert.deepEqual(changed('baseline'), [19, 27, 29, 31, 32, 34, 35]);
    assert.deepEqual(changed('restricted'), [8, 19, 22, 23, 25, 27, 29, 31, 32, 34, 35]);
  });

  it('runs nothing for privileged', () => {
    assert.deepEqual(checksFor('privileged', newestRelease), []);
  });

  it('leaves out the baseline checks that restricted overrides in that version', () => {
    const ids = (minor: number) => checksFor('restricted', minor).map(({ id }) => id);
    assert.ok(ids(18).includes('seccompProfile_baseline'));
    assert.ok(!ids(19).includes('seccompProfile_baseline'));
    assert.ok(ids(21).includes('capabilities_baseline'));
    assert.ok(!ids(22).includes('capabilities_baseline'));
    assert.ok(ids(34).includes('procMount'));
    assert.ok(!ids(35).includes('procMount'));
    assert.ok(!ids(0).includes('hostPathVolumes'));
    assert.ok(checksFor('baseline', newestRelease).some(({ id }) => id === 'hostPathVolumes'));
  });

  const faulty: [string, Check[], RegExp][] = [
    [
      'same id',
      [check('a', 'baseline', version(0)), check('a', 'baseline', version(0))],
      /multiple/,
    ],
    ['no versions', [check('a', 'baseline')], /no versions/],
    ['repeated version', [check('a', 'baseline', version(1), version(1))], /strictly increasing/],
    ['falling version', [check('a', 'baseline', version(2), version(1))], /strictly increasing/],
    [
      'baseline overriding',
      [check('a', 'baseline', version(0, ['b'])), check('b', 'baseline', version(0))],
      /only restricted/,
    ],
    [
      'restricted overriding restricted',
      [check('a', 'restricted', version(0, ['b'])), check('b', 'restricted', version(0))],
      /not a baseline check/,
    ],
    [
      'overriding nothing',
      [check('a', 'restricted', version(0, ['gone']))],
      /not a baseline check/,
    ],
  ];
  for (const [name, list, fault] of faulty) {
    it(`finds fault with ${name}`, () => {
      assert.match(findRegistryFaults(list).join('\n'), fault);
    });
  }
});
