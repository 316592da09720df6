import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createFeatures,
  FeatureGateError,
  parseFeatureGates,
  type FeaturesOptions,
} from './create-features.ts';
import { allGateHistories, phaseAt } from './gate-history.ts';
import { gateHistories } from './gates.generated.ts';
import { correctedGateHistories, gateDependencies, retiredGateHistories } from './retired-gates.ts';

test('gates follow their stage by release', () => {
  const rows: [gate: string, version: string, enabled: boolean][] = [
    ['ConstrainedImpersonation', '1.34', false],
    ['ConstrainedImpersonation', '1.35', false],
    ['ConstrainedImpersonation', '1.36', true],
    ['AuthorizeNodeWithSelectors', '1.31', false],
    ['AuthorizeNodeWithSelectors', '1.32', true],
    ['TokenRequestServiceAccountUIDValidation', '1.33', false],
    ['TokenRequestServiceAccountUIDValidation', '1.34', true],
    ['AllowInsecureKubeletCertificateSigningRequests', '1.30', true],
    ['AllowInsecureKubeletCertificateSigningRequests', '1.31', false],
    ['LegacyServiceAccountTokenTracking', '1.26', false],
    ['LegacyServiceAccountTokenTracking', '1.36', true],
    ['UserNamespacesStatelessPodsSupport', '1.36', false],
    ['ServiceAccountTokenNodeBinding', '1.28', false],
  ];
  for (const [gate, emulatedVersion, enabled] of rows)
    assert.equal(
      createFeatures({ emulatedVersion }).enabled(gate),
      enabled,
      `${gate} ${emulatedVersion}`,
    );
});

test('settings change what the release lets one change', () => {
  const on = createFeatures({
    emulatedVersion: '1.35',
    featureGates: { ConstrainedImpersonation: true },
  });
  assert.equal(on.enabled('ConstrainedImpersonation'), true);
  const alpha = createFeatures({
    featureGates: { AllAlpha: true, AllowUnsafeMalformedObjectDeletion: false },
  });
  assert.equal(alpha.enabled('AllowUnsafeMalformedObjectDeletion'), false);
  assert.equal(alpha.enabled('ContainerStopSignals'), true);
  const beta = createFeatures({ featureGates: { AllBeta: false } });
  assert.equal(beta.enabled('ConstrainedImpersonation'), false);
});

test('settings that the release refuses', () => {
  const rows: [options: FeaturesOptions, text: string][] = [
    [{ featureGates: { NoSuchGate: true } }, 'unrecognized feature gate: NoSuchGate'],
    [
      { featureGates: { toString: true } as Record<string, boolean> },
      'unrecognized feature gate: toString',
    ],
    [{ featureGates: { KMSv2: true } }, 'unrecognized feature gate: KMSv2'],
    [
      { featureGates: { AuthorizeWithSelectors: false } },
      'cannot set feature gate AuthorizeWithSelectors to false, feature is locked to true',
    ],
    [
      { emulatedVersion: '1.30', featureGates: { AuthorizeWithSelectors: true } },
      'cannot set feature gate AuthorizeWithSelectors to true, feature is PreAlpha at emulated version 1.30',
    ],
    [
      { emulatedVersion: '1.32', featureGates: { AuthorizeWithSelectors: false } },
      'AuthorizeNodeWithSelectors is enabled, but depends on features that are disabled: [AuthorizeWithSelectors]',
    ],
    [{ emulatedVersion: '1.25' }, 'emulation version 1.25 is not between [1.26, 1.36]'],
    [{ emulatedVersion: '1.37' }, 'emulation version 1.37 is not between [1.26, 1.36]'],
    [{ emulatedVersion: 'latest' }, 'emulation version latest is not between [1.26, 1.36]'],
  ];
  for (const [options, text] of rows)
    assert.throws(
      () => createFeatures(options),
      (e) => e instanceof FeatureGateError && e.message === text,
      text,
    );
});

test('asking for a misspelt gate throws', () => {
  assert.throws(() => createFeatures().enabled('ConstrainedImpersonations'));
});

test('the flag form', () => {
  assert.deepEqual(parseFeatureGates('A=true, B = false'), { A: true, B: false });
  assert.throws(() => parseFeatureGates('A'), { message: 'missing bool value for A' });
  assert.throws(() => parseFeatureGates('A=yes'), {
    message: 'invalid value of A=yes, err: strconv.ParseBool: parsing "yes": invalid syntax',
  });
});

test('every history is readable, ordered and named once', () => {
  for (const [name, history] of Object.entries(allGateHistories)) {
    const minors = history.split(' ').map((word) => Number.parseInt(word, 10));
    assert.deepEqual(
      minors,
      [...minors].sort((a, b) => a - b),
      name,
    );
    phaseAt(history, 36);
  }
  for (const name of Object.keys(retiredGateHistories)) assert.ok(!(name in gateHistories), name);
  for (const name of Object.keys(correctedGateHistories)) assert.ok(name in gateHistories, name);
  for (const [name, needs] of Object.entries(gateDependencies))
    for (const gate of [name, ...needs]) assert.ok(gate in allGateHistories, gate);
  for (let minor = 26; minor <= 36; minor++) createFeatures({ emulatedVersion: `1.${minor}` });
});
