// What the parts of the generic store share: its dependencies, the requests it takes and its
// results. The store works on objects of the stored version; the endpoints convert.

import {
  asJson,
  asKubeObject,
  orderFields,
  statusErrors,
  type Clock,
  type DecisionTrace,
  type FieldError,
  type JsonObject,
  type KubeObject,
  type Random,
  type ResourceDefinition,
  type StatusError,
} from '@keelson/apimachinery';
import type { UserInfo } from '../authentication/authenticator.ts';
import type { ServerLimits } from '../config.ts';
import type { Features } from '../features/features.ts';
import type { Storage, StoredEntry } from '../storage/storage.ts';
import type { Strategy, StrategyContext } from './strategy.ts';

export interface StoreDependencies {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly features: Features;
  readonly limits: ServerLimits;
}

/**
 * One stored resource: definition of its storage version and strategy, with what every operation
 * needs.
 */
export interface StoreScope extends StoreDependencies {
  readonly definition: ResourceDefinition;
  readonly strategy: Strategy;
  readonly keyPrefix: string;
}

/** Who asks, and what is to be called on the way. */
export interface WriteRequest {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly namespace: string;
  /** Of an update; `update` when absent. */
  readonly verb?: 'update' | 'patch';
  warn(text: string): void;
  /** Where what was decided about it is recorded. */
  readonly trace?: DecisionTrace;
  /** Validating admission; runs right before the write takes effect. */
  validateAdmission(object: KubeObject | undefined, old: KubeObject | undefined): Promise<void>;
}

export interface WriteResult {
  readonly object: KubeObject;
  /** Absent for dry runs. */
  readonly entry: StoredEntry | undefined;
  readonly created: boolean;
}

/**
 * An object that did not pass. COMPAT: a custom resource of a wrong kind is called what it says it
 * is.
 */
export function invalidObject(
  { definition }: StoreScope,
  object: KubeObject,
  errors: readonly FieldError[],
): StatusError {
  const kind = object.kind ?? definition.kind;
  return statusErrors.invalid(
    { group: definition.group, kind },
    object.metadata.name ?? '',
    errors,
  );
}

export function strategyContext(scope: StoreDependencies, request: WriteRequest): StrategyContext {
  return {
    user: request.user,
    nowMs: scope.clock.now(),
    features: scope.features,
    dryRun: request.dryRun,
    ...(request.verb !== undefined && { verb: request.verb }),
  };
}

/**
 * `/registry/pods/default/web`, `/registry/nodes/a`. Names were checked, so the parts hold no
 * slash.
 */
export function storageKey(scope: StoreScope, namespace: string, name: string): string {
  return scope.definition.namespaced
    ? `${scope.keyPrefix}/${namespace}/${name}`
    : `${scope.keyPrefix}/${name}`;
}
/** Where all objects of the resource (of one namespace) lie. */
export function storagePrefix(scope: StoreScope, namespace: string): string {
  return scope.definition.namespaced && namespace !== ''
    ? `${scope.keyPrefix}/${namespace}/`
    : `${scope.keyPrefix}/`;
}

/**
 * The object as it is written: fields in Go's order, with a place for the resourceVersion that the
 * storage gives it.
 */
export function inWrittenOrder(scope: StoreScope, object: KubeObject): KubeObject {
  const placed =
    object.metadata.resourceVersion === undefined
      ? { ...object, metadata: { ...object.metadata, resourceVersion: '' } }
      : object;
  return asKubeObject(orderFields(asJson(placed), scope.definition.type) as JsonObject);
}
