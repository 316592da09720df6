// What disruption budgets say to an eviction: whether one is spent, and which pods cost none. The
// status of a budget is debited in the storage loop, so two evictions never spend the same
// disruption.

import {
  compileLabelSelector,
  findCondition,
  formatTime,
  isConditionTrue,
  statusErrors,
  transitionTime,
  withConditionLast,
  type KubeObject,
  copyJson,
} from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from '@keelson/apimachinery/types/policy.v1';
import type { ObjectSource } from '../../object-source.ts';
import { plainError } from '../storage-errors.ts';
import { storageKey, type StoreScope } from '../store-types.ts';

/**
 * Evictions that a budget's controller has not seen yet; beyond this it is too far behind to trust.
 */
const disruptedPodsMax = 2000;

/** Where budgets are looked up, and where they are written. */
interface Budgets {
  readonly source: ObjectSource;
  readonly scope: StoreScope;
}

/**
 * Spends a disruption, or throws. The name of the budget when the pod may go because it is
 * unhealthy.
 */
export async function askBudgets(
  { source, scope }: Budgets,
  pod: Pod,
  dryRun: boolean,
): Promise<string | undefined> {
  if (canIgnoreBudget(pod)) return undefined;
  const budgets = budgetsOf(source, pod);
  if (budgets.length > 1)
    throw plainError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  const budget = budgets[0];
  if (budget === undefined) return undefined;
  if (mayIgnoreUnhealthy(pod, budget)) return budget.metadata.name;
  await spend(scope, budget, pod, dryRun);
  return undefined;
}

export const stillProcessed = (budget: string) =>
  `The disruption budget ${budget} is still being processed by the server.`;

/** 429: the budget does not allow it now; `message` says why. */
export function refusal(message: string, retryAfterSeconds: number) {
  const text = "Cannot evict pod as it would violate the pod's disruption budget.";
  const causes = [{ reason: 'DisruptionBudget', message }];
  return statusErrors.generic(429, 'TooManyRequests', text, { causes, retryAfterSeconds });
}

/** Pods that are finished, not yet running or on their way out cost no availability. */
function canIgnoreBudget(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return (
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    phase === 'Pending' ||
    pod.metadata.deletionTimestamp !== undefined
  );
}

function budgetsOf(source: ObjectSource, pod: Pod): PodDisruptionBudget[] {
  const budgets = source.list(
    pod.metadata.namespace ?? '',
  ) as unknown as readonly PodDisruptionBudget[];
  return budgets.filter((b) => compileLabelSelector(b.spec?.selector).matches(pod.metadata.labels));
}

/**
 * A pod that is not ready does not count as healthy; the budget's policy says whether it may always
 * go.
 */
function mayIgnoreUnhealthy(pod: Pod, budget: PodDisruptionBudget): boolean {
  if (isConditionTrue(pod.status?.conditions, 'Ready')) return false;
  if (budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const status = budget.status;
  return (
    (status?.currentHealthy ?? 0) >= (status?.desiredHealthy ?? 0) &&
    (status?.desiredHealthy ?? 0) > 0
  );
}

async function spend(
  scope: StoreScope,
  budget: PodDisruptionBudget,
  pod: Pod,
  dryRun: boolean,
): Promise<void> {
  const name = budget.metadata.name ?? '';
  const key = storageKey(scope, budget.metadata.namespace ?? '', name);
  const debit = (current: KubeObject | undefined): KubeObject | undefined => {
    if (current === undefined) return undefined;
    return debited(copyJson(current) as unknown as PodDisruptionBudget, pod, scope.clock.now());
  };
  if (dryRun) debit((await scope.storage.get(key))?.object);
  else await scope.storage.guaranteedUpdate(key, (current) => debit(current?.object));
}

function debited(budget: PodDisruptionBudget, pod: Pod, nowMs: number): KubeObject {
  const status = budget.status ?? ({} as NonNullable<PodDisruptionBudget['status']>);
  const name = budget.metadata.name ?? '';
  if (Number(status.observedGeneration ?? 0) < Number(budget.metadata.generation ?? 0))
    throw refusal(stillProcessed(name), 10);
  const allowed = status.disruptionsAllowed ?? 0;
  if (allowed < 0)
    throw statusErrors.forbidden(
      { group: 'policy', resource: 'poddisruptionbudgets' },
      name,
      'pdb disruptions allowed is negative',
    );
  if (Object.keys(status.disruptedPods ?? {}).length > disruptedPodsMax)
    throw statusErrors.forbidden(
      { group: 'policy', resource: 'poddisruptionbudgets' },
      name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    );
  if (allowed === 0) throw refusal(whyNoneIsAllowed(name, status), 0);
  status.disruptionsAllowed = allowed - 1;
  if (status.disruptionsAllowed === 0)
    setInsufficient(status, Number(budget.metadata.generation ?? 0), nowMs);
  status.disruptedPods = { ...status.disruptedPods, [pod.metadata.name ?? '']: formatTime(nowMs) };
  budget.status = status;
  return budget as unknown as KubeObject;
}

function setInsufficient(
  status: NonNullable<PodDisruptionBudget['status']>,
  generation: number,
  nowMs: number,
): void {
  const { conditions = [] } = status;
  const before = findCondition(conditions, 'DisruptionAllowed');
  status.conditions = withConditionLast(conditions, {
    type: 'DisruptionAllowed',
    status: 'False',
    observedGeneration: generation,
    lastTransitionTime: transitionTime(before, 'False', formatTime(nowMs)),
    reason: 'InsufficientPods',
    message: '',
  });
}

function whyNoneIsAllowed(name: string, status: PodDisruptionBudgetStatus): string {
  const { desiredHealthy = 0, currentHealthy = 0, conditions = [] } = status;
  const failed = conditions.find(
    ({ type, reason }) => type === 'DisruptionAllowed' && reason === 'SyncFailed',
  );
  const generally = `The disruption budget ${name} does not allow evicting pods currently`;
  if (failed !== undefined) return `${generally} because it failed sync: ${failed.message}`;
  // More healthy pods than needed and still none to spare: how many are wanted is unknown.
  if (currentHealthy > desiredHealthy) return generally;
  return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
}
