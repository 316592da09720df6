// Updating an object: read, let the request make the new state, check preconditions and
// versions, prepare, validate, admit, write; all inside the storage's optimistic loop, so the
// steps run again when another write came between. Order as in registry.Store.Update and
// rest.BeforeUpdate of k8s.io/apiserver. A PUT or apply may create, and the removal of the last
// finalizer of a dying object deletes it.

import { fieldError, statusErrors, type KubeObject } from '@keelson/apimachinery';
import { isStorageError, type StoredEntry } from '../storage/storage.ts';
import { validateFinalizerDomains, validateObjectMetaUpdate } from './metadata-validation.ts';
import {
  interpretStorageError,
  optimisticLockMessage,
  plainError,
  preconditionConflict,
} from './storage-errors.ts';
import { prepareCreation } from './store-prepare.ts';
import { recordValidation, recordWrite } from './store-trace.ts';
import {
  invalidObject,
  inWrittenOrder,
  storageKey,
  strategyContext,
  type StoreScope,
  type WriteRequest,
  type WriteResult,
} from './store-types.ts';
import type { Strategy, StrategyTransaction, SubresourceStrategy } from './strategy.ts';

export interface UpdateRequest extends WriteRequest {
  readonly name: string;
  /**
   * Makes the new object from the stored one (undefined: absent). Must return a fresh object; may
   * be called again.
   */
  transform(existing: KubeObject | undefined): Promise<KubeObject>;
  /** Strategy of the subresource, when the update goes through one. */
  readonly subresource: SubresourceStrategy | undefined;
  /** Absent objects are created whatever the strategy says (server-side apply). */
  readonly createIfAbsent: boolean;
  /** The uid that the client believes in. */
  readonly expectedUid: string | undefined;
}

export async function updateObject(
  scope: StoreScope,
  request: UpdateRequest,
): Promise<WriteResult> {
  const key = storageKey(scope, request.namespace, request.name);
  let transaction: StrategyTransaction | undefined;
  let outcome:
    | { object: KubeObject; created: boolean; removed: KubeObject | undefined }
    | undefined;
  let committed = false;
  const attempt = async (current: StoredEntry | undefined): Promise<KubeObject | undefined> => {
    transaction?.rollback();
    transaction = undefined;
    const existing = current?.object;
    if (existing === undefined) {
      const object = await prepareAbsent(scope, request, (t) => (transaction = t));
      outcome = { object, created: true, removed: undefined };
      return inWrittenOrder(scope, object);
    }
    const object = await prepareReplacement(scope, request, existing, (t) => (transaction = t));
    const removed = isFinished(scope.strategy, object, existing) ? object : undefined;
    outcome = { object, created: false, removed };
    return removed === undefined ? inWrittenOrder(scope, object) : undefined;
  };
  try {
    if (request.dryRun) {
      const current = await scope.storage.get(key);
      await attempt(current);
      if (outcome === undefined) throw new Error('unreachable: the attempt set an outcome');
      if (current !== undefined && !outcome.object.metadata.resourceVersion)
        outcome.object.metadata.resourceVersion = String(current.revision);
      recordWrite(request, actionOf(outcome), undefined);
      return { object: outcome.object, entry: undefined, created: outcome.created };
    }
    const entry = await scope.storage.guaranteedUpdate(key, attempt);
    transaction?.commit();
    committed = true;
    if (outcome === undefined) throw new Error('unreachable: the attempt set an outcome');
    if (outcome.removed !== undefined)
      scope.strategy.afterDelete?.(outcome.removed, strategyContext(scope, request));
    recordWrite(request, actionOf(outcome), entry);
    return { object: entry?.object ?? outcome.object, entry, created: outcome.created };
  } catch (error) {
    if (isStorageError(error)) throw interpretStorageError(error, scope.definition, request.name);
    throw error;
  } finally {
    if (!committed) transaction?.rollback();
  }
}

function actionOf(outcome: { readonly created: boolean; readonly removed: unknown }) {
  if (outcome.removed !== undefined) return 'deleted';
  return outcome.created ? 'created' : 'updated';
}

