// Deletes objects whose owners are gone, and carries out deletions in the foreground and with
// orphans (https://kubernetes.io/docs/concepts/architecture/garbage-collection/).
//
// The graph of owners and dependents follows the informers; it only says what to look at. Every
// decision is made from the live object and its live owners, and every write is conditional on
// them.

import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { createEventRecorder } from '../machinery/event-recorder.ts';
import { requeueLater, runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';
import type { Client } from '@keelson/client';
import { createAbsentOwners } from './absent-owners.ts';
import { attemptToDelete } from './attempt-to-delete.ts';
import { attemptToOrphan } from './attempt-to-orphan.ts';
import { NamespacedOwnerError } from './classify-owners.ts';
import { createDependencyGraph, type GraphNode } from './dependency-graph.ts';
import { createLiveObjects } from './live-objects.ts';
import { formatReference, ownerOf } from './object-reference.ts';
import { createResourceMapping, UnknownKindError } from './resource-mapping.ts';
import { createResourceMonitors } from './resource-monitors.ts';

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
  const { client, clock, log } = context;
  const deletions = createWorkQueue({ clock });
  const orphanings = createWorkQueue({ clock });
  const synchronizations = createWorkQueue({ clock });
  const absent = createAbsentOwners();
  const report = createInvalidOwnerReport(context);
  /** Deleted by this controller; their dependents are next. */
  const collected = new Set<string>();
  let delayMs = settleMs;
  const graph = createDependencyGraph(
    {
      attemptToDelete: (uid) => deletions.addAfter(uid, delayMs),
      attemptToOrphan: (uid) => orphanings.addAfter(uid, delayMs),
      reportInvalidOwner: report,
    },
    absent,
  );
  const objects = createLiveObjects(client, createResourceMapping(client.discovery));
  const monitors = createResourceMonitors(context, {
    client: monitorClient,
    events: {
      onChange: (identity, metadata) => graph.observe(identity, metadata),
      onDelete({ uid }) {
        delayMs = collected.delete(uid) ? 0 : settleMs;
        graph.remove(uid);
        delayMs = settleMs;
      },
      onDefinitionChange: () => synchronizations.addAfter(monitorsKey, definitionSettleMs),
    },
  });

  const reconcileDeletion = async (uid: string, signal: AbortSignal) => {
    const node = graph.get(uid);
    if (node === undefined) return;
    const dependencies = {
      objects,
      absent,
      graph,
      attemptToDelete: (other: string) => deletions.add(other),
    };
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
    // Not seen by an informer yet, and the server has it: it could come and go unseen, so look
    // again.
    return graph.get(uid)?.isVirtual === true ? requeueLater : undefined;
  };
  const reconcileOrphaning = async (uid: string, signal: AbortSignal) => {
    const node = graph.get(uid);
    if (node !== undefined) await attemptToOrphan(objects, node, signal);
  };
  const onError = (what: string) => (error: unknown, uid: string) => {
    // References to kinds that nobody serves are common and harmless: what they keep, stays.
    if (error instanceof UnknownKindError) return;
    log.warn(what, { uid, name: graph.get(uid)?.identity.name, error: errorText(error) });
  };

  return {
    async run(signal) {
      synchronizations.add(monitorsKey);
      const synchronizing = runController(
        {
          queue: synchronizations,
          reconcile: async () => {
            await monitors.synchronize(signal);
            return { requeueAfterMs: resynchronizeMs };
          },
          workers: 1,
          onError: onError('resources not discovered'),
        },
        signal,
      );
      await Promise.all([
        synchronizing,
        runController(
          {
            queue: deletions,
            reconcile: reconcileDeletion,
            workers: deletionWorkers,
            onError: onError('garbage not collected'),
          },
          signal,
        ),
        runController(
          {
            queue: orphanings,
            reconcile: reconcileOrphaning,
            workers: orphanWorkers,
            onError: onError('dependents not orphaned'),
          },
          signal,
        ),
      ]);
    },
  };
}

/** Tells the user, with an event at the dependent, that its owner can never be one. */
function createInvalidOwnerReport({ client, clock, log }: ControllerContext) {
  const events = createEventRecorder({
    client,
    clock,
    component: 'garbage-collector-controller',
    onError: (error) => log.warn('event not written', { error: errorText(error) }),
  });
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
