// Creating an object: generated name, preparation (store-prepare.ts), write. The order is that of
// registry.Store.Create in k8s.io/apiserver.

import {
  copyJson,
  isStatusError,
  randomNameSuffix,
  statusErrors,
  type KubeObject,
} from '@keelson/apimachinery';
import { isStorageError } from '../storage/storage.ts';
import { interpretStorageError, plainError } from './storage-errors.ts';
import { prepareCreation } from './store-prepare.ts';
import { recordWrite } from './store-trace.ts';
import {
  inWrittenOrder,
  storageKey,
  type StoreScope,
  type WriteRequest,
  type WriteResult,
} from './store-types.ts';
import type { StrategyTransaction } from './strategy.ts';

/** Longest base of a generated name: 63 less the five random characters. */
const generatedBaseMax = 58;

/** Takes ownership of `object`. */
export async function createObject(
  scope: StoreScope,
  object: KubeObject,
  request: WriteRequest,
): Promise<WriteResult> {
  const meta = object.metadata;
  const generated = !meta.name && Boolean(meta.generateName);
  if (!generated) return createOnce(scope, object, request);
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt < scope.limits.generateNameTriesMax ? copyJson(object) : object;
    candidate.metadata.name = generateName(scope, meta.generateName ?? '');
    try {
      return await createOnce(scope, candidate, request);
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
      if (attempt >= scope.limits.generateNameTriesMax)
        throw statusErrors.generateNameConflict(scope.definition, candidate.metadata.name, 1);
    }
  }
}

function generateName(scope: StoreScope, base: string): string {
  if (scope.strategy.generatesNames === false) return base;
  return base.slice(0, generatedBaseMax) + randomNameSuffix(scope.random);
}

async function createOnce(
  scope: StoreScope,
  object: KubeObject,
  request: WriteRequest,
): Promise<WriteResult> {
  const { definition } = scope;
  const meta = object.metadata;
  let transaction: StrategyTransaction | undefined;
  let committed = false;
  try {
    await prepareCreation(scope, object, request, (t) => (transaction = t));
    const key = storageKey(scope, request.namespace, meta.name ?? '');
    if (request.dryRun) {
      if ((await scope.storage.get(key)) !== undefined)
        throw statusErrors.alreadyExists(definition, meta.name ?? '');
      recordWrite(request, 'created', undefined);
      return { object, entry: undefined, created: true };
    }
    if (
      meta.resourceVersion !== undefined &&
      meta.resourceVersion !== '' &&
      meta.resourceVersion !== '0'
    )
      throw plainError('resourceVersion should not be set on objects to be created');
    const entry = await storeNew(scope, key, object);
    transaction?.commit();
    committed = true;
    recordWrite(request, 'created', entry);
    return { object: entry.object, entry, created: true };
  } finally {
    if (!committed) transaction?.rollback();
  }
}

async function storeNew(scope: StoreScope, key: string, object: KubeObject) {
  try {
    return await scope.storage.create(key, inWrittenOrder(scope, object));
  } catch (error) {
    const name = object.metadata.name ?? '';
    if (isStorageError(error, 'key-exists')) {
      const existing = await scope.storage.get(key);
      if (existing?.object.metadata.deletionTimestamp)
        // COMPAT: says why the name is still taken.
        throw statusErrors.generic(
          409,
          'AlreadyExists',
          `object is being deleted: ${statusErrors.alreadyExists(scope.definition, name).message}`,
          { name, group: scope.definition.group, kind: scope.definition.resource },
        );
    }
    throw interpretStorageError(error, scope.definition, name);
  }
}
