import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCreate, runUpdate } from '../testing/run-strategy.ts';
import {
  compareSemanticVersions,
  parseSemanticVersion,
} from './leasecandidates/semantic-version.ts';
import { coordinationStrategies } from './strategies.ts';

const { leasecandidates: strategy = {} } = coordinationStrategies;
const good = { leaseName: 'l', binaryVersion: '1.36.0', strategy: 'example.com/First' };
const candidate = (spec: object) => ({
  apiVersion: 'coordination.k8s.io/v1beta1',
  kind: 'LeaseCandidate',
  metadata: { name: 'c' },
  spec: { ...good, ...spec },
});
const oldest = 'OldestEmulationVersion';

describe('lease candidates', () => {
  const rows: readonly [name: string, spec: object, errors: string[]][] = [
    ['with a strategy of their own', {}, []],
    ['the oldest first', { strategy: oldest, emulationVersion: '1.35.0' }, []],
    ['for no lease', { leaseName: '' }, ['spec.leaseName: Required value']],
    ['of no version', { binaryVersion: '' }, ['spec.binaryVersion: Required value']],
    [
      'of two numbers',
      { binaryVersion: '1.36' },
      ['spec.binaryVersion: Invalid value: "1.36": must be a valid semantic version'],
    ],
    [
      'older than what they emulate',
      { emulationVersion: '1.37.0' },
      [
        'spec.binaryVersion: Invalid value: "1.36.0": must be greater than or equal to `emulationVersion`',
      ],
    ],
    [
      'the oldest of nothing',
      { strategy: oldest },
      [
        "spec.emulationVersion: Required value: must be specified when `strategy` is 'OldestEmulationVersion'",
      ],
    ],
    ['without a strategy', { strategy: '' }, ['spec.strategy: Required value']],
    [
      'with an unknown one',
      { strategy: 'Youngest' },
      ['spec.strategy: Unsupported value: "Youngest": supported values: "OldestEmulationVersion"'],
    ],
  ];
  for (const [name, spec, errors] of rows)
    it(name, () => assert.deepEqual(runCreate(strategy, candidate(spec)).errors, errors));

  it('stay with their lease', () => {
    const { errors } = runUpdate(strategy, [candidate({ leaseName: 'm' }), candidate({})]);
    assert.deepEqual(errors, ['spec.leaseName: Invalid value: "m": field is immutable']);
  });
});

describe('semantic versions', () => {
  const order = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.10',
    '1.2.0',
    '10.0.0',
  ];
  it('have the order of semver.org', () => {
    const versions = order.map((text) => {
      const version = parseSemanticVersion(text);
      assert.ok(version, text);
      return version;
    });
    for (const [i, a] of versions.entries())
      for (const [j, b] of versions.entries())
        assert.equal(
          Math.sign(compareSemanticVersions(a, b)),
          Math.sign(i - j),
          `${order[i]} ${order[j]}`,
        );
  });
  for (const text of ['1.0.0+build.1', '1.36.0-alpha-1'])
    it(`${text} is one`, () => assert.ok(parseSemanticVersion(text)));
  for (const text of [
    '',
    '1',
    '1.2',
    'v1.2.3',
    '01.2.3',
    '1.2.3-',
    '1.2.3-01',
    '1.2.3+',
    '1.2.3 ',
    `1.2.3-${'a'.repeat(300)}`,
  ])
    it(`${text.slice(0, 10)} is none`, () => assert.equal(parseSemanticVersion(text), undefined));
});
