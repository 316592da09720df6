// Puts the authorizers together: members of `system:masters` first, then the modes in the order of
// `--authorization-mode`. A mode that is not named is not asked.

import type { Features } from '../features/features.ts';
import { createAbacAuthorizer } from './abac.ts';
import { createAlwaysAllowAuthorizer, createAlwaysDenyAuthorizer } from './always.ts';
import type { Authorizer, RuleResolver } from './authorizer.ts';
import { createBrowserSafeAuthorizer } from './browser-safe.ts';
import { createNodeAuthorizer } from './node/node-authorizer.ts';
import { createNodeGraph, type NodeGraphObjects } from './node/node-graph.ts';
import { createPrivilegedGroupsAuthorizer } from './privileged-groups.ts';
import {
  createRbacAuthorizer,
  type RbacAuthorizer,
  type RbacObjects,
} from './rbac/rbac-authorizer.ts';
import { createUnionAuthorizer, createUnionRuleResolver } from './union.ts';

export const authorizationModes = ['Node', 'RBAC', 'ABAC', 'AlwaysAllow', 'AlwaysDeny'] as const;
export type AuthorizationMode = (typeof authorizationModes)[number];

export interface AuthorizationOptions {
  /** `Node,RBAC` unless said otherwise. */
  readonly modes?: readonly AuthorizationMode[];
  readonly objects: RbacObjects & NodeGraphObjects;
  readonly features: Features;
  /** Text of `--authorization-policy-file`, for mode ABAC. */
  readonly abacPolicy?: string;
  /**
   * Callers without `system:authenticated` need `unsafeproxy` where RBAC has `proxy` (see
   * `browser-safe.ts`). On unless said otherwise.
   */
  readonly browserSafe?: boolean;
}

export interface Authorization {
  readonly authorizer: Authorizer;
  /** For SelfSubjectRulesReview. */
  readonly rules: RuleResolver;
  /** Follows the RBAC objects in every mode, because writing them is guarded in every mode. */
  readonly rbac: RbacAuthorizer;
  /** Ends all subscriptions. */
  close(): void;
}

/** Throws for modes that do not go together and for an unreadable ABAC policy. */
export function createAuthorization(options: AuthorizationOptions): Authorization {
  const { objects, features, modes = ['Node', 'RBAC'], browserSafe = true } = options;
  assertModes(modes, options.abacPolicy);
  const rbac = createRbacAuthorizer(objects);
  const graph = modes.includes('Node') ? createNodeGraph(objects) : undefined;
  const parts = modes.map((mode): { authorizer: Authorizer; rules: RuleResolver } => {
    const same = (both: Authorizer & RuleResolver) => ({ authorizer: both, rules: both });
    switch (mode) {
      case 'Node':
        if (graph === undefined) throw new Error('the node graph is missing');
        return same(createNodeAuthorizer({ graph, features }));
      case 'RBAC':
        return { authorizer: browserSafe ? createBrowserSafeAuthorizer(rbac) : rbac, rules: rbac };
      case 'ABAC':
        return same(createAbacAuthorizer(options.abacPolicy ?? ''));
      case 'AlwaysAllow':
        return same(createAlwaysAllowAuthorizer());
      case 'AlwaysDeny':
        return same(createAlwaysDenyAuthorizer());
    }
  });
  return {
    authorizer: createUnionAuthorizer([
      createPrivilegedGroupsAuthorizer(),
      ...parts.map((part) => part.authorizer),
    ]),
    rules: createUnionRuleResolver(parts.map((part) => part.rules)),
    rbac,
    close() {
      rbac.close();
      graph?.close();
    },
  };
}

/** Kubernetes' texts for `--authorization-mode`. */
function assertModes(modes: readonly string[], abacPolicy: string | undefined): void {
  if (modes.length === 0) throw new Error('at least one authorization-mode must be passed');
  const known: readonly string[] = authorizationModes;
  for (const mode of modes)
    if (!known.includes(mode))
      throw new Error(`authorization-mode ${JSON.stringify(mode)} is not a valid mode`);
  if (new Set(modes).size < modes.length) {
    const list = modes.map((mode) => JSON.stringify(mode)).join(' ');
    throw new Error(`authorization-mode [${list}] has mode specified more than once`);
  }
  if (modes.includes('ABAC') && abacPolicy === undefined)
    throw new Error("authorization-mode ABAC's authorization policy file not passed");
  if (!modes.includes('ABAC') && abacPolicy !== undefined)
    throw new Error('cannot specify --authorization-policy-file without mode ABAC');
}
