// What the parts of the PodSecurity admission decision share: the request, the collaborators, and
// the settings of one server.

import type { PodSecurityConfiguration } from './configuration.ts';
import type { EvaluatePod } from './evaluate.ts';
import type { GroupResource } from './pod-templates.ts';
import type { Policy } from './policy-labels.ts';

/** One request, after mutation and defaulting. */
export interface PodSecurityRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly resource: GroupResource;
  /** Empty for the main resource. */
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly userName: string;
  readonly object: unknown;
  readonly oldObject?: unknown;
  /** How long the request may still take. */
  readonly remainingMs?: number;
  readonly signal?: AbortSignal;
}

/** Finds a namespace, a decoded v1 object; throws when there is none or it cannot be found out. */
export interface NamespaceGetter {
  getNamespace(name: string, signal?: AbortSignal): unknown;
}

/**
 * The pods of a namespace, decoded v1 objects, or a promise of them. Only asked when a namespace
 * gets a stricter policy.
 */
export interface PodLister {
  listPods(
    namespace: string,
    signal?: AbortSignal,
  ): Promise<readonly unknown[]> | readonly unknown[];
}

export interface PodSecurityDependencies {
  readonly namespaces: NamespaceGetter;
  readonly pods: PodLister;
  /** Milliseconds of a clock that never goes back. */
  readonly clock: { monotonic(): number };
  /** Lets the event loop run between chunks of a long check. */
  pause?(): Promise<void>;
}

/** The settings of one server, made ready once. */
export interface AdmissionContext {
  readonly dependencies: PodSecurityDependencies;
  readonly evaluate: EvaluatePod;
  /** The minor of the release to behave as. */
  readonly release: number;
  /** The policy of a namespace without labels. */
  readonly defaults: Policy;
  readonly exempt: Exemptions;
}

/** Who and what is not looked at; the empty name is never exempt. */
export interface Exemptions {
  namespace(name: string): boolean;
  user(name: string): boolean;
  runtimeClass(name: string | null | undefined): boolean;
}

export function exemptionsOf({ exemptions }: PodSecurityConfiguration): Exemptions {
  const namespaces: ReadonlySet<string> = new Set(exemptions.namespaces);
  const users: ReadonlySet<string> = new Set(exemptions.usernames);
  const runtimeClasses: ReadonlySet<string> = new Set(exemptions.runtimeClasses);
  return {
    namespace: (name) => namespaces.has(name),
    user: (name) => users.has(name),
    runtimeClass: (name) => typeof name === 'string' && runtimeClasses.has(name),
  };
}
