// MutatingAdmissionPolicyBindings: where a policy changes objects.

import type { FieldError } from '@keelson/apimachinery';
import type { MutatingAdmissionPolicyBinding } from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { paramRefText, validateBindingSpec } from '../bindings.ts';
import { defaultMatchResources } from '../match-resources.ts';

export const mutatingAdmissionPolicyBindingStrategy: Strategy<MutatingAdmissionPolicyBinding> = {
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

function validateBinding({ spec }: MutatingAdmissionPolicyBinding): FieldError[] {
  const errors: FieldError[] = [];
  validateBindingSpec(errors, spec);
  return errors;
}
