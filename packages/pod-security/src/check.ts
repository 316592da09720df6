// What a check of the Pod Security Standards is: a pure function from a pod to a finding, for each
// version of the standards from which it holds. `checks/` has one file per check, `registry.ts` the
// list of all.

import type { FieldError } from './field-error.ts';
import type { PodMetadata, PodSpec } from './pod.ts';
import { namedContainers } from './wording.ts';

export type CheckId = string;

export interface Check {
  /** Unique, and never renamed: it orders the findings in messages. */
  readonly id: CheckId;
  /** Baseline checks also hold for restricted, unless a restricted check overrides them. */
  readonly level: 'baseline' | 'restricted';
  /** By strictly increasing `minimumVersion`; the newest that is not too new applies. */
  readonly versions: readonly VersionedCheck[];
}

export interface VersionedCheck {
  /** The minor of the first policy version with this behaviour. */
  readonly minimumVersion: number;
  readonly checkPod: CheckPod;
  /** Baseline checks that this one covers; only restricted checks may override. */
  readonly overrides?: readonly CheckId[];
}

/**
 * Decides about one pod or pod template. `undefined` allows, and then nothing was allocated.
 * Pure; must not throw on a schema valid pod.
 */
export type CheckPod = (
  metadata: PodMetadata,
  spec: PodSpec,
  server: ServerBehaviour,
) => Forbidden | undefined;

/** The little that depends on the release of the server rather than on the policy version. */
export interface ServerBehaviour {
  /** The minor of the release that decides, 26 for 1.26. */
  readonly release: number;
  /** The gate UserNamespacesPodSecurityStandards, which existed from 1.29 to 1.34. */
  readonly relaxesForUserNamespaces: boolean;
}

export interface Forbidden {
  /** What is wrong in a few words, never empty: `hostPort`. */
  readonly reason: string;
  /** Who did it and with which values; empty when the reason says all. */
  readonly detail: string;
  /** Every offending field. */
  readonly fieldErrors: readonly FieldError[];
}

/** Collects what a check found, so that the finding can be worded once all fields are seen. */
export interface Violations {
  podIsSetter: boolean;
  /** Names of the offending containers in visiting order. */
  readonly containers: string[];
  /** Offending values in the order they were met, with repetitions. */
  readonly values: string[];
  readonly fieldErrors: FieldError[];
}

export function createViolations(): Violations {
  return { podIsSetter: false, containers: [], values: [], fieldErrors: [] };
}

/** `pod`, `container "a"`, `pod and containers "a", "b"`. */
export function settersOf(violations: Violations): string {
  const setters: string[] = violations.podIsSetter ? ['pod'] : [];
  if (violations.containers.length > 0) setters.push(namedContainers(violations.containers));
  return setters.join(' and ');
}
