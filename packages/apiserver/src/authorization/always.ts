// The two authorizers without a policy: everybody may do everything, and nobody may do anything.

import type { Authorizer, RuleResolver } from './authorizer.ts';

/** Mode AlwaysAllow, for tests and for a server that nobody else can reach. */
export function createAlwaysAllowAuthorizer(): Authorizer & RuleResolver {
  const name = 'AlwaysAllow';
  return {
    name,
    authorize(_user, _attributes, trace) {
      if (trace.enabled)
        trace.record({ stage: 'authorization', by: name, outcome: 'allow', reason: 'always' });
      return { decision: 'allow', reason: '' };
    },
    rulesFor: async () => ({
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: false,
      evaluationError: '',
    }),
  };
}

/**
 * Mode AlwaysDeny. COMPAT: it has no opinion rather than denying, so that later modes are asked.
 */
export function createAlwaysDenyAuthorizer(): Authorizer & RuleResolver {
  const name = 'AlwaysDeny';
  const reason = 'Everything is forbidden.';
  return {
    name,
    authorize(_user, _attributes, trace) {
      if (trace.enabled)
        trace.record({ stage: 'authorization', by: name, outcome: 'no-opinion', reason });
      return { decision: 'no-opinion', reason };
    },
    rulesFor: async () => ({
      resourceRules: [],
      nonResourceRules: [],
      incomplete: false,
      evaluationError: '',
    }),
  };
}
