import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderFieldError, type KubeObject } from '@keelson/apimachinery';
import { createFeatures } from '../../features/create-features.ts';
import type { StrategyContext } from '../strategy.ts';
import { admissionregistrationStrategies } from './strategies.ts';

const why =
  'names ending with ".static.k8s.io" are reserved for static manifest-based configurations and cannot be managed via the API';
const invalid = `metadata.name: Invalid value: "a.static.k8s.io": ${why}`;
const warning = `metadata.name: ${why}`;

const contextOf = (emulatedVersion: string, isOn: boolean): StrategyContext => ({
  user: { name: 'u', uid: '', groups: [], extra: {} },
  nowMs: 0,
  dryRun: false,
  features: createFeatures({
    emulatedVersion,
    featureGates: isOn ? { ManifestBasedAdmissionControlConfig: true } : {},
  }),
});

describe('names that belong to files', () => {
  const rows = [
    { name: 'a.static.k8s.io', context: contextOf('1.36', true), refused: true, warned: true },
    { name: 'a.static.k8s.io', context: contextOf('1.36', false), refused: false, warned: true },
    { name: 'a.static.k8s.io', context: contextOf('1.35', false), refused: false, warned: false },
    { name: 'a.static.k8s.io.x', context: contextOf('1.36', true), refused: false, warned: false },
    { name: 'static.k8s.io', context: contextOf('1.36', true), refused: false, warned: false },
  ];
  for (const [resource, strategy] of Object.entries(admissionregistrationStrategies))
    for (const { name, context, refused, warned } of rows)
      it(`${resource} ${name} 1.${context.features.emulated.minor}, ${String(refused)}`, () => {
        const object = { metadata: { name }, spec: {} } as unknown as KubeObject;
        const about = (texts: readonly string[]) =>
          texts.filter((text) => text.startsWith('metadata.name'));
        const errors = (strategy.validate?.(object, context) ?? []).map(renderFieldError);
        const updateErrors = strategy.validateUpdate?.(object, object, context) ?? [];
        assert.deepEqual(about(errors), refused ? [invalid] : []);
        assert.deepEqual(about(updateErrors.map(renderFieldError)), []);
        const expected = warned ? [warning] : [];
        assert.deepEqual(strategy.warningsOnCreate?.(object, context), expected);
        assert.deepEqual(strategy.warningsOnUpdate?.(object, object, context), expected);
      });
});
