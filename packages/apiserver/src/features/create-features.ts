// Feature gates of the emulated release. `--feature-gates` may switch what the release lets one
// switch: not locked gates, not gates of later releases, not names that nobody knows. AllAlpha and
// AllBeta switch every gate of that stage that is not named itself.
// Law and texts: k8s.io/component-base/featuregate.

import { allGateHistories, phaseAt, type GateStage } from './gate-history.ts';
import { gateDependencies } from './retired-gates.ts';
import type { Features } from './features.ts';

/** Oldest and newest release that can be emulated, as minor numbers of 1.x. */
const emulatedMinorRange = { min: 26, max: 36 } as const;

/**
 * One or more settings that the emulated release refuses; `messages` has kube-apiserver's texts.
 */
export class FeatureGateError extends Error {
  readonly messages: readonly string[];
  constructor(messages: readonly string[]) {
    super(messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`);
    this.name = 'FeatureGateError';
    this.messages = messages;
  }
}

export interface FeaturesOptions {
  /** `1.33`; the newest release when absent. */
  readonly emulatedVersion?: string;
  /** As `--feature-gates`; `AllAlpha` and `AllBeta` are understood. */
  readonly featureGates?: Readonly<Record<string, boolean>>;
}

/** A gate as the emulated release has it, for the `kubernetes_feature_enabled` metric. */
export interface GateState {
  readonly name: string;
  readonly stage: GateStage;
  readonly enabled: boolean;
}

export interface FeaturesWithGates extends Features {
  /** All gates that the emulated release knows, by name. */
  gates(): readonly GateState[];
}

/** Throws FeatureGateError when a setting is not possible in the emulated release. */
export function createFeatures(options: FeaturesOptions = {}): FeaturesWithGates {
  const minor = parseMinor(options.emulatedVersion ?? `1.${emulatedMinorRange.max}`);
  const settings = options.featureGates ?? {};
  const defaults = new Map<string, boolean>();
  const stageOf = new Map<string, GateStage>();
  for (const [name, history] of Object.entries(allGateHistories)) {
    const phase = phaseAt(history, minor);
    defaults.set(name, phase?.default ?? false);
    if (phase?.stage !== undefined) stageOf.set(name, phase.stage);
  }
  const refused = refusedSettings(settings, minor);
  if (refused.length > 0) throw new FeatureGateError(refused);
  const values = new Map(defaults);
  for (const [name, stage] of stageOf) {
    const group = stage === 'ALPHA' ? 'AllAlpha' : stage === 'BETA' ? 'AllBeta' : undefined;
    const value = settings[name] ?? (group === undefined ? undefined : settings[group]);
    if (value !== undefined) values.set(name, value);
  }
  const missing = missingDependencies(values);
  if (missing.length > 0) throw new FeatureGateError(missing);
  return {
    emulated: { major: 1, minor },
    enabled(gate) {
      const value = values.get(gate);
      if (value === undefined) throw new Error(`feature gate ${gate} is not known`);
      return value;
    },
    gates: () =>
      [...stageOf]
        .map(([name, stage]) => ({ name, stage, enabled: values.get(name) === true }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** Accepts `Gate=true,Other=false`, as the flag does. Throws FeatureGateError for anything else. */
export function parseFeatureGates(text: string): Record<string, boolean> {
  const out: Record<string, boolean> = {};
  for (const part of text.split(',')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim();
    if (equals < 0) throw new FeatureGateError([`missing bool value for ${name}`]);
    const word = part.slice(equals + 1).trim();
    const value = booleanWords[word];
    if (value === undefined)
      throw new FeatureGateError([
        `invalid value of ${name}=${word}, err: strconv.ParseBool: parsing ${JSON.stringify(word)}: invalid syntax`,
      ]);
    out[name] = value;
  }
  return out;
}

// What Go's strconv.ParseBool takes.
const booleanWords: Readonly<Record<string, boolean>> = {
  1: true,
  t: true,
  T: true,
  true: true,
  True: true,
  TRUE: true,
  0: false,
  f: false,
  F: false,
  false: false,
  False: false,
  FALSE: false,
};

function parseMinor(version: string): number {
  const match = /^v?1\.(\d+)(?:\.\d+)?$/.exec(version);
  const minor = match === null ? Number.NaN : Number(match[1]);
  const { min, max } = emulatedMinorRange;
  if (!(minor >= min && minor <= max))
    throw new FeatureGateError([
      `emulation version ${version} is not between [1.${min}, 1.${max}]`,
    ]);
  return minor;
}

function refusedSettings(settings: Readonly<Record<string, boolean>>, minor: number): string[] {
  const errors: string[] = [];
  for (const [name, value] of Object.entries(settings)) {
    if (name === 'AllAlpha' || name === 'AllBeta') continue;
    const history = Object.hasOwn(allGateHistories, name) ? allGateHistories[name] : undefined;
    const phase = history === undefined ? undefined : phaseAt(history, minor);
    if (history === undefined || (phase !== undefined && phase.stage === undefined)) {
      errors.push(`unrecognized feature gate: ${name}`);
    } else if (phase === undefined) {
      errors.push(
        `cannot set feature gate ${name} to ${value}, feature is PreAlpha at emulated version 1.${minor}`,
      );
    } else if (phase.locked && phase.default !== value) {
      errors.push(
        `cannot set feature gate ${name} to ${value}, feature is locked to ${phase.default}`,
      );
    }
  }
  return errors;
}

function missingDependencies(values: ReadonlyMap<string, boolean>): string[] {
  const errors: string[] = [];
  for (const [gate, needs] of Object.entries(gateDependencies)) {
    if (values.get(gate) !== true) continue;
    const off = needs.filter((name) => values.get(name) !== true).sort();
    if (off.length > 0)
      errors.push(
        `${gate} is enabled, but depends on features that are disabled: [${off.join(' ')}]`,
      );
  }
  return errors;
}
