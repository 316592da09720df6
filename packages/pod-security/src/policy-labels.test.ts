import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderFieldErrors } from './field-error.ts';
import { formatLevelVersion, parseLevelVersion } from './level-version.ts';
import {
  isEquivalentPolicy,
  isFullyPrivileged,
  labelPrefix,
  parsePolicyLabels,
  policyModes,
  privilegedPolicy,
  type Policy,
} from './policy-labels.ts';

function policyOf(enforce: string, audit: string, warn: string): Policy {
  return {
    enforce: parseLevelVersion(enforce),
    audit: parseLevelVersion(audit),
    warn: parseLevelVersion(warn),
  };
}

function labelsOf(short: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(short).map(([key, value]) => [`${labelPrefix}${key}`, value]),
  );
}

interface Row {
  readonly labels: Record<string, string>;
  readonly defaults?: Policy;
  readonly expected: [enforce: string, audit: string, warn: string];
  readonly errors?: string[];
}

const levelRule = 'must be one of privileged, baseline, restricted';
const versionRule = 'must be "latest" or "v1.x"';

const rows: Record<string, Row> = {
  'no labels': { labels: {}, expected: ['privileged', 'privileged', 'privileged'] },
  'defaults for what is absent': {
    labels: { audit: 'baseline' },
    defaults: policyOf('baseline:v1.1', 'restricted:v1.2', 'restricted:v1.3'),
    expected: ['baseline:v1.1', 'baseline:v1.2', 'restricted:v1.3'],
  },
  'all labels': {
    labels: {
      enforce: 'baseline',
      'enforce-version': 'v1.20',
      audit: 'restricted',
      'audit-version': 'v1.21',
      warn: 'privileged',
      'warn-version': 'latest',
    },
    expected: ['baseline:v1.20', 'restricted:v1.21', 'privileged'],
  },
  'warn follows enforce with its version': {
    labels: { enforce: 'restricted', 'enforce-version': 'v1.22' },
    expected: ['restricted:v1.22', 'privileged', 'restricted:v1.22'],
  },
  'warn follows enforce but keeps its own version': {
    labels: { enforce: 'restricted', 'enforce-version': 'v1.22', 'warn-version': 'v1.30' },
    expected: ['restricted:v1.22', 'privileged', 'restricted:v1.30'],
  },
  'warn stays when it is stricter': {
    labels: { enforce: 'baseline' },
    defaults: policyOf('privileged', 'privileged', 'restricted:v1.9'),
    expected: ['baseline', 'privileged', 'restricted:v1.9'],
  },
  'warn does not follow a default': {
    labels: { 'enforce-version': 'v1.22' },
    defaults: policyOf('restricted', 'privileged', 'privileged'),
    expected: ['restricted:v1.22', 'privileged', 'privileged'],
  },
  'an explicit warn stays': {
    labels: { enforce: 'restricted', warn: 'privileged' },
    expected: ['restricted', 'privileged', 'privileged'],
  },
  'a bad enforce fails closed and warn does not follow': {
    labels: { enforce: 'Restricted' },
    expected: ['restricted', 'privileged', 'privileged'],
    errors: [`metadata.labels[${labelPrefix}enforce]: Invalid value: "Restricted": ${levelRule}`],
  },
  'an empty enforce fails closed': {
    labels: { enforce: '' },
    expected: ['restricted', 'privileged', 'privileged'],
    errors: [`metadata.labels[${labelPrefix}enforce]: Invalid value: "": ${levelRule}`],
  },
  'bad audit and warn fail open': {
    labels: { enforce: 'restricted', audit: 'x', warn: 'y' },
    defaults: policyOf('privileged', 'restricted', 'restricted'),
    expected: ['restricted', 'privileged', 'privileged'],
    errors: [
      `metadata.labels[${labelPrefix}audit]: Invalid value: "x": ${levelRule}`,
      `metadata.labels[${labelPrefix}warn]: Invalid value: "y": ${levelRule}`,
    ],
  },
  'bad versions mean latest': {
    labels: {
      enforce: 'baseline',
      'enforce-version': '1.30',
      'audit-version': 'v2.0',
      'warn-version': 'v1.030',
    },
    defaults: policyOf('baseline:v1.1', 'restricted:v1.2', 'restricted:v1.3'),
    expected: ['baseline', 'restricted', 'restricted'],
    errors: [
      `metadata.labels[${labelPrefix}enforce-version]: Invalid value: "1.30": ${versionRule}`,
      `metadata.labels[${labelPrefix}audit-version]: Invalid value: "v2.0": ${versionRule}`,
      `metadata.labels[${labelPrefix}warn-version]: Invalid value: "v1.030": ${versionRule}`,
    ],
  },
  'other labels mean nothing': {
    labels: { Enforce: 'restricted', enforced: 'restricted' },
    expected: ['privileged', 'privileged', 'privileged'],
  },
};

describe('parsePolicyLabels', () => {
  for (const [name, { labels, defaults, expected, errors = [] }] of Object.entries(rows)) {
    it(name, () => {
      const parsed = parsePolicyLabels(labelsOf(labels), defaults);
      assert.deepEqual(
        policyModes.map((mode) => formatLevelVersion(parsed.policy[mode])),
        expected.map((text) => formatLevelVersion(parseLevelVersion(text))),
      );
      assert.deepEqual(
        parsed.errors.map((error) => renderFieldErrors([error])),
        errors,
      );
    });
  }

  it('takes absent labels as they are', () => {
    for (const none of [undefined, null]) {
      assert.deepEqual(parsePolicyLabels(none), { policy: privilegedPolicy, errors: [] });
    }
  });
});

describe('policies', () => {
  it('are fully privileged only in all modes', () => {
    assert.ok(isFullyPrivileged(policyOf('privileged:v1.3', 'privileged', 'privileged')));
    assert.ok(!isFullyPrivileged(policyOf('privileged', 'privileged', 'baseline')));
  });
  it('are equivalent whatever the version of privileged', () => {
    const policy = policyOf('privileged:v1.3', 'baseline:v1.2', 'restricted');
    assert.ok(isEquivalentPolicy(policy, policyOf('privileged', 'baseline:v1.2', 'restricted')));
    assert.ok(!isEquivalentPolicy(policy, policyOf('privileged', 'baseline', 'restricted')));
  });
});
