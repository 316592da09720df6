// Whether a user is a node: it is in the group `system:nodes` and its name is `system:node:<name>`.
// Either alone is not enough.

import type { UserInfo } from '../../authentication/authenticator.ts';

const nodesGroup = 'system:nodes';
const prefix = 'system:node:';

/** The name of the node, empty when it has none; undefined when the user is no node. */
export function nodeNameOf(user: UserInfo): string | undefined {
  if (!user.name.startsWith(prefix) || !user.groups.includes(nodesGroup)) return undefined;
  return user.name.slice(prefix.length);
}
