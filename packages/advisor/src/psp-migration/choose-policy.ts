// Which of the policies that may be used admits a pod. The plugin's order: one that leaves the pod
// as it is comes before all that change it; among these the first by name decides.

import type { RunningPod } from './migration-input.ts';
import { judgePod } from './judge-pod.ts';
import { mutatePod } from './mutate-pod.ts';
import type { PodSecurityPolicy } from './pod-security-policy.ts';

export interface Admission {
  readonly policy: PodSecurityPolicy;
  readonly isMutated: boolean;
  /** The pod as it runs. */
  readonly pod: RunningPod['pod'];
}

/** Undefined when none admits it: it would not run, or its author had other rights. */
export function choosePolicy(
  running: RunningPod,
  usable: readonly PodSecurityPolicy[],
  all: readonly PodSecurityPolicy[],
): Admission | undefined {
  const noted = all.find(({ name }) => name === running.admittedBy);
  // What it was made from is lost; that it holds what the policy gives is all that can be seen.
  if (noted !== undefined)
    return { policy: noted, isMutated: givesAnything(noted), pod: running.pod };
  let mutated: Admission | undefined;
  for (const policy of usable) {
    const pod = mutatePod(policy, running.pod);
    if (judgePod(policy, pod).length > 0) continue;
    if (pod === running.pod) return { policy, isMutated: false, pod };
    mutated ??= { policy, isMutated: true, pod };
  }
  return mutated;
}

/** Whether there is a pod that the policy would change. */
export function givesAnything(policy: PodSecurityPolicy): boolean {
  const bare = { metadata: {}, spec: { containers: [{ name: 'c' }] } };
  return mutatePod(policy, bare) !== bare;
}
