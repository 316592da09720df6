// Tolerations, topology spread, and gates that keep a pod from being scheduled.

import { fieldError } from '@keelson/apimachinery';
import type {
  PodReadinessGate,
  PodSchedulingGate,
  Toleration,
  TopologySpreadConstraint,
} from '@keelson/apimachinery/types/core.v1';
import { conforms, oneOf, type Errors } from '../../validation/checks.ts';
import { labelSelector } from '../../validation/labels.ts';
import { labelValue, qualifiedName } from '../../validation/names.ts';
import { repeatedKeys } from './affinity.ts';
import type { PodSpecOptions, PodSpecScope } from './scope.ts';

type SchedulingScope = Pick<PodSpecScope, 'options'>;
interface TolerationScope {
  readonly options: Pick<PodSpecOptions, 'allowTolerationComparison'>;
}

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function tolerations(
  errors: Errors,
  path: string,
  list: readonly Toleration[] | undefined,
  scope: TolerationScope,
): void {
  list?.forEach((value, i) => toleration(errors, `${path}[${i}]`, value, scope));
}

function toleration(
  errors: Errors,
  path: string,
  value: Toleration,
  { options }: TolerationScope,
): void {
  const { key = '', operator = '', value: text = '', effect = '' } = value;
  if (key !== '') conforms(errors, `${path}.key`, key, qualifiedName);
  if (key === '' && operator !== 'Exists') {
    const why =
      'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(fieldError.invalid(`${path}.operator`, operator, why));
  }
  if (value.tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    errors.push(fieldError.invalid(`${path}.effect`, effect, why));
  }
  // COMPAT: problems of the value are reported at the operator.
  const at = `${path}.operator`;
  if (operator === '' || operator === 'Equal') {
    const sentences = labelValue(text);
    if (sentences.length > 0) errors.push(fieldError.invalid(at, text, sentences.join(';')));
  } else if (operator === 'Exists') {
    if (text !== '') {
      const why = "value must be empty when `operator` is 'Exists'";
      errors.push(fieldError.invalid(at, text, why));
    }
  } else if ((operator === 'Lt' || operator === 'Gt') && options.allowTolerationComparison) {
    if (!/^(0|-?[1-9][0-9]{0,18})$/.test(text)) {
      const why = `value must be a valid integer when \`operator\` is '${operator}'`;
      errors.push(fieldError.invalid(`${path}.value`, text, why));
    }
  } else {
    const supported = options.allowTolerationComparison
      ? ['Equal', 'Exists', 'Lt', 'Gt']
      : ['Equal', 'Exists'];
    errors.push(fieldError.notSupported(at, operator, supported));
  }
  if (effect !== '') oneOf(errors, `${path}.effect`, effect, taintEffects);
}

export function topologySpread(
  errors: Errors,
  path: string,
  constraints: readonly TopologySpreadConstraint[] | undefined,
  scope: SchedulingScope,
): void {
  constraints?.forEach((constraint, i) => {
    const at = `${path}[${i}]`;
    const { topologyKey, whenUnsatisfiable } = constraint;
    if (constraint.maxSkew <= 0) {
      errors.push(fieldError.invalid(`${at}.maxSkew`, constraint.maxSkew, notPositive));
    }
    if (topologyKey === '') {
      errors.push(fieldError.required(`${at}.topologyKey`, 'can not be empty'));
    }
    oneOf(errors, `${at}.whenUnsatisfiable`, whenUnsatisfiable, [
      'DoNotSchedule',
      'ScheduleAnyway',
    ]);
    const isRepeated = constraints
      .slice(i + 1)
      .some((c) => c.topologyKey === topologyKey && c.whenUnsatisfiable === whenUnsatisfiable);
    if (isRepeated) {
      const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
      errors.push(fieldError.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
    }
    minDomains(errors, `${at}.minDomains`, constraint);
    for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const policy = constraint[field];
      if (policy !== undefined) oneOf(errors, `${at}.${field}`, policy, ['Honor', 'Ignore']);
    }
    matchLabelKeys(errors, `${at}.matchLabelKeys`, constraint, scope);
    if (!scope.options.allowInvalidTopologySpreadSelector) {
      labelSelector(errors, `${at}.labelSelector`, constraint.labelSelector);
    }
  });
}

const notPositive = 'must be greater than zero';

function minDomains(errors: Errors, path: string, constraint: TopologySpreadConstraint): void {
  const { minDomains: value, whenUnsatisfiable } = constraint;
  if (value === undefined) return;
  if (value <= 0) errors.push(fieldError.invalid(path, value, notPositive));
  if (whenUnsatisfiable !== 'DoNotSchedule') {
    const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
    errors.push(fieldError.invalid(path, value, why));
  }
}

function matchLabelKeys(
  errors: Errors,
  path: string,
  constraint: TopologySpreadConstraint,
  { options }: SchedulingScope,
): void {
  const { matchLabelKeys: keys = [], labelSelector: selector } = constraint;
  if (keys.length === 0) return;
  if (!selector) {
    const why = 'must not be specified when labelSelector is not set';
    errors.push(fieldError.forbidden(path, why));
  }
  const merged = options.allowMatchLabelKeysInTopologySpreadSelector;
  const inSelector = new Set([
    ...Object.keys(selector?.matchLabels ?? {}),
    ...(selector?.matchExpressions ?? []).map((e) => e.key),
  ]);
  keys.forEach((key, i) => {
    conforms(errors, `${path}[${i}]`, key, qualifiedName);
    if (merged || !inSelector.has(key)) return;
    const why = 'exists in both matchLabelKeys and labelSelector';
    errors.push(fieldError.invalid(`${path}[${i}]`, key, why));
  });
  if (merged) repeatedKeys(errors, path, keys, selector);
}

export function readinessGates(
  errors: Errors,
  path: string,
  gates: readonly PodReadinessGate[] | undefined,
): void {
  gates?.forEach(({ conditionType }, i) => {
    conforms(errors, `${path}[${i}].conditionType`, conditionType, qualifiedName);
  });
}

export function schedulingGates(
  errors: Errors,
  path: string,
  gates: readonly PodSchedulingGate[] | undefined,
): void {
  const seen = new Set<string>();
  gates?.forEach(({ name }, i) => {
    conforms(errors, `${path}[${i}]`, name, qualifiedName);
    if (seen.has(name)) errors.push(fieldError.duplicate(`${path}[${i}]`, name));
    seen.add(name);
  });
}
