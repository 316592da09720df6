import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  compareLevels,
  formatLevelVersion,
  parseLevel,
  parseLevelVersion,
  parsePolicyVersion,
} from './level-version.ts';

describe('parsePolicyVersion', () => {
  for (const text of ['latest', 'v1.0', 'v1.9', 'v1.36', 'v1.999', 'v1.9223372036854775807']) {
    it(`accepts ${text}`, () => assert.equal(parsePolicyVersion(text), text));
  }
  const refused = [
    '',
    'Latest',
    'v1',
    'v1.',
    '1.30',
    'v1.030',
    'v1.00',
    'v2.1',
    'v0.1',
    'v1.30.1',
    'v1.-1',
    ' v1.1',
    'v1.1\n',
    'v1.9223372036854775808',
    'v1.99999999999999999999999999',
  ];
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parsePolicyVersion(text), undefined));
  }
});

describe('parseLevelVersion', () => {
  it('reads what formatLevelVersion writes', () => {
    for (const text of ['privileged:latest', 'baseline:v1.25', 'restricted:v1.0']) {
      assert.equal(formatLevelVersion(parseLevelVersion(text)), text);
    }
  });
  it('takes latest when no version is named', () => {
    assert.deepEqual(parseLevelVersion('baseline'), { level: 'baseline', version: 'latest' });
  });
  for (const text of [
    '',
    'Baseline',
    'base',
    ':latest',
    'restricted:',
    'restricted:1.2',
    'a:b:c',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseLevelVersion(text), RangeError);
    });
  }
});

describe('levels', () => {
  it('are ordered by strictness', () => {
    assert.ok(compareLevels('privileged', 'baseline') < 0);
    assert.ok(compareLevels('baseline', 'restricted') < 0);
    assert.ok(compareLevels('restricted', 'privileged') > 0);
    assert.equal(compareLevels('baseline', 'baseline'), 0);
  });
  it('are matched exactly', () => {
    assert.equal(parseLevel('restricted'), 'restricted');
    assert.equal(parseLevel('RESTRICTED'), undefined);
    assert.equal(parseLevel('toString'), undefined);
  });
});
