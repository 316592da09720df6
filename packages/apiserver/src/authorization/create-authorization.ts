// Puts the authorizers together: members of `system:masters` first, then those of the configuration
// in its order. One that is not named is not asked. A new configuration replaces the whole order at
// once; what looks at objects (Node, RBAC) or a policy file (ABAC) lives as long as the server.

import type { Clock, Random } from '@keelson/apimachinery';
import type { Features } from '../features/features.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { createAbacAuthorizer } from './abac.ts';
import { createAlwaysAllowAuthorizer, createAlwaysDenyAuthorizer } from './always.ts';
import { createDecisionMetrics, type DecisionMetrics } from './authorization-metrics.ts';
import type { Authorizer, RuleResolver } from './authorizer.ts';
import { createBrowserSafeAuthorizer } from './browser-safe.ts';
import {
  AuthorizationConfigurationError,
  nameOfType,
  type AuthorizationConfiguration,
  type AuthorizerEntry,
  type BuiltinType,
} from './configuration/authorization-configuration.ts';
import { createNodeAuthorizer } from './node/node-authorizer.ts';
import { createNodeGraph, type NodeGraph, type NodeGraphObjects } from './node/node-graph.ts';
import { observeAuthorizer } from './observed-authorizer.ts';
import { createPrivilegedGroupsAuthorizer } from './privileged-groups.ts';
import {
  createRbacAuthorizer,
  type RbacAuthorizer,
  type RbacObjects,
} from './rbac/rbac-authorizer.ts';
import { createUnionAuthorizer, createUnionRuleResolver } from './union.ts';
import type { ReviewEndpoint } from './webhook/review-call.ts';
import { createWebhookAuthorizer } from './webhook/webhook-authorizer.ts';
import { createWebhookMetrics } from './webhook/webhook-metrics.ts';

export interface AuthorizationOptions {
  /** `Node` and `RBAC` unless said otherwise. */
  readonly configuration?: AuthorizationConfiguration;
  readonly objects: RbacObjects & NodeGraphObjects;
  readonly features: Features;
  /** Text of `--authorization-policy-file`, for ABAC. */
  readonly abacPolicy?: string;
  /**
   * Callers without `system:authenticated` need `unsafeproxy` where RBAC has `proxy` (see
   * `browser-safe.ts`). On unless said otherwise.
   */
  readonly browserSafe?: boolean;
  /** How webhooks are reached. Absent: a configuration with webhooks is refused. */
  readonly webhooks?: WebhookServices;
  readonly metrics?: Metrics;
}

