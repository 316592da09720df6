// ValidatingAdmissionPolicyBindings: what a policy does where.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { ValidatingAdmissionPolicyBinding } from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { oneOf, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { paramRefText, validateBindingSpec } from '../bindings.ts';
import { defaultMatchResources } from '../match-resources.ts';

export const validatingAdmissionPolicyBindingStrategy: Strategy<ValidatingAdmissionPolicyBinding> =
  {
    applyDefaults: ({ spec }) => defaultMatchResources(spec.matchResources),
    prepareForCreate: startGeneration,
    prepareForUpdate: (binding, old) =>
      advanceGeneration(binding, old, !isSemanticallyEqual(binding.spec, old.spec)),
    validate: validateBinding,
    validateUpdate: validateBinding,
    allowUnconditionalUpdate: false,
    allowsBareFinalizers: true,
    tableCells: (binding, nowMs) => [
      binding.metadata.name,
      binding.spec.policyName,
      paramRefText(binding.spec.paramRef),
      age(binding, nowMs),
    ],
  };

function validateBinding({ spec }: ValidatingAdmissionPolicyBinding): FieldError[] {
  const errors: Errors = [];
  validateBindingSpec(errors, spec);
  validateActions(errors, 'spec.validationActions', spec.validationActions ?? []);
  return errors;
}

const actions: readonly string[] = ['Audit', 'Deny', 'Warn'];

function validateActions(errors: Errors, path: string, list: readonly string[]): void {
  list.forEach((action, i) => {
    oneOf(errors, `${path}[${i}]`, action, actions);
    if (list.indexOf(action) < i) errors.push(fieldError.duplicate(`${path}[${i}]`, action));
  });
  if (list.includes('Deny') && list.includes('Warn')) {
    const why =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(fieldError.invalid(path, list, why));
  }
  if (list.length === 0) {
    errors.push(fieldError.required(path, 'at least one validation action is required'));
  }
}
