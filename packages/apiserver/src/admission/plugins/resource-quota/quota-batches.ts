// Requests of one namespace are checked against its quotas together: while one batch is being
// written the next one gathers, so that many parallel creations cost few writes and none is
// admitted twice. A batch charges running copies of the quotas, writes each changed quota once, and
// tells its requests what came of it. When somebody else wrote a quota meanwhile, the requests that
// are still undecided are checked again against what is there now.

import {
  type Clock,
  isStatusError,
  type KubeObject,
  listsEqual,
  writeResourceList,
} from '@keelson/apimachinery';
import type { ResourceQuota } from '@keelson/apimachinery/types/core.v1';
import type { ObjectSource } from '../../../object-source.ts';
import type { AdmissionAttributes } from '../../admission.ts';
import { asKind } from '../../request-match.ts';
import {
  checkRequest,
  quotaTimeout,
  runningQuota,
  type LimitedResource,
  type RunningQuota,
} from './check-request.ts';
import type { QuotaEvaluator } from './evaluator.ts';

/** Writes usage as the server itself. */
export interface QuotaStatusWriter {
  /**
   * Stores `status` of the quota when the stored one still has its resourceVersion. Rejects with a
   * StatusError otherwise: Conflict when it has another, NotFound when it is gone.
   */
  updateQuotaStatus(quota: KubeObject): Promise<void>;
}

export interface QuotaBatchOptions {
  readonly resourceQuotas: ObjectSource;
  readonly writer: QuotaStatusWriter;
  readonly limitedResources: readonly LimitedResource[];
  readonly clock: Clock;
}

export interface QuotaBatches {
  /** Resolves when the request is charged or need not be; rejects with the refusal. */
  evaluate(attributes: AdmissionAttributes, evaluator: QuotaEvaluator): Promise<void>;
}

const evaluationTimeoutMs = 10_000;
/** How often a batch starts again after somebody else wrote. */
const retriesMax = 3;

interface Waiter {
  readonly attributes: AdmissionAttributes;
  readonly evaluator: QuotaEvaluator;
  /** Undefined admits. The first call counts. */
  settle(refusal?: unknown): void;
  isSettled(): boolean;
}

export function createQuotaBatches(options: QuotaBatchOptions): QuotaBatches {
  const { resourceQuotas, limitedResources } = options;
  /** Requests that wait while a batch of their namespace is under way; no entry: none is. */
  const waiting = new Map<string, Set<Waiter>>();
  const run = async (namespace: string, first: Waiter) => {
    let batch = [first];
    while (batch.length > 0) {
      const gathering = new Set<Waiter>();
      waiting.set(namespace, gathering);
      await decideBatch(namespace, batch, options);
      batch = [...gathering];
    }
    waiting.delete(namespace);
  };
  return {
    async evaluate(attributes, evaluator) {
      const { namespace } = attributes;
      if (limitedResources.length === 0 && resourceQuotas.list(namespace).length === 0) return;
      const { promise, waiter } = createWaiter(attributes, evaluator, options.clock);
      const gathering = waiting.get(namespace);
      if (gathering === undefined) void run(namespace, waiter);
      gathering?.add(waiter);
      try {
        await promise;
      } finally {
        // Who has given up must not be kept by a batch that does not end.
        gathering?.delete(waiter);
      }
    },
  };
}

function createWaiter(
  attributes: AdmissionAttributes,
  evaluator: QuotaEvaluator,
  clock: Clock,
): { readonly promise: Promise<void>; readonly waiter: Waiter } {
  let settled = false;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const settle = (refusal?: unknown) => {
    if (settled) return;
    settled = true;
    cancel();
    if (refusal === undefined) resolve();
    else reject(refusal);
  };
  const cancel = clock.after(evaluationTimeoutMs, () => settle(quotaTimeout()));
  return { promise, waiter: { attributes, evaluator, settle, isSettled: () => settled } };
}

/** Settles every waiter and never rejects. */
async function decideBatch(
  namespace: string,
  batch: readonly Waiter[],
  { resourceQuotas, limitedResources, writer }: QuotaBatchOptions,
): Promise<void> {
  try {
    let present = resourceQuotas.list(namespace).map(runningQuota);
    for (let attempt = 0; ; attempt++) {
      const undecided = batch.filter((waiter) => !waiter.isSettled());
      const after = chargeAll(present, undecided, limitedResources);
      const failed = await writeChanged(present, after, writer);
      if (failed.size === 0) break;
      if (attempt === retriesMax) throw [...failed.values()].at(-1);
      present = resourceQuotas
        .list(namespace)
        .filter((quota) => failed.has(quota.metadata.name ?? ''))
        .map(runningQuota);
    }
    for (const waiter of batch) waiter.settle();
  } catch (error) {
    for (const waiter of batch) waiter.settle(error);
  }
}

/** Settles whoever is refused or changes nothing; the others wait for the writes. */
function chargeAll(
  quotas: readonly RunningQuota[],
  waiters: readonly Waiter[],
  limited: readonly LimitedResource[],
): readonly RunningQuota[] {
  let running = quotas;
  for (const { attributes, evaluator, settle } of waiters) {
    try {
      attributes.signal.throwIfAborted();
      const after = checkRequest(running, attributes, evaluator, limited);
      if (attributes.dryRun || !isAnyChanged(running, after)) settle();
      else running = after;
    } catch (refusal) {
      settle(refusal);
    }
  }
  return running;
}

function isAnyChanged(before: readonly RunningQuota[], after: readonly RunningQuota[]): boolean {
  return before !== after && before.some((quota, i) => isChanged(quota, after[i] ?? quota));
}

function isChanged(before: RunningQuota, after: RunningQuota): boolean {
  return before !== after && !listsEqual(before.used, after.used);
}

/** Errors by the name of the quota that could not be written. */
async function writeChanged(
  before: readonly RunningQuota[],
  after: readonly RunningQuota[],
  writer: QuotaStatusWriter,
): Promise<Map<string, unknown>> {
  const failed = new Map<string, unknown>();
  for (const [i, running] of after.entries()) {
    if (!isChanged(before[i] ?? running, running)) continue;
    try {
      await writer.updateQuotaStatus(withUsage(running));
    } catch (error) {
      // A quota that was deleted meanwhile limits nobody any more.
      if (!isStatusError(error, 'NotFound')) failed.set(running.quota.metadata.name ?? '', error);
    }
  }
  return failed;
}

function withUsage({ quota, used }: RunningQuota): KubeObject {
  const { status } = asKind<ResourceQuota>(quota);
  return { ...quota, status: { ...status, used: writeResourceList(used) } };
}
