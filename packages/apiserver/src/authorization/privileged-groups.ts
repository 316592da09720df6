// Members of `system:masters` may do everything, before any other authorizer is asked, so that no
// webhook or policy can lock an administrator out. Membership comes from the credential only: it is
// never granted by an object in the cluster.

import type { Authorizer } from './authorizer.ts';

export const privilegedGroup = 'system:masters';

/** Allows the members of `groups`; has no opinion on anybody else. */
export function createPrivilegedGroupsAuthorizer(
  groups: readonly string[] = [privilegedGroup],
): Authorizer {
  const name = 'privileged-groups';
  return {
    name,
    authorize(user, _attributes, trace) {
      const group = groups.find((g) => user.groups.includes(g));
      if (group === undefined) return { decision: 'no-opinion', reason: '' };
      if (trace.enabled)
        trace.record({
          stage: 'authorization',
          by: name,
          outcome: 'allow',
          reason: `the caller is in the group ${group}`,
          detail: { group },
        });
      return { decision: 'allow', reason: '' };
    },
  };
}
