// The rules for a KubeSchedulerConfiguration as a whole. COMPAT: texts and order are kube-scheduler's.

import { fieldError, jsonEqual, type FieldError, type JsonValue } from '@keelson/apimachinery';
import { validateExtenders } from './extenders.ts';
import type { DecodedConfiguration, DecodedProfile } from './parse-configuration.ts';

export function validateConfiguration(configuration: DecodedConfiguration): FieldError[] {
  const {
    parallelism = 16,
    profiles = [],
    percentageOfNodesToScore = 0,
    podInitialBackoffSeconds: initial = 1,
    podMaxBackoffSeconds: max = 10,
  } = configuration;
  const errors: FieldError[] = [];
  const invalid = (path: string, value: unknown, why: string) =>
    void errors.push(fieldError.invalid(path, value, why));
  if (parallelism <= 0)
    invalid('parallelism', parallelism, 'should be an integer value greater than zero');
  errors.push(...validateProfiles(profiles));
  const percentage = 'not in valid range [0-100]';
  if (isNoPercentage(percentageOfNodesToScore))
    invalid('percentageOfNodesToScore', percentageOfNodesToScore, percentage);
  if (initial <= 0) invalid('podInitialBackoffSeconds', initial, 'must be greater than 0');
  if (max < initial)
    invalid(
      'podMaxBackoffSeconds',
      max,
      'must be greater than or equal to PodInitialBackoffSeconds',
    );
  errors.push(...validateExtenders(configuration.extenders ?? []));
  return errors;
}

function isNoPercentage(value: number): boolean {
  return value < 0 || value > 100;
}

function validateProfiles(profiles: readonly DecodedProfile[]): FieldError[] {
  if (profiles.length === 0) return [fieldError.required('profiles')];
  const errors: FieldError[] = [];
  const seen = new Map<string, number>();
  for (const [
    i,
    { schedulerName = '', percentageOfNodesToScore: share = 0 },
  ] of profiles.entries()) {
    const path = `profiles[${i}]`;
    if (schedulerName === '') errors.push(fieldError.required(`${path}.schedulerName`));
    if (isNoPercentage(share)) {
      const why = 'not in valid range [0-100]';
      errors.push(fieldError.invalid(`${path}.percentageOfNodesToScore`, share, why));
    }
    const first = seen.get(schedulerName);
    if (first !== undefined)
      errors.push(
        fieldError.duplicate(`${path}.schedulerName`, `profiles[${first}].schedulerName`),
      );
    seen.set(schedulerName, i);
  }
  const sortOf = ({ plugins }: DecodedProfile) => (plugins?.queueSort ?? null) as JsonValue;
  for (const [i, profile] of profiles.entries()) {
    if (jsonEqual(sortOf(profile), sortOf(profiles[0] ?? {}))) continue;
    const path = `profiles[${i}].plugins.queueSort`;
    errors.push(fieldError.invalid(path, sortOf(profile), 'has to match for all profiles'));
  }
  return errors;
}
