// What the advisor needs of a cluster: a whole control plane in this process that answers requests
// and says how it decided. The advisor decides nothing about requests itself; it asks, on forks, so
// that a question leaves nothing behind. Whoever composes programs hands the factory in.

import type { DecisionStep, JsonValue } from '@keelson/apimachinery';

export interface AdvisedCluster {
  /** Sends one request through the whole pipeline. Rejects when there is no answer at all. */
  decide(request: DecisionRequest): Promise<Decision>;
  /** The storage's revision: it moves with every write, and with nothing else. */
  revision(): number;
  /** An independent cluster with the same objects. */
  fork(): Promise<AdvisedCluster>;
  close(): Promise<void>;
}

export interface AdvisedUser {
  readonly name: string;
  readonly uid?: string;
  /** `system:authenticated` is added. */
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface DecisionRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query: `/api/v1/namespaces/shop/pods?dryRun=All`. */
  readonly path: string;
  /** Absent: the cluster's administrator. */
  readonly user?: AdvisedUser;
  /** Sent as JSON. */
  readonly body?: JsonValue;
  /** Of the body; JSON unless said otherwise. */
  readonly contentType?: string;
}

export interface Decision {
  readonly status: number;
  /** The object, list or Status; undefined for an answer that is not JSON. */
  readonly body: JsonValue | undefined;
  readonly warnings: readonly string[];
  /** Of the audit event, whether or not one is written. */
  readonly auditAnnotations: Readonly<Record<string, string>>;
  /** How it was decided, in the order of the pipeline. */
  readonly steps: readonly DecisionStep[];
}

export interface AdvisedClusterOptions {
  /** `1.26` to `1.36`; the newest unless said otherwise. */
  readonly emulatedVersion?: string;
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** As the flag: `api/beta=true`. */
  readonly runtimeConfig?: string;
  readonly enableAdmissionPlugins?: readonly string[];
  readonly disableAdmissionPlugins?: readonly string[];
}

/** Without controllers: nothing happens in an advised cluster but what is asked of it. */
export type ClusterFactory = (options: AdvisedClusterOptions) => Promise<AdvisedCluster>;
