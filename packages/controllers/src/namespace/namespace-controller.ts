// Empties namespaces that are being deleted and lets them go.
//
// A namespace whose deletion was asked for stays until this controller has removed all it held and
// taken `kubernetes` off `spec.finalizers`. What stands in the way is told in `status.conditions`.

import { formatTime, isStatusError } from '@keelson/apimachinery';
import type { Namespace } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { namespacesResource } from '../machinery/resources.ts';
import { runController, type ReconcileResult } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';
import { discoveryFailure, findingsOf, mergeConditions } from './conditions.ts';
import { deleteContent } from './delete-content.ts';

export interface NamespaceControllerOptions {
  /**
   * How long a deleted namespace is left alone, so that requests which saw it before come to their
   * end. Kubernetes waits five seconds for other API servers to see the deletion; in one process
   * all have seen it.
   */
  readonly deletionGraceMs?: number;
}

const defaultDeletionGraceMs = 75;
/**
 * First wait when something is left; doubles with every look in vain, up to half of the estimate.
 */
const firstRetryMs = 100;
const workers = 5;
const ownFinalizer = 'kubernetes';

export function createNamespaceController(
  context: ControllerContext,
  options: NamespaceControllerOptions = {},
): Controller {
  const { informers, clock, log, metrics } = context;
  const { deletionGraceMs = defaultDeletionGraceMs } = options;
  const queue = createWorkQueue({ clock, meter: metrics.workQueue('namespace') });
  const looks = new Map<string, number>();
  const namespaces = informers.informer<Namespace>(namespacesResource);
  const enqueue = ({ metadata }: Namespace) => {
    if (metadata.deletionTimestamp !== undefined)
      queue.addAfter(metadata.name ?? '', deletionGraceMs);
  };
  return {
    run(signal) {
      const unsubscribe = namespaces.addHandler({
        onAdd: enqueue,
        onUpdate: enqueue,
        onDelete: ({ metadata }) => void looks.delete(metadata.name ?? ''),
      });
      const reconcile = async (name: string): Promise<ReconcileResult> => {
        const estimateSeconds = await reconcileNamespace(context, name, signal);
        if (estimateSeconds === 0) return void looks.delete(name);
        const look = looks.get(name) ?? 0;
        looks.set(name, look + 1);
        return {
          requeueAfterMs: Math.min(firstRetryMs * 2 ** look, (estimateSeconds / 2 + 1) * 1000),
        };
      };
      const onError = (error: unknown, name: string) =>
        log.warn('namespace could not be emptied', { namespace: name, error: errorText(error) });
      return runController({ queue, reconcile, workers, onError }, signal).finally(unsubscribe);
    },
  };
}

/** Returns the seconds after which it is worth another look, 0 when there is nothing more to do. */
async function reconcileNamespace(
  { client, clock, isEnabled }: ControllerContext,
  name: string,
  signal: AbortSignal,
): Promise<number> {
  const namespaces = client.resource<Namespace>(namespacesResource);
  let namespace: Namespace;
  try {
    namespace = await namespaces.get(name, { signal });
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return 0;
    throw error;
  }
  const { deletionTimestamp } = namespace.metadata;
  const finalizers = namespace.spec?.finalizers ?? [];
  if (deletionTimestamp === undefined || finalizers.length === 0) return 0;

  const deletedForSeconds = (clock.now() - Date.parse(deletionTimestamp)) / 1000;
  const arePodsFirst = isEnabled('OrderedNamespaceDeletion');
  const content = { client, namespace: name, deletedForSeconds, arePodsFirst, signal };
  const { report, estimateSeconds } = await deleteContent(content);
  const now = formatTime(clock.now());
  const { status = {} } = namespace;
  const conditions = mergeConditions(status.conditions ?? [], findingsOf(report), now);
  if (conditions !== undefined || status.phase !== 'Terminating') {
    const next = { ...status, phase: 'Terminating', ...(conditions && { conditions }) };
    const update = { ...namespace, status: next };
    namespace = await namespaces.update(update, { subresource: 'status', signal });
  }
  const { stale, deletionErrors } = report;
  const problems = [...(stale.length > 0 ? [discoveryFailure(stale)] : []), ...deletionErrors];
  if (problems.length > 0) throw new Error(problems.join(', '));
  if (estimateSeconds > 0) return estimateSeconds;

  const left = finalizers.filter((finalizer) => finalizer !== ownFinalizer);
  const finalized = { ...namespace, spec: { ...namespace.spec, finalizers: left } };
  await namespaces.update(finalized, { subresource: 'finalize', signal });
  return 0;
}
