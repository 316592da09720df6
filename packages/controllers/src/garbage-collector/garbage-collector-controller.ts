// Deletes objects whose owners are gone, and carries out deletions in the foreground and with
// orphans (https://kubernetes.io/docs/concepts/architecture/garbage-collection/).
//
// The graph of owners and dependents follows the informers; it only says what to look at. Every
// decision is made from the live object and its live owners, and every write is conditional on
// them.

import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import {
  requeueLater,
  runController,
  type ReconcileResult,
  type RunControllerOptions,
} from '../machinery/run-controller.ts';
import { createWorkQueue, type WorkQueue } from '../machinery/work-queue.ts';
import type { Client } from '@keelson/client';
import { createAbsentOwners, type AbsentOwners } from './absent-owners.ts';
import { attemptToDelete } from './attempt-to-delete.ts';
import { attemptToOrphan } from './attempt-to-orphan.ts';
import { NamespacedOwnerError } from './classify-owners.ts';
import { createDependencyGraph, type DependencyGraph, type GraphNode } from './dependency-graph.ts';
import { createLiveObjects, type LiveObjects } from './live-objects.ts';
import { formatReference, ownerOf } from './object-reference.ts';
import { createResourceMapping, UnknownKindError } from '../machinery/resource-mapping.ts';
import { createResourceMonitors, type MonitorEvents } from './resource-monitors.ts';

export interface GarbageCollectorOptions {
  /** Reads all metadata of the cluster; the context's client does the rest. */
  readonly monitorClient: Client;
  /**
   * How long something that has changed is left alone, so that who changes several objects one
   * after the other, and reads them again, sees no half of it. What the collector itself deletes is
   * followed up at once.
   */
  readonly settleMs?: number;
}

const deletionWorkers = 8;
const orphanWorkers = 4;
/** Definitions that change together are looked at once. */
const definitionSettleMs = 20;
/** However many change, discovery is read no oftener than this. */
const synchronizeIntervalMs = 500;
/**
 * Changes of served resources that no definition tells about (an extension server) are found in
 * time.
 */
const resynchronizeMs = 30_000;
const defaultSettleMs = 100;
const monitorsKey = 'monitors';

export function createGarbageCollectorController(
  context: ControllerContext,
  { monitorClient, settleMs = defaultSettleMs }: GarbageCollectorOptions,
): Controller {
  const { client, clock, log, metrics } = context;
  const queues: Queues = {
    deletions: createWorkQueue({
      clock,
      meter: metrics.workQueue('garbage_collector_attempt_to_delete'),
    }),
    orphanings: createWorkQueue({
      clock,
      meter: metrics.workQueue('garbage_collector_attempt_to_orphan'),
    }),
    synchronizations: createWorkQueue({ clock }),
  };
  const followed = followCluster(context, queues, settleMs);
  const { graph, events } = followed;
  const objects = createLiveObjects(client, createResourceMapping(client.discovery));
  const monitors = createResourceMonitors(context, { client: monitorClient, events });
  const syncErrors = metrics.counter(
    'garbagecollector_controller_resources_sync_error_total',
    '[ALPHA] Number of garbage collector resources sync errors',
  );
  const onError = (what: string) => (error: unknown, uid: string) => {
    // References to kinds that nobody serves are common and harmless: what they keep, stays.
    if (error instanceof UnknownKindError) return;
    log.warn(what, { uid, name: graph.get(uid)?.identity.name, error: errorText(error) });
  };
  const synchronizing: RunControllerOptions<string> = {
    queue: queues.synchronizations,
    async reconcile(_key, signal) {
      try {
        await monitors.synchronize(signal);
      } catch (error) {
        syncErrors.add({});
        throw error;
      }
      return { requeueAfterMs: resynchronizeMs };
    },
    workers: 1,
    onError: onError('resources not discovered'),
  };
  const deleting: RunControllerOptions<string> = {
    queue: queues.deletions,
    reconcile: createDeletionReconciler(followed, objects, queues),
    workers: deletionWorkers,
    onError: onError('garbage not collected'),
  };
  const orphaning: RunControllerOptions<string> = {
    queue: queues.orphanings,
    async reconcile(uid, signal) {
      const node = graph.get(uid);
      if (node !== undefined) await attemptToOrphan(objects, node, signal);
    },
    workers: orphanWorkers,
    onError: onError('dependents not orphaned'),
  };
  return {
    async run(signal) {
      queues.synchronizations.add(monitorsKey);
      const all = [synchronizing, deleting, orphaning];
      await Promise.all(all.map((options) => runController(options, signal)));
    },
  };
}