async function prepareAbsent(
  scope: StoreScope,
  request: UpdateRequest,
  hold: (transaction: StrategyTransaction | undefined) => void,
): Promise<KubeObject> {
  if (!request.createIfAbsent && scope.strategy.allowCreateOnUpdate !== true)
    throw statusErrors.notFound(scope.definition, request.name);
  const object = await request.transform(undefined);
  delete object.metadata.resourceVersion;
  await prepareCreation(scope, object, request, hold);
  return object;
}

async function prepareReplacement(
  scope: StoreScope,
  request: UpdateRequest,
  existing: KubeObject,
  hold: (transaction: StrategyTransaction | undefined) => void,
): Promise<KubeObject> {
  const { definition, strategy } = scope;
  checkUid(scope, request, existing);
  const object = await request.transform(existing);
  const meta = object.metadata;
  const old = existing.metadata;
  checkResourceVersion(scope, request, object, existing);

  const context = strategyContext(scope, request);
  const update: Strategy | SubresourceStrategy = request.subresource ?? strategy;
  if (old.generation === undefined) delete meta.generation;
  else meta.generation = old.generation;
  if (request.subresource === undefined)
    hold(await strategy.beginUpdate?.(object, existing, context));
  update.prepareForUpdate?.(object, existing, context);
  if (!meta.uid) meta.uid = old.uid;
  meta.creationTimestamp = old.creationTimestamp;
  if (old.deletionTimestamp !== undefined) meta.deletionTimestamp = old.deletionTimestamp;
  if (old.deletionGracePeriodSeconds !== undefined && meta.deletionGracePeriodSeconds === undefined)
    meta.deletionGracePeriodSeconds = old.deletionGracePeriodSeconds;

  // COMPAT: the generic code and the kind's own validation both check the metadata, and both
  // report.
  const metaErrors = validateObjectMetaUpdate(meta, old, definition);
  const errors = [
    ...metaErrors,
    ...metaErrors,
    ...validateFinalizerDomains(meta, strategy),
    ...(update.validateUpdate?.(object, existing, context) ?? []),
  ];
  recordValidation(scope, request, errors);
  if (errors.length > 0) throw invalidObject(scope, object, errors);
  const refusals = await request.subresource?.authorizeUpdate?.(object, existing, context);
  if (refusals !== undefined && refusals.length > 0) throw invalidObject(scope, object, refusals);
  for (const text of update.warningsOnUpdate?.(object, existing, context) ?? []) request.warn(text);
  strategy.canonicalize?.(object);
  await request.validateAdmission(object, existing);
  return object;
}

// COMPAT: a dry run does not know the prefix of the store.
function checkUid(scope: StoreScope, request: UpdateRequest, existing: KubeObject): void {
  const expected = request.expectedUid;
  if (!expected || expected === existing.metadata.uid) return;
  const whole = storageKey(scope, request.namespace, request.name);
  const key = request.dryRun ? whole.replace(/^\/registry/, '') : whole;
  throw preconditionConflict(scope.definition, request.name, {
    key,
    field: 'UID',
    expected,
    actual: existing.metadata.uid ?? '',
  });
}

function checkResourceVersion(
  scope: StoreScope,
  request: UpdateRequest,
  object: KubeObject,
  existing: KubeObject,
): void {
  const meta = object.metadata;
  const given = meta.resourceVersion ?? '';
  if (given !== '' && !/^\d+$/.test(given))
    throw plainError(`strconv.ParseUint: parsing ${JSON.stringify(given)}: invalid syntax`);
  if (given === '' || given === '0') {
    if (scope.strategy.allowUnconditionalUpdate === false) {
      const kind = { group: scope.definition.group, kind: scope.definition.resource };
      throw statusErrors.invalid(kind, request.name, [
        fieldError.invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
    }
    meta.resourceVersion = existing.metadata.resourceVersion;
    return;
  }
  if (given !== existing.metadata.resourceVersion)
    throw statusErrors.conflict(scope.definition, request.name, optimisticLockMessage);
}

/**
 * The last finalizer of an object whose grace period is over is gone: the update becomes its
 * removal.
 */
function isFinished(strategy: Strategy, object: KubeObject, existing: KubeObject): boolean {
  const meta = object.metadata;
  if (meta.deletionTimestamp === undefined || (meta.finalizers?.length ?? 0) > 0) return false;
  const grace = existing.metadata.deletionGracePeriodSeconds;
  if (grace !== undefined && grace > 0) return false;
  return strategy.isFinalized?.(object) ?? true;
}
