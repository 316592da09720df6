// What the six `pod-security.kubernetes.io/*` labels of a namespace mean.
//
// A label overrides the cluster default of its mode. A label that cannot be read is reported and
// degrades: `enforce` to restricted (it fails closed), `audit` and `warn` to privileged (they only
// inform), any version to latest. A namespace without a `warn` label warns at least at the level
// that a valid `enforce` label names, so that authors of workloads learn what their pods will meet.

import { invalidField, type FieldError } from './field-error.ts';
import {
  compareLevels,
  isSameLevelVersion,
  levelRule,
  parseLevel,
  parsePolicyVersion,
  versionRule,
  type Level,
  type LevelVersion,
  type PolicyVersion,
} from './level-version.ts';

export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

export type PolicyMode = keyof Policy;

export const policyModes: readonly PolicyMode[] = ['enforce', 'audit', 'warn'];

export const labelPrefix = 'pod-security.kubernetes.io/';

export type Labels = Readonly<Record<string, string | undefined>>;

const privilegedLatest: LevelVersion = Object.freeze({ level: 'privileged', version: 'latest' });

/** What holds without labels and without configuration. */
export const privilegedPolicy: Policy = Object.freeze({
  enforce: privilegedLatest,
  audit: privilegedLatest,
  warn: privilegedLatest,
});

export interface ParsedPolicy {
  /** Always usable: unreadable labels have degraded as described above. */
  readonly policy: Policy;
  readonly errors: readonly FieldError[];
}

/** The policy that the labels ask for; never throws. `defaults` hold for absent labels. */
export function parsePolicyLabels(
  labels: Labels | null | undefined,
  defaults: Policy = privilegedPolicy,
): ParsedPolicy {
  if (labels === undefined || labels === null) return { policy: defaults, errors: [] };
  const errors: FieldError[] = [];
  const enforce = parseMode(labels, { mode: 'enforce', fallback: 'restricted' }, defaults, errors);
  const audit = parseMode(labels, { mode: 'audit', fallback: 'privileged' }, defaults, errors);
  const warn = parseMode(labels, { mode: 'warn', fallback: 'privileged' }, defaults, errors);
  const policy = { enforce, audit, warn: inheritWarn(labels, enforce, warn) };
  return { policy, errors };
}

/** True when no mode can find anything, so that no pod needs to be looked at. */
export function isFullyPrivileged(policy: Policy): boolean {
  return policyModes.every((mode) => policy[mode].level === 'privileged');
}

/** True when both policies decide alike; the version of `privileged` means nothing. */
export function isEquivalentPolicy(a: Policy, b: Policy): boolean {
  return policyModes.every(
    (mode) =>
      isSameLevelVersion(a[mode], b[mode]) ||
      (a[mode].level === 'privileged' && b[mode].level === 'privileged'),
  );
}

function parseMode(
  labels: Labels,
  { mode, fallback }: { mode: PolicyMode; fallback: Level },
  defaults: Policy,
  errors: FieldError[],
): LevelVersion {
  let level: Level = defaults[mode].level;
  let version: PolicyVersion = defaults[mode].version;
  const levelKey = `${labelPrefix}${mode}`;
  const levelText = labels[levelKey];
  if (levelText !== undefined) {
    const parsed = parseLevel(levelText);
    if (parsed === undefined) errors.push(labelError(levelKey, levelText, levelRule));
    level = parsed ?? fallback;
  }
  const versionKey = `${levelKey}-version`;
  const versionText = labels[versionKey];
  if (versionText !== undefined) {
    const parsed = parsePolicyVersion(versionText);
    if (parsed === undefined) errors.push(labelError(versionKey, versionText, versionRule));
    version = parsed ?? 'latest';
  }
  return { level, version };
}

function inheritWarn(labels: Labels, enforce: LevelVersion, warn: LevelVersion): LevelVersion {
  const enforceText = labels[`${labelPrefix}enforce`];
  if (enforceText === undefined || parseLevel(enforceText) === undefined) return warn;
  if (labels[`${labelPrefix}warn`] !== undefined) return warn;
  if (compareLevels(enforce.level, warn.level) <= 0) return warn;
  const keepsVersion = labels[`${labelPrefix}warn-version`] !== undefined;
  return { level: enforce.level, version: keepsVersion ? warn.version : enforce.version };
}

function labelError(key: string, value: string, rule: string): FieldError {
  return invalidField(`metadata.labels[${key}]`, value, rule);
}
