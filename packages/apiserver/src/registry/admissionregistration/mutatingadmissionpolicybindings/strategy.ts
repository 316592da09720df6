// MutatingAdmissionPolicyBindings: where a policy changes objects.

import type { MutatingAdmissionPolicyBinding } from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { policyBindingStrategy } from '../bindings.ts';

export const mutatingAdmissionPolicyBindingStrategy =
  policyBindingStrategy<MutatingAdmissionPolicyBinding>();
