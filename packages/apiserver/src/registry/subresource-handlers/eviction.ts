// `pods/eviction`: says on a pod why it goes and deletes it, if its disruption budget allows it now
// (pkg/registry/core/pod/storage/eviction.go).

import { copyJson, isStatusError, statusErrors, type KubeObject } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { DeleteRequestOptions } from '../../endpoints/query-options.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { CreateHandler, HandlerRequest } from '../handlers.ts';
import { assertPreconditions, deleteObject } from '../store-delete.ts';
import { storageKey, type StoreScope } from '../store-types.ts';
import { updateObject } from '../store-update.ts';
import { askBudgets, refusal, stillProcessed } from './disruption-budgets.ts';
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
  const budgets = { source: dependencies.budgetSource, scope: dependencies.budgets() };
  const unhealthyOf = await askBudgets(budgets, pod, options.dryRun);
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
  const pod = copyJson(existing) as unknown as Pod;
  const reason = 'EvictionByEvictionAPI';
  const message = 'Eviction API: evicting';
  setPodCondition(pod, { type: 'DisruptionTarget', status: 'True', reason, message }, nowMs);
  return pod as unknown as KubeObject;
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
