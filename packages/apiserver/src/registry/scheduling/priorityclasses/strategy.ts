// PriorityClasses. Names that start with `system-` and values above a billion are for the system.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { PriorityClass } from '@keelson/apimachinery/types/scheduling.k8s.io.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { requiredOneOf } from '../../validation/checks.ts';

const systemPrefix = 'system-';
const userPriorityMax = 1_000_000_000;
/** The classes that the server makes itself, with their values. */
const systemClasses = new Map([
  ['system-node-critical', 2_000_001_000],
  ['system-cluster-critical', 2_000_000_000],
]);
const preemptionPolicies = ['PreemptLowerPriority', 'Never'];

export const priorityClassStrategy: Strategy<PriorityClass> = {
  applyDefaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
  },
  prepareForCreate: startGeneration,
  prepareForUpdate(priorityClass, old) {
    advanceGeneration(priorityClass, old, false);
  },
  validate: validatePriorityClass,
  validateUpdate(priorityClass, old) {
    const errors: FieldError[] = [];
    if (priorityClass.value !== old.value) {
      const why = 'may not be changed in an update.';
      errors.push(fieldError.forbidden('value', why));
    }
    if (priorityClass.preemptionPolicy !== old.preemptionPolicy) {
      const policy = priorityClass.preemptionPolicy;
      errors.push(fieldError.invalid('preemptionPolicy', policy, 'field is immutable'));
    }
    return errors;
  },
  tableCells: (priorityClass, nowMs) => [
    priorityClass.metadata.name,
    priorityClass.value,
    priorityClass.globalDefault ?? false,
    age(priorityClass, nowMs),
    priorityClass.preemptionPolicy ?? '',
  ],
};

function validatePriorityClass(priorityClass: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata, value = 0, preemptionPolicy } = priorityClass;
  if (metadata.name?.startsWith(systemPrefix)) {
    const problem = systemClassProblem(priorityClass, metadata.name);
    if (problem !== undefined) {
      const why = `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${problem}`;
      errors.push(fieldError.forbidden('metadata.name', why));
    }
  } else if (value > userPriorityMax) {
    const why = `maximum allowed value of a user defined priority is ${userPriorityMax}`;
    errors.push(fieldError.forbidden('value', why));
  }
  if (preemptionPolicy !== undefined) {
    requiredOneOf(errors, 'preemptionPolicy', preemptionPolicy, preemptionPolicies);
  }
  return errors;
}

function systemClassProblem(
  { value, globalDefault }: PriorityClass,
  name: string,
): string | undefined {
  const known = systemClasses.get(name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}
