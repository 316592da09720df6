// What one resource does differently from the others. The generic store (`store.ts`) knows nothing
// of pods; a strategy knows nothing of storage. Every function is pure with respect to everything
// but its object argument, and runs at the moment its comment names.

import type { FieldError, KubeObject } from '@keelson/apimachinery';
import type { UserInfo } from '../authentication/authenticator.ts';
import type { Features } from '../features/features.ts';

/** What strategies may know of the request. */
export interface StrategyContext {
  readonly user: UserInfo;
  readonly nowMs: number;
  readonly features: Features;
  readonly dryRun: boolean;
  /** How an update came, where that matters to what the caller may; `update` when absent. */
  readonly verb?: 'update' | 'patch';
}

export interface StrategyTransaction {
  commit(): void;
  rollback(): void;
}

export interface DeleteRequest {
  gracePeriodSeconds?: number;
}

export interface Strategy<T extends KubeObject = KubeObject> {
  /**
   * Fills in API defaults. Runs on every decoded request body and on objects read back; idempotent;
   * may change `object`.
   */
  applyDefaults?(object: T, features: Features): void;
  /**
   * Reserves what the object needs elsewhere (cluster IPs, node ports) before it is prepared and
   * validated; may change `object`. Committed when the write succeeded, else rolled back.
   */
  beginCreate?(object: T, context: StrategyContext): Promise<StrategyTransaction | undefined>;
  beginUpdate?(
    object: T,
    old: T,
    context: StrategyContext,
  ): Promise<StrategyTransaction | undefined>;
  /** Releases what a removed object held. */
  afterDelete?(object: T, context: StrategyContext): void;
  /**
   * Runs before create admission results are validated: clears status, sets generation … May change
   * `object`.
   */
  prepareForCreate?(object: T, context: StrategyContext): void;
  /**
   * All errors of the object, in Kubernetes' order, `metadata` excluded (the store checks it first
   * with `nameRule`).
   */
  validate?(object: T, context: StrategyContext): FieldError[];
  warningsOnCreate?(object: T, context: StrategyContext): string[];
  /**
   * Runs before update validation: restores status, bumps generation … May change `object`, never
   * `old`.
   */
  prepareForUpdate?(object: T, old: T, context: StrategyContext): void;
  validateUpdate?(object: T, old: T, context: StrategyContext): FieldError[];
  warningsOnUpdate?(object: T, old: T, context: StrategyContext): string[];
  /** Last normalisation before the write, after validation. */
  canonicalize?(object: T): void;

  /**
   * Checks `metadata.name`; gives the detail texts, empty when valid. Default: DNS-1123 subdomain.
   * `prefix`: it is a generateName.
   */
  nameRule?(name: string, prefix: boolean): string[];
  /**
   * False when no random suffix could make a valid name of a prefix: `generateName` then is the
   * name. Default true.
   */
  readonly generatesNames?: boolean;
  /**
   * Finalizers need no domain. Default: all but Kubernetes' own must have one. COMPAT: kinds that
   * came late to Kubernetes leave that check out.
   */
  readonly allowsBareFinalizers?: boolean;
  /** PUT of an absent object creates it. Default false. */
  readonly allowCreateOnUpdate?: boolean;
  /** PUT without resourceVersion overwrites. Default true. */
  readonly allowUnconditionalUpdate?: boolean;

  /**
   * Graceful deletion: may set `request.gracePeriodSeconds` to what will be used; true when the
   * object is deleted gracefully (stays with deletionTimestamp until somebody deletes it with
   * period 0).
   */
  checkGracefulDelete?(object: T, request: DeleteRequest, context: StrategyContext): boolean;
  /**
   * What happens to dependents when the request does not say. Default `background`; `unsupported`:
   * no finalizers are ever added.
   */
  readonly garbageCollection?: 'background' | 'orphan' | 'unsupported';
  /** Warns of a deletion that does not say what becomes of the dependents. */
  readonly dependentsWarning?: string;
  /** DELETE answers with the object instead of a Status. */
  readonly returnDeletedObject?: boolean;
  /**
   * For kinds whose deletion somebody else must finish (namespaces): false while that is not done.
   * Then DELETE only marks the object with a deletionTimestamp and `markTerminating`, and the last
   * update that makes this true removes it.
   */
  isFinalized?(object: T): boolean;
  markTerminating?(object: T): void;

  /** Cells of a table row, one per column of the definition, the name first. */
  tableCells?(object: T, nowMs: number): unknown[];
  /** `conditions` of a table row (a pod that has ended); none when absent or empty. */
  tableConditions?(object: T): unknown[];
  /**
   * COMPAT: annotations that stand for fields of Kubernetes' internal form. Tables and
   * metadata-only answers, which show that form, leave them out.
   */
  readonly versionedAnnotations?: readonly string[];
  /**
   * Values of the field labels that selectors may use beyond metadata.name and metadata.namespace.
   */
  fieldValues?(object: T): Record<string, string>;
  /**
   * Text for a field label that the resource does not have, where it differs from the usual one.
   */
  unknownFieldLabel?(label: string): string;

  /** Field paths that a manager can never own here, for server-side apply: `[["status"]]`. */
  readonly resetFields?: readonly (readonly string[])[];
  /**
   * Strategies of subresources that update parts of the object: `status`, `resize`,
   * `ephemeralcontainers` …
   */
  readonly subresources?: Readonly<Record<string, SubresourceStrategy<T>>>;
}

/**
 * An update through a subresource of the same kind. Defaults for what is absent come from the main
 * strategy's validateUpdate = none.
 */
export interface SubresourceStrategy<T extends KubeObject = KubeObject> {
  /** Takes from `old` all that this subresource must not change. */
  prepareForUpdate(object: T, old: T, context: StrategyContext): void;
  validateUpdate?(object: T, old: T, context: StrategyContext): FieldError[];
  /** Asks what the caller may, of an update that has passed validation; an error is a refusal. */
  authorizeUpdate?(object: T, old: T, context: StrategyContext): Promise<FieldError[]>;
  warningsOnUpdate?(object: T, old: T, context: StrategyContext): string[];
  readonly resetFields?: readonly (readonly string[])[];
  /**
   * The only fields that a manager can own here, with `anyElement` for items of lists. For
   * subresources that stand for a few fields of the object.
   */
  readonly ownedFields?: readonly (readonly string[])[];
}
