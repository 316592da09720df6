// `pods/eviction`: deleting a pod, if its disruption budget allows it now. The budget's status is
// debited in the storage loop, so two evictions never spend the same disruption
// (pkg/registry/core/pod/storage/eviction.go).

import {
  compileLabelSelector,
  formatTime,
  statusErrors,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { PodDisruptionBudget } from '@keelson/apimachinery/types/policy.v1';
import type { DeleteRequestOptions } from '../../endpoints/query-options.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { CreateHandler, HandlerRequest } from '../handlers.ts';
import { plainError } from '../storage-errors.ts';
import { deleteObject } from '../store-delete.ts';
import { storageKey, type StoreScope } from '../store-types.ts';

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

/** Evictions that a budget's controller has not seen yet; beyond this it is too far behind to trust. */
const disruptedPodsMax = 2000;

export function createEvictionHandler(dependencies: EvictionDependencies): CreateHandler {
  return {
    resource: { group: '', resource: 'pods' },
    subresource: 'eviction',
    create: (object, request) => evict(dependencies, object as Eviction, request),
  };
}

async function evict(
  dependencies: EvictionDependencies,
  eviction: Eviction,
  request: HandlerRequest,
) {
  const given = eviction.metadata.name ?? '';
  if (given !== '' && given !== request.name)
    throw statusErrors.badRequest('name in URL does not match name in Eviction object');
  if (given === '')
    throw statusErrors.badRequest('name in URL does not match name in Eviction object');
  const scope = dependencies.pods();
  const entry = await scope.storage.get(storageKey(scope, request.namespace, request.name));
  if (entry === undefined)
    throw statusErrors.notFound({ group: '', resource: 'pods' }, request.name);
  const pod = entry.object as unknown as Pod;
  const options = deleteOptionsOf(eviction, request);
  await request.validateAdmission(eviction);
  if (!canIgnoreBudget(pod)) {
    const budgets = budgetsOf(dependencies.budgetSource, pod);
    if (budgets.length > 1)
      throw plainError(
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      );
    const budget = budgets[0];
    if (budget !== undefined && !mayIgnoreUnhealthy(pod, budget))
      await spend(dependencies.budgets(), budget, pod, options.dryRun);
  }
  await deleteObject(scope, {
    user: request.context.user,
    dryRun: options.dryRun,
    namespace: request.namespace,
    name: request.name,
    options,
    warn: (text) => request.context.warn(text),
    validateAdmission: async () => {},
  });
  return {
    object: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      code: 201,
    } as unknown as KubeObject,
  };
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

/** A pod that is not ready does not count as healthy; the budget's policy says whether it may always go. */
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
  const refuse = (message: string, retryAfterSeconds: number) =>
    statusErrors.generic(
      429,
      'TooManyRequests',
      "Cannot evict pod as it would violate the pod's disruption budget.",
      {
        causes: [{ reason: 'DisruptionBudget', message }],
        retryAfterSeconds,
      },
    );
  if (Number(status.observedGeneration ?? 0) < Number(budget.metadata.generation ?? 0))
    throw refuse(`The disruption budget ${name} is still being processed by the server.`, 10);
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
    throw refuse(
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