interface Queues {
  readonly deletions: WorkQueue;
  readonly orphanings: WorkQueue;
  readonly synchronizations: WorkQueue;
}

/** The graph as the monitors' events make it, which leaves its wishes in the queues. */
interface FollowedCluster {
  readonly graph: DependencyGraph;
  readonly absent: AbsentOwners;
  readonly events: MonitorEvents;
  /** Objects that this controller deletes: when they go, their dependents are next. */
  readonly collected: Set<string>;
}

function followCluster(
  context: ControllerContext,
  { deletions, orphanings, synchronizations }: Queues,
  settleMs: number,
): FollowedCluster {
  const absent = createAbsentOwners();
  const collected = new Set<string>();
  const { clock } = context;
  let delayMs = settleMs;
  let synchronizeAtMs = -synchronizeIntervalMs;
  const graph = createDependencyGraph(
    {
      attemptToDelete: (uid) => deletions.addAfter(uid, delayMs),
      attemptToOrphan: (uid) => orphanings.addAfter(uid, delayMs),
      reportInvalidOwner: createInvalidOwnerReport(context),
    },
    absent,
  );
  const events: MonitorEvents = {
    onChange: (identity, metadata) => graph.observe(identity, metadata),
    onDelete({ uid }) {
      delayMs = collected.delete(uid) ? 0 : settleMs;
      graph.remove(uid);
      delayMs = settleMs;
    },
    onDefinitionChange() {
      const nowMs = clock.monotonic();
      if (synchronizeAtMs <= nowMs)
        synchronizeAtMs = Math.max(
          nowMs + definitionSettleMs,
          synchronizeAtMs + synchronizeIntervalMs,
        );
      synchronizations.addAfter(monitorsKey, synchronizeAtMs - nowMs);
    },
  };
  return { graph, absent, events, collected };
}

function createDeletionReconciler(
  { graph, absent, collected }: FollowedCluster,
  objects: LiveObjects,
  { deletions }: Queues,
): (uid: string, signal: AbortSignal) => Promise<ReconcileResult> {
  const enqueue = (uid: string) => deletions.add(uid);
  const dependencies = { objects, absent, graph, attemptToDelete: enqueue };
  return async (uid, signal) => {
    const node = graph.get(uid);
    if (node === undefined) return;
    let isDeleted = false;
    // Before the attempt: the informer may be faster than the answer.
    collected.add(uid);
    try {
      isDeleted = await attemptToDelete(dependencies, node, signal);
    } catch (error) {
      if (!(error instanceof NamespacedOwnerError)) throw error;
    } finally {
      if (!isDeleted) collected.delete(uid);
    }
    // Not seen by an informer yet, and the server has it: it could come and go unseen.
    return graph.get(uid)?.isVirtual === true ? requeueLater : undefined;
  };
}

/** Tells the user, with an event at the dependent, that its owner can never be one. */
function createInvalidOwnerReport(context: ControllerContext) {
  const events = createControllerEvents(context, 'garbage-collector-controller');
  return ({ identity, owners }: GraphNode, ownerUid: string): void => {
    const owner = owners.find(({ uid }) => uid === ownerUid);
    if (owner === undefined) return;
    const reference = formatReference(ownerOf(owner, identity.namespace));
    const namespace = JSON.stringify(identity.namespace);
    events.record(identity, {
      type: 'Warning',
      reason: 'OwnerRefInvalidNamespace',
      message: `ownerRef ${reference} does not exist in namespace ${namespace}`,
    });
  };
}
