// Deleting an object: at once, gracefully (pods stay until their node confirms), or by marking it
// for those who must still act (finalizers, namespaces). Rules of rest.BeforeDelete and
// registry.Store.Delete in k8s.io/apiserver.

import {
  copyJson,
  formatTime,
  statusErrors,
  type GroupResource,
  type KubeObject,
  type ResourceDefinition,
  type Status,
} from '@keelson/apimachinery';
import type { DeleteRequestOptions } from '../endpoints/query-options.ts';
import { isStorageError, type StoredEntry } from '../storage/storage.ts';
import { interpretStorageError } from './storage-errors.ts';
import { recordWrite } from './store-trace.ts';
import { storageKey, strategyContext, type StoreScope, type WriteRequest } from './store-types.ts';

const orphanFinalizer = 'orphan';
const foregroundFinalizer = 'foregroundDeletion';

export interface DeleteObjectRequest extends WriteRequest {
  readonly name: string;
  readonly options: DeleteRequestOptions;
  /** How the client calls the resource, where that is not how it is stored. */
  readonly served?: GroupResource;
}
export interface DeleteResult {
  /** What is answered: the object, or a Status. */
  readonly body: KubeObject | Status;
  readonly entry: StoredEntry | undefined;
  /** False when the object stays for a while. */
  readonly deletedNow: boolean;
}

type Plan =
  | { readonly action: 'remove' }
  /** Already on its way; nothing to do. */
  | { readonly action: 'pending' }
  /** Write this state; remove it afterwards when `thenRemove`. */
  | { readonly action: 'mark'; readonly object: KubeObject; readonly thenRemove: boolean };

export async function deleteObject(
  scope: StoreScope,
  request: DeleteObjectRequest,
): Promise<DeleteResult> {
  const key = storageKey(scope, request.namespace, request.name);
  const { propagationPolicy, orphanDependents } = request.options;
  const { dependentsWarning } = scope.strategy;
  if (
    dependentsWarning !== undefined &&
    propagationPolicy === undefined &&
    orphanDependents === undefined
  )
    request.warn(dependentsWarning);
  try {
    return await deleteWithin(scope, request, key);
  } catch (error) {
    if (isStorageError(error)) throw interpretStorageError(error, scope.definition, request.name);
    throw error;
  }
}

async function deleteWithin(
  scope: StoreScope,
  request: DeleteObjectRequest,
  key: string,
): Promise<DeleteResult> {
  let plan: Plan | undefined;
  let before: KubeObject | undefined;
  const attempt = async (current: StoredEntry | undefined): Promise<KubeObject | undefined> => {
    if (current === undefined) throw statusErrors.notFound(scope.definition, request.name);
    before = current.object;
    plan = planDeletion(scope, request, before);
    if (plan.action !== 'pending') await request.validateAdmission(undefined, before);
    if (plan.action === 'mark') return plan.object;
    return plan.action === 'pending' ? before : undefined;
  };
  const current = request.dryRun ? await scope.storage.get(key) : undefined;
  const entry = request.dryRun
    ? (await attempt(current), current)
    : await scope.storage.guaranteedUpdate(key, attempt);
  if (plan === undefined || before === undefined)
    throw new Error('unreachable: the attempt made a plan');
  if (plan.action === 'mark' && !plan.thenRemove) {
    recordWrite(request, 'updated', entry);
    return {
      body: entry && !request.dryRun ? entry.object : plan.object,
      entry: request.dryRun ? undefined : entry,
      deletedNow: false,
    };
  }
  if (plan.action === 'pending')
    return { body: answer(scope, request, before), entry: undefined, deletedNow: false };
  recordWrite(request, 'deleted', undefined);
  const last = plan.action === 'mark' ? plan.object : before;
  if (!request.dryRun) {
    if (plan.action === 'mark') await removeMarked(scope, request, { key, before });
    scope.strategy.afterDelete?.(last, strategyContext(scope, request));
  }
  return { body: answer(scope, request, last), entry: undefined, deletedNow: true };
}

/**
 * Removes what was marked a moment ago, without a grace period. COMPAT: admission is asked again:
 * about the object as kube-apiserver's watch cache still has it, then about the marked one.
 */
async function removeMarked(
  scope: StoreScope,
  request: DeleteObjectRequest,
  { key, before }: { readonly key: string; readonly before: KubeObject },
): Promise<void> {
  await request.validateAdmission(undefined, before);
  await scope.storage.guaranteedUpdate(key, async (current) => {
    // Somebody else was faster; what was wanted is done.
    if (current !== undefined) await request.validateAdmission(undefined, current.object);
    return undefined;
  });
}

function answer(
  scope: StoreScope,
  request: DeleteObjectRequest,
  object: KubeObject,
): KubeObject | Status {
  if (scope.strategy.returnDeletedObject === true) return object;
  const { group, resource } = request.served ?? scope.definition;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: object.metadata.name,
      ...(group === '' ? {} : { group }),
      kind: resource,
      uid: object.metadata.uid,
    },
  };
}