export interface WebhookServices {
  /** Connects with what a kubeconfig file says; throws when it cannot be used. */
  readonly connect: (kubeConfigFile: string) => ReviewEndpoint;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Authorization {
  readonly authorizer: Authorizer;
  /** For SelfSubjectRulesReview. */
  readonly rules: RuleResolver;
  /** Follows the RBAC objects in every mode, because writing them is guarded in every mode. */
  readonly rbac: RbacAuthorizer;
  /**
   * Replaces the configuration for all later requests; answers kept for webhooks are forgotten,
   * unless it says the same. Throws, and changes nothing, for one that names what needs to be there
   * from the start.
   */
  reconfigure(configuration: AuthorizationConfiguration): void;
  /** Ends all subscriptions. */
  close(): void;
}

/** What is asked when nothing else is said. */
const defaultConfiguration: AuthorizationConfiguration = {
  authorizers: [
    { type: 'Node', name: nameOfType('Node') },
    { type: 'RBAC', name: nameOfType('RBAC') },
  ],
};

type Member = Authorizer & RuleResolver;

/** Throws for a configuration that lacks what it needs, and for an unreadable ABAC policy. */
export function createAuthorization(options: AuthorizationOptions): Authorization {
  const { configuration = defaultConfiguration } = options;
  const parts = createLastingParts(options, configuration);
  let current = openConfiguration(parts, configuration);
  let known = textOf(configuration);
  const union: Authorizer = {
    name: 'union',
    authorize: (...question) => current.authorizer.authorize(...question),
  };
  const observed = observeAuthorizer(union, { configuration, ...options });
  return {
    authorizer: observed.authorizer,
    rules: { rulesFor: (...question) => current.rules.rulesFor(...question) },
    rbac: parts.rbac,
    reconfigure(next) {
      if (textOf(next) === known) return;
      const opened = openConfiguration(parts, next);
      current.close();
      current = opened;
      known = textOf(next);
      observed.reconfigure(next);
    },
    close() {
      current.close();
      parts.rbac.close();
      parts.graph?.close();
      observed.close();
    },
  };
}

/** Two configurations with the same text decide the same. */
function textOf(configuration: AuthorizationConfiguration): string {
  return JSON.stringify(configuration, (key, value: unknown) =>
    key === 'program' ? undefined : value,
  );
}

/** What one process has one of, whatever the configuration becomes. */
interface LastingParts {
  readonly rbac: RbacAuthorizer;
  readonly graph: NodeGraph | undefined;
  readonly builtin: ReadonlyMap<BuiltinType, Member>;
  readonly decisions: DecisionMetrics;
  /** Makes a webhook's authorizer, over a connection that the caller closes. */
  readonly webhook: (entry: WebhookEntry, opened: ReviewEndpoint[]) => Member;
}
type WebhookEntry = Extract<AuthorizerEntry, { type: 'Webhook' }>;

function createLastingParts(
  options: AuthorizationOptions,
  { authorizers }: AuthorizationConfiguration,
): LastingParts {
  const { objects, features, abacPolicy, browserSafe = true, webhooks } = options;
  const { metrics = createMetrics() } = options;
  const started = new Set(authorizers.map((entry) => entry.type));
  const rbac = createRbacAuthorizer(objects);
  const graph = started.has('Node') ? createNodeGraph(objects) : undefined;
  const builtin = new Map<BuiltinType, Member>([
    ['AlwaysAllow', createAlwaysAllowAuthorizer()],
    ['AlwaysDeny', createAlwaysDenyAuthorizer()],
  ]);
  if (graph !== undefined) builtin.set('Node', createNodeAuthorizer({ graph, features }));
  if (started.has('RBAC')) {
    const asked = browserSafe ? createBrowserSafeAuthorizer(rbac) : rbac;
    builtin.set('RBAC', { ...asked, rulesFor: rbac.rulesFor });
  }
  if (started.has('ABAC')) {
    if (abacPolicy === undefined)
      throw new AuthorizationConfigurationError(
        "authorization-mode ABAC's authorization policy file not passed",
      );
    builtin.set('ABAC', createAbacAuthorizer(abacPolicy));
  }
  const decisions = createDecisionMetrics(metrics);
  return { rbac, graph, builtin, decisions, webhook: createWebhookMaker(webhooks, metrics) };
}

function createWebhookMaker(
  services: WebhookServices | undefined,
  metrics: Metrics,
): LastingParts['webhook'] {
  if (services === undefined)
    return () => {
      throw new AuthorizationConfigurationError('this server has no way to ask webhooks');
    };
  const { connect, clock, random } = services;
  const counted = createWebhookMetrics(metrics, clock);
  return ({ name, webhook: configuration }, opened) => {
    const endpoint = connect(configuration.kubeConfigFile);
    opened.push(endpoint);
    return createWebhookAuthorizer({
      name,
      configuration,
      endpoint,
      clock,
      random,
      metrics: counted,
    });
  };
}

interface OpenConfiguration {
  readonly authorizer: Authorizer;
  readonly rules: RuleResolver;
  close(): void;
}

function openConfiguration(
  parts: LastingParts,
  { authorizers }: AuthorizationConfiguration,
): OpenConfiguration {
  const opened: ReviewEndpoint[] = [];
  const close = () => {
    for (const endpoint of opened) endpoint.close();
  };
  try {
    const members = authorizers.map((entry) => memberOf(entry, parts, opened));
    const counted = members.map(({ entry, member }) =>
      parts.decisions.counted(entry.type, member, entry.name),
    );
    return {
      authorizer: createUnionAuthorizer([createPrivilegedGroupsAuthorizer(), ...counted]),
      rules: createUnionRuleResolver(members.map(({ member }) => member)),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function memberOf(
  entry: AuthorizerEntry,
  { builtin, webhook }: LastingParts,
  opened: ReviewEndpoint[],
): { readonly entry: AuthorizerEntry; readonly member: Member } {
  if (entry.type === 'Webhook') return { entry, member: webhook(entry, opened) };
  const member = builtin.get(entry.type);
  if (member !== undefined) return { entry, member };
  throw new AuthorizationConfigurationError(
    `authorizer type ${entry.type} is not allowed if it was not enabled at initial server startup`,
  );
}
