// ValidatingAdmissionPolicyBindings: what a policy does where.

import { fieldError } from '@keelson/apimachinery';
import type { ValidatingAdmissionPolicyBinding } from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { oneOf, type Errors } from '../../validation/checks.ts';
import { policyBindingStrategy } from '../bindings.ts';

export const validatingAdmissionPolicyBindingStrategy =
  policyBindingStrategy<ValidatingAdmissionPolicyBinding>((errors, { spec }) =>
    validateActions(errors, 'spec.validationActions', spec.validationActions ?? []),
  );

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