function planDeletion(scope: StoreScope, request: DeleteObjectRequest, existing: KubeObject): Plan {
  assertPreconditions(scope.definition, request.name, request.options, existing);
  const { strategy } = scope;
  const context = strategyContext(scope, request);
  const object = copyJson(existing);
  const graceful = planGrace(scope, request, object);
  if (graceful === 'pending') return { action: 'pending' };

  const finalizers = garbageCollectionFinalizers(scope, request.options, existing);
  if (finalizers.length > 0) object.metadata.finalizers = finalizers;
  else delete object.metadata.finalizers;
  const mustWait = finalizers.length > 0 || strategy.isFinalized?.(existing) === false;
  if (graceful !== 'none') {
    return { action: 'mark', object, thenRemove: !mustWait && graceful === 'at-once' };
  }
  if (!mustWait) return { action: 'remove' };
  // COMPAT: what somebody else finalizes has neither a grace period nor a new generation.
  if (strategy.isFinalized === undefined) markTerminating(object, context.nowMs);
  else object.metadata.deletionTimestamp ??= formatTime(context.nowMs);
  strategy.markTerminating?.(object);
  return { action: 'mark', object, thenRemove: false };
}

/** Throws 409 when the object is not the one that the client believes to delete. */
export function assertPreconditions(
  definition: ResourceDefinition,
  name: string,
  { uid, resourceVersion }: DeleteRequestOptions,
  { metadata }: KubeObject,
): void {
  // COMPAT: these conflicts name the kind, not the resource.
  const about = { group: definition.group, resource: definition.kind };
  if (uid !== undefined && uid !== metadata.uid)
    throw statusErrors.conflict(
      about,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    throw statusErrors.conflict(
      about,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
}

/** Sets deletionTimestamp and grace period on `object` when the deletion is graceful. */
function planGrace(
  scope: StoreScope,
  request: DeleteObjectRequest,
  object: KubeObject,
): 'none' | 'pending' | 'waits' | 'at-once' {
  const { strategy } = scope;
  if (strategy.checkGracefulDelete === undefined) return 'none';
  const meta = object.metadata;
  const given = request.options.gracePeriodSeconds;
  // Negative periods mean one second.
  const wanted: { gracePeriodSeconds?: number } =
    given === undefined ? {} : { gracePeriodSeconds: given < 0 ? 1 : given };
  if (meta.deletionTimestamp !== undefined) {
    const running = Number(meta.deletionGracePeriodSeconds ?? 0);
    if (running === 0) return 'none';
    const period = wanted.gracePeriodSeconds;
    if (period === undefined || period >= running) return 'pending';
    // A pending deletion can only be made shorter.
    meta.deletionTimestamp = formatTime(
      Date.parse(meta.deletionTimestamp) + (period - running) * 1000,
    );
    meta.deletionGracePeriodSeconds = period;
    return period > 0 ? 'waits' : 'at-once';
  }
  const context = strategyContext(scope, request);
  if (!strategy.checkGracefulDelete(object, wanted, context)) return 'none';
  const period = wanted.gracePeriodSeconds;
  if (period === undefined)
    throw statusErrors.internalError('options.GracePeriodSeconds should not be nil');
  meta.deletionTimestamp = formatTime(context.nowMs + period * 1000);
  meta.deletionGracePeriodSeconds = period;
  bumpGeneration(object);
  return period > 0 ? 'waits' : 'at-once';
}

function markTerminating(object: KubeObject, nowMs: number): void {
  const meta = object.metadata;
  if (meta.deletionTimestamp === undefined) {
    bumpGeneration(object);
    meta.deletionTimestamp = formatTime(nowMs);
  }
  if (meta.deletionGracePeriodSeconds === undefined || meta.deletionGracePeriodSeconds > 0)
    meta.deletionGracePeriodSeconds = 0;
}

function bumpGeneration(object: KubeObject): void {
  const meta = object.metadata;
  if (meta.generation !== undefined && meta.generation > 0)
    meta.generation = Number(meta.generation) + 1;
}

/**
 * The finalizers with `orphan` and `foregroundDeletion` as the request, or the object's past, wants
 * them.
 */
function garbageCollectionFinalizers(
  scope: StoreScope,
  options: DeleteRequestOptions,
  existing: KubeObject,
): string[] {
  const current = existing.metadata.finalizers ?? [];
  const policy = scope.strategy.garbageCollection ?? 'background';
  if (policy === 'unsupported') return [...current];
  const others = current.filter((f) => f !== orphanFinalizer && f !== foregroundFinalizer);
  const wanted = wantedPropagation(options, current, policy);
  if (wanted === 'orphan') others.push(orphanFinalizer);
  if (wanted === 'foreground') others.push(foregroundFinalizer);
  return others;
}

function wantedPropagation(
  options: DeleteRequestOptions,
  current: readonly string[],
  policy: 'background' | 'orphan',
): 'orphan' | 'foreground' | 'background' {
  if (options.orphanDependents !== undefined)
    return options.orphanDependents ? 'orphan' : 'background';
  if (options.propagationPolicy === 'Orphan') return 'orphan';
  if (options.propagationPolicy === 'Foreground') return 'foreground';
  if (options.propagationPolicy === 'Background') return 'background';
  if (current.includes(orphanFinalizer)) return 'orphan';
  if (current.includes(foregroundFinalizer)) return 'foreground';
  return policy;
}
