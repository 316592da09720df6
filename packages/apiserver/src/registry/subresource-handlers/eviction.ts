// `pods/eviction`: deleting a pod, if its disruption budget allows it now. The budget's status is
// debited in the storage loop, so two evictions never spend the same disruption
// (pkg/registry/core/pod/storage/eviction.go).

import {
  compileLabelSelector,
  formatTime,
  isStatusError,
  statusErrors,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { PodDisruptionBudget } from '@keelson/apimachinery/types/policy.v1';
import type { DeleteRequestOptions } from '../../endpoints/query-options.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { CreateHandler, HandlerRequest } from '../handlers.ts';
import { plainError } from '../storage-errors.ts';
import { assertPreconditions, deleteObject } from '../store-delete.ts';
import { storageKey, type StoreScope } from '../store-types.ts';
import { updateObject } from '../store-update.ts';
import { setPodCondition } from './pod-conditions.ts';

const pods = { group: '', resource: 'pods' };

/** How often an eviction looks again at a pod that changes under it. */
const triesMax = 20;

interface Eviction extends KubeObject {
  deleteOptions?: {
    dryRun?: string[];
    gracePeriodSeconds?: number;
    orphanDependents?: boolean;
    propagationPolicy?: string;
    preconditions?: { uid?: string; resourceVersion?: string };
  };
}

export interface EvictionDependencies {
  readonly pods: () => StoreScope;
  readonly budgets: () => StoreScope;
  readonly budgetSource: ObjectSource;
}

/**
 * Evictions that a budget's controller has not seen yet; beyond this it is too far behind to trust.
 */
const disruptedPodsMax = 2000;

export function createEvictionHandler(dependencies: EvictionDependencies): CreateHandler {
  return {
    resource: { group: '', resource: 'pods' },
    subresource: 'eviction',
    acceptedVersions: ['policy/v1beta1'],
    create: (object, request) => evict(dependencies, object as Eviction, request),
  };
}

async function evict(
  dependencies: EvictionDependencies,
  eviction: Eviction,
  request: HandlerRequest,
) {
  if ((eviction.metadata.name ?? '') !== request.name)
    throw statusErrors.badRequest('name in URL does not match name in Eviction object');
  await request.validateAdmission(eviction);
  const options = deleteOptionsOf(eviction, request);
  for (let attempt = 1; !(await tryEviction(dependencies, request, options)); attempt++) {
    if (attempt === triesMax) throw refusal('The pod changes faster than it can be evicted.', 1);
  }
  const answer = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  return { object: answer as unknown as KubeObject };
}

/** False when the pod has changed such that it must be looked at again. */
async function tryEviction(
  dependencies: EvictionDependencies,
  request: HandlerRequest,
  options: DeleteRequestOptions,
): Promise<boolean> {
  const scope = dependencies.pods();
  const entry = await scope.storage.get(storageKey(scope, request.namespace, request.name));
  if (entry === undefined) throw statusErrors.notFound(pods, request.name);
  const pod = entry.object as unknown as Pod;
  const unhealthyOf = await askBudgets(dependencies, pod, options.dryRun);
  if (options.resourceVersion !== undefined) {
    await disrupt(scope, request, options);
  } else if (unhealthyOf !== undefined) {
    await disruptUnhealthy(scope, request, { options, pod, budget: unhealthyOf });
  } else if (pod.status?.phase === 'Pending') {
    return disruptPending(scope, request, { options, pod });
  } else {
    await disrupt(scope, request, options);
  }
  return true;
}

/** No budget was asked about a pod that waits; should it have started meanwhile, one must be. */
async function disruptPending(
  scope: StoreScope,
  request: HandlerRequest,
  { options, pod }: { options: DeleteRequestOptions; pod: Pod },
): Promise<boolean> {
  const { resourceVersion, uid } = pod.metadata;
  const isMeant = options.uid === undefined || options.uid === uid;
  try {
    await disrupt(scope, request, { ...options, resourceVersion });
    return true;
  } catch (error) {
    if (isMeant && isStatusError(error, 'Conflict')) return false;
    throw error;
  }
}

/**
 * Spends a disruption, or throws. The name of the budget when the pod may go because it is
 * unhealthy.
 */
async function askBudgets(
  dependencies: EvictionDependencies,
  pod: Pod,
  dryRun: boolean,
): Promise<string | undefined> {
  if (canIgnoreBudget(pod)) return undefined;
  const budgets = budgetsOf(dependencies.budgetSource, pod);
  if (budgets.length > 1)
    throw plainError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  const budget = budgets[0];
  if (budget === undefined) return undefined;
  if (mayIgnoreUnhealthy(pod, budget)) return budget.metadata.name;
  await spend(dependencies.budgets(), budget, pod, dryRun);
  return undefined;
}

/**
 * Only the pod as it was looked at may go: a pod that became healthy meanwhile would cost
 * availability.
 */
async function disruptUnhealthy(
  scope: StoreScope,
  request: HandlerRequest,
  subject: { options: DeleteRequestOptions; pod: Pod; budget: string },
): Promise<void> {
  const { resourceVersion } = subject.pod.metadata;
  try {
    await disrupt(scope, request, { ...subject.options, resourceVersion });
  } catch (error) {
    if (isStatusError(error, 'Conflict')) throw refusal(stillProcessed(subject.budget), 10);
    throw error;
  }
}

/** Says on the pod why it goes, and deletes it. */
async function disrupt(
  scope: StoreScope,
  request: HandlerRequest,
  options: DeleteRequestOptions,
): Promise<void> {
  const write = {
    user: request.context.user,
    dryRun: options.dryRun,
    namespace: request.namespace,
    name: request.name,
    warn: (text: string) => request.context.warn(text),
    validateAdmission: async () => {},
  };
  let { resourceVersion } = options;
  if (!options.dryRun) {
    const updated = await updateObject(scope, {
      ...write,
      transform: async (existing) => {
        if (existing === undefined) throw statusErrors.notFound(pods, request.name);
        assertPreconditions(scope.definition, request.name, options, existing);
        return withDisruptionTarget(existing, scope.clock.now());
      },
      subresource: scope.strategy.subresources?.['status'],
      createIfAbsent: false,
      expectedUid: undefined,
    });
    if (resourceVersion !== undefined) ({ resourceVersion } = updated.object.metadata);
  }
  await deleteObject(scope, { ...write, options: { ...options, resourceVersion } });
}

function withDisruptionTarget(existing: KubeObject, nowMs: number): KubeObject {
  const pod = structuredClone(existing) as unknown as Pod;
  const reason = 'EvictionByEvictionAPI';
  const message = 'Eviction API: evicting';
  setPodCondition(pod, { type: 'DisruptionTarget', status: 'True', reason, message }, nowMs);
  return pod as unknown as KubeObject;
}

const stillProcessed = (budget: string) =>
  `The disruption budget ${budget} is still being processed by the server.`;

function refusal(message: string, retryAfterSeconds: number) {
  const text = "Cannot evict pod as it would violate the pod's disruption budget.";
  const causes = [{ reason: 'DisruptionBudget', message }];
  return statusErrors.generic(429, 'TooManyRequests', text, { causes, retryAfterSeconds });
}

function deleteOptionsOf(eviction: Eviction, request: HandlerRequest): DeleteRequestOptions {
  const given = eviction.deleteOptions ?? {};
  return {
    dryRun: request.dryRun || (given.dryRun ?? []).includes('All'),
    gracePeriodSeconds: given.gracePeriodSeconds,
    orphanDependents: given.orphanDependents,
    propagationPolicy: given.propagationPolicy,
    uid: given.preconditions?.uid,
    resourceVersion: given.preconditions?.resourceVersion,
  };
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
  const ready =
    pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
  if (ready) return false;
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
    return debited(
      structuredClone(current) as unknown as PodDisruptionBudget,
      pod,
      scope.clock.now(),
    );
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
  if (allowed === 0)
    throw refusal(
      `The disruption budget ${name} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`,
      0,
    );
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
  const conditions = status.conditions ?? [];
  const others = conditions.filter((c) => c.type !== 'DisruptionAllowed');
  const before = conditions.find((c) => c.type === 'DisruptionAllowed');
  const changed = before?.status !== 'False';
  status.conditions = [
    ...others,
    {
      type: 'DisruptionAllowed',
      status: 'False',
      observedGeneration: generation,
      lastTransitionTime: changed
        ? formatTime(nowMs)
        : (before?.lastTransitionTime ?? formatTime(nowMs)),
      reason: 'InsufficientPods',
      message: '',
    },
  ];
}
