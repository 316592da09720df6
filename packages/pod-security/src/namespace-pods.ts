// What a stricter `enforce` policy would say about the pods that a namespace already has: warnings
// for whoever changes the labels. The pods are not touched and the change is never refused.

import { aggregate } from './aggregate.ts';
import type { EvaluatePod } from './evaluate.ts';
import { formatLevelVersion, type LevelVersion } from './level-version.ts';
import type { PodObject } from './pod-templates.ts';
import { compareBytes } from './wording.ts';

/** Enough to find what is wrong, few enough to stay within the time of a request. */
export const podsCheckedMax = 3000;

/** At most this long for one namespace, and at most half of what the request has left. */
export const podsCheckMs = 1000;

/** Other work gets a turn after so many pods. */
const podsPerTurn = 250;

export interface NamespacePodsCheck {
  readonly namespace: string;
  readonly enforce: LevelVersion;
  readonly evaluate: EvaluatePod;
  isExemptRuntimeClass(name: string | null | undefined): boolean;
  /** True when time is up or the request was cancelled; asked after each pod. */
  isOver(): boolean;
  /** Lets the event loop run; absent in places without one. */
  pause?(): Promise<void>;
}

/** The warnings, in the order in which they are sent. */
export async function warnAboutPods(
  pods: readonly PodObject[],
  check: NamespacePodsCheck,
): Promise<string[]> {
  const candidates = prioritize(pods, check.isExemptRuntimeClass);
  const podsByReason = new Map<string, { first: string; count: number }>();
  let checked = 0;
  for (const pod of candidates.slice(0, podsCheckedMax)) {
    const result = aggregate(check.evaluate(check.enforce, pod.metadata, pod.spec));
    checked++;
    if (!result.allowed) {
      const reason = result.forbiddenReason();
      const name = pod.metadata.name ?? '';
      const seen = podsByReason.get(reason);
      if (seen === undefined) podsByReason.set(reason, { first: name, count: 1 });
      else {
        seen.count++;
        if (compareBytes(name, seen.first) < 0) seen.first = name;
      }
    }
    if (check.isOver()) break;
    if (checked % podsPerTurn === 0) await check.pause?.();
  }
  return describeFindings(check, podsByReason, { checked, total: candidates.length });
}

function describeFindings(
  { namespace, enforce }: NamespacePodsCheck,
  podsByReason: ReadonlyMap<string, { readonly first: string; readonly count: number }>,
  { checked, total }: { checked: number; total: number },
): string[] {
  const warnings: string[] = [];
  if (checked < total) {
    warnings.push(
      'new PodSecurity enforce level only checked against ' +
        `the first ${checked} of ${total} existing pods`,
    );
  }
  if (podsByReason.size > 0) {
    warnings.push(
      `existing pods in namespace "${namespace}" violate ` +
        `the new PodSecurity enforce level "${formatLevelVersion(enforce)}"`,
    );
  }
  const lines = [...podsByReason].map(
    ([reason, { first, count }]) => `${first}${othersOf(count)}: ${reason}`,
  );
  return [...warnings, ...lines.sort(compareBytes)];
}

function othersOf(count: number): string {
  if (count === 1) return '';
  return count === 2 ? ' (and 1 other pod)' : ` (and ${count - 1} other pods)`;
}

/**
 * Pods without a controller and the first pod of each controller go before the replicas, which most
 * likely say the same again.
 */
function prioritize(
  pods: readonly PodObject[],
  isExemptRuntimeClass: NamespacePodsCheck['isExemptRuntimeClass'],
): PodObject[] {
  const first: PodObject[] = [];
  const replicas: PodObject[] = [];
  const seen = new Set<string>();
  for (const pod of pods) {
    if (isExemptRuntimeClass(pod.spec.runtimeClassName)) continue;
    const owner = pod.metadata.ownerReferences?.find((reference) => reference?.controller === true);
    const uid = owner === undefined ? undefined : (owner?.uid ?? '');
    if (uid !== undefined && seen.has(uid)) replicas.push(pod);
    else first.push(pod);
    if (uid !== undefined) seen.add(uid);
  }
  return [...first, ...replicas];
}
