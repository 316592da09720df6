// Strategies of admissionregistration.k8s.io by resource.

import type { Strategy } from '../strategy.ts';
import { uncheckedExpressions, type ExpressionChecker } from '../validation/expression-checker.ts';
import { withReservedNames } from './reserved-names.ts';
import { createMutatingAdmissionPolicyStrategy } from './mutatingadmissionpolicies/strategy.ts';
import { mutatingAdmissionPolicyBindingStrategy } from './mutatingadmissionpolicybindings/strategy.ts';
import { createValidatingAdmissionPolicyStrategy } from './validatingadmissionpolicies/strategy.ts';
import { validatingAdmissionPolicyBindingStrategy } from './validatingadmissionpolicybindings/strategy.ts';
import {
  createMutatingWebhookStrategy,
  createValidatingWebhookStrategy,
} from './webhookconfigurations/strategy.ts';

export function createAdmissionregistrationStrategies(
  checker: ExpressionChecker,
): Readonly<Record<string, Strategy>> {
  const strategies: Readonly<Record<string, Strategy>> = {
    mutatingadmissionpolicies: createMutatingAdmissionPolicyStrategy(checker) as Strategy,
    mutatingadmissionpolicybindings: mutatingAdmissionPolicyBindingStrategy as Strategy,
    mutatingwebhookconfigurations: createMutatingWebhookStrategy(checker) as Strategy,
    validatingadmissionpolicies: createValidatingAdmissionPolicyStrategy(checker) as Strategy,
    validatingadmissionpolicybindings: validatingAdmissionPolicyBindingStrategy as Strategy,
    validatingwebhookconfigurations: createValidatingWebhookStrategy(checker) as Strategy,
  };
  return Object.fromEntries(
    Object.entries(strategies).map(([resource, strategy]) => [
      resource,
      withReservedNames(strategy),
    ]),
  );
}

/** Expressions are accepted as they are. */
export const admissionregistrationStrategies: Readonly<Record<string, Strategy>> =
  createAdmissionregistrationStrategies(uncheckedExpressions);
