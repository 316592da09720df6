// What a Job's podFailurePolicy says of a pod that failed (KEP-3329): the first rule that matches
// decides; a pod that none matches counts as usual.
// https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy

import type {
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
} from '@keelson/apimachinery/types/batch.v1';
import type { ContainerStatus, Pod, PodCondition } from '@keelson/apimachinery/types/core.v1';

export interface FailureVerdict {
  /** Counts towards the limits of retries. */
  readonly counts: boolean;
  readonly action?: PodFailurePolicyRule['action'];
  /** Why the whole Job fails. */
  readonly failJobMessage?: string;
}

export function judgeFailure(policy: PodFailurePolicy | undefined, pod: Pod): FailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const what = matchRule(rule, pod);
    if (what === undefined) continue;
    const { action } = rule;
    if (action === 'Ignore') return { counts: false, action };
    if (action === 'Count' || action === 'FailIndex') return { counts: true, action };
    if (action === 'FailJob') {
      const failJobMessage = `${what} matching ${action} rule at index ${index}`;
      return { counts: true, action, failJobMessage };
    }
  }
  return { counts: true };
}

/** What matched, as the condition tells it. */
function matchRule({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Pod) {
  const { namespace = '', name = '' } = pod.metadata;
  if (onExitCodes !== undefined) {
    const container = matchExitCodes(onExitCodes, pod);
    if (container === undefined) return undefined;
    const exitCode = container.state?.terminated?.exitCode;
    return `Container ${container.name} for pod ${namespace}/${name} failed with exit code ${exitCode}`;
  }
  const condition = (pod.status?.conditions ?? []).find((one) =>
    onPodConditions?.some((pattern) => isLike(one, pattern)),
  );
  return condition && `Pod ${namespace}/${name} has condition ${condition.type}`;
}

/** Containers that ended well fail nothing, whatever the rule says of 0. */
function matchExitCodes(
  { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement,
  { status }: Pod,
): ContainerStatus | undefined {
  const containers = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
  ];
  return containers.find(({ name, state }) => {
    const exitCode = state?.terminated?.exitCode ?? 0;
    if (exitCode === 0 || (containerName !== undefined && containerName !== name)) return false;
    const isListed = values?.includes(exitCode) === true;
    return operator === 'In' ? isListed : operator === 'NotIn' && !isListed;
  });
}

function isLike(condition: PodCondition, pattern: PodFailurePolicyOnPodConditionsPattern): boolean {
  return condition.type === pattern.type && condition.status === (pattern.status ?? 'True');
}
