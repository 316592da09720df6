// NetworkPolicies.

import type { NetworkPolicy } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age, labelSelectorText } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { applyNetworkPolicyDefaults } from './defaults.ts';
import { networkPolicyWarnings, validateNetworkPolicy } from './validation.ts';

export const networkPolicyStrategy: Strategy<NetworkPolicy> = {
  applyDefaults: applyNetworkPolicyDefaults,
  prepareForCreate: startGeneration,
  prepareForUpdate(policy, old) {
    advanceGeneration(policy, old, !isSemanticallyEqual(policy.spec, old.spec));
  },
  validate: (policy, { features }) => validateNetworkPolicy(policy, undefined, features),
  warningsOnCreate: networkPolicyWarnings,
  validateUpdate: (policy, old, { features }) => validateNetworkPolicy(policy, old, features),
  warningsOnUpdate: networkPolicyWarnings,
  tableCells: (policy, nowMs) => [
    policy.metadata.name,
    labelSelectorText(policy.spec?.podSelector),
    age(policy, nowMs),
  ],
};
