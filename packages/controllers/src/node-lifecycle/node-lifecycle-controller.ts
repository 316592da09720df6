// Tells the cluster about nodes that are not well: conditions of silent nodes become unknown, their
// pods are not ready, and taints keep new pods away (NoSchedule, at once) and move running ones
// (NoExecute, at the pace of their zone). taint-eviction-controller acts on the latter. Nodes that
// come and go are told of.

import { isStatusError } from '@keelson/apimachinery';
import type { Lease } from '@keelson/apimachinery/types/coordination.k8s.io.v1';
import type { Node, Pod, Taint } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { leasesResource, nodesResource, podsResource } from '../machinery/resources.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { indexByNode } from '../pods/pods-by-node.ts';
import { markPodsNotReady } from './mark-pods-not-ready.ts';
import {
  isSilent,
  monitorPeriodMs,
  nextHealth,
  readyConditionOf,
  unknownConditions,
  type NodeHealth,
} from './node-health.ts';
import {
  hasNoExecuteTaint,
  notReadyKey,
  unreachableKey,
  withNoExecuteTaint,
  withNoScheduleTaints,
} from './node-taints.ts';
import { wantedOldLabels } from './old-labels.ts';
import { createZoneMetrics, type ZoneMetrics } from './zone-metrics.ts';
import {
  createEvictionPace,
  evictionRateOf,
  zoneOf,
  zoneState,
  type EvictionPace,
} from './zones.ts';

const nodeKind = { apiVersion: 'v1', kind: 'Node', resource: nodesResource };
const leaseNamespace = 'kube-node-lease';
const workers = 8;

interface Tools {
  readonly context: ControllerContext;
  readonly nodes: Informer<Node>;
  readonly pods: Informer<Pod>;
  readonly leases: Informer<Lease>;
  readonly events: EventRecorder;
  readonly health: Map<string, NodeHealth>;
  /** Whose pods are still to be marked. */
  readonly unmarked: Set<string>;
  readonly pace: EvictionPace;
  readonly metrics: ZoneMetrics;
  wasAllDisrupted: boolean;
}

export function createNodeLifecycleController(context: ControllerContext): Controller {
  const { informers, clock } = context;
  const nodes = informers.informer<Node>(nodesResource);
  const pods = informers.informer<Pod>(podsResource);
  const leases = informers.informer<Lease>(leasesResource);
  indexByNode(pods);
  const events = createControllerEvents(context, 'node-controller');
  const tools: Tools = {
    context,
    nodes,
    pods,
    leases,
    events,
    health: new Map(),
    unmarked: new Set(),
    pace: createEvictionPace(clock),
    metrics: createZoneMetrics(context.metrics),
    wasAllDisrupted: false,
  };
  const tainting = createReconciler(context, {
    failure: 'taints or labels of the node not written',
    queue: 'node_lifecycle_controller',
    workers,
    reads: [nodes],
    subscribe: (queue) => {
      const enqueue = (node: Node) => queue.add(keyOf(node));
      return [nodes.addHandler({ onAdd: enqueue, onUpdate: enqueue })];
    },
    async reconcile(name, signal) {
      await taintBySchedule(tools, name, signal);
      await labelAsBefore(tools, name, signal);
    },
  });
  const monitoring = createReconciler(context, {
    failure: 'nodes not monitored',
    workers: 1,
    reads: [nodes, pods, leases],
    subscribe: (queue) => {
      queue.add('all nodes');
      return [];
    },
    async reconcile(_, signal) {
      await monitor(tools, signal);
      return { requeueAfterMs: monitorPeriodMs };
    },
  });
  return {
    run: async (signal) => void (await Promise.all([tainting.run(signal), monitoring.run(signal)])),
  };
}

async function taintBySchedule(tools: Tools, name: string, signal: AbortSignal): Promise<void> {
  const node = tools.nodes.store.get('', name);
  if (node === undefined) return;
  const taints = withNoScheduleTaints(node, tools.context.clock.now());
  if (taints !== undefined) await writeTaints(tools, node, taints, signal);
}

async function labelAsBefore(
  { nodes, context }: Tools,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const labels = wantedOldLabels(nodes.store.get('', name)?.metadata.labels);
  if (labels === undefined) return;
  try {
    const patch = { metadata: { labels } };
    await context.client.resource(nodesResource).patch(name, 'strategic', patch, { signal });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}

async function writeTaints(
  { context }: Tools,
  { metadata: { name = '', resourceVersion = '' } }: Node,
  taints: readonly Taint[],
  signal: AbortSignal,
): Promise<void> {
  // The version makes it a conflict if somebody else wrote taints meanwhile.
  const patch = {
    metadata: { resourceVersion },
    spec: { taints: taints.length === 0 ? null : taints.map((taint) => ({ ...taint })) },
  };
  try {
    await context.client.resource(nodesResource).patch(name, 'merge', patch, { signal });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}

/** One node's failure is not the others': it is tried again in the next round. */
async function monitor(tools: Tools, signal: AbortSignal): Promise<void> {
  const nodes = tools.nodes.store.list();
  const names = new Set(nodes.map(({ metadata }) => metadata.name ?? ''));
  for (const { metadata } of nodes) {
    const { name = '', uid = '' } = metadata;
    if (!tools.health.has(name)) tell(tools, { name, uid }, 'Registered');
  }
  for (const [name, { uid }] of tools.health) {
    if (names.has(name)) continue;
    tell(tools, { name, uid }, 'Removing');
    tools.health.delete(name);
  }
  for (const name of tools.unmarked) if (!names.has(name)) tools.unmarked.delete(name);
  const current: Node[] = [];
  const { clock } = tools.context;
  const secondsSince = (startedMs: number) => (clock.monotonic() - startedMs) / 1000;
  const startedMs = clock.monotonic();
  for (const node of nodes) {
    const nodeStartedMs = clock.monotonic();
    current.push(await attempt(tools, node, () => listen(tools, node, signal)));
    tools.metrics.lookedAtOne(secondsSince(nodeStartedMs));
  }
  tools.metrics.looked(current, secondsSince(startedMs));
  await setPace(tools, current, signal);
}

async function attempt(tools: Tools, node: Node, work: () => Promise<Node | void>): Promise<Node> {
  try {
    return (await work()) ?? node;
  } catch (error) {
    if (!isStatusError(error, 'Conflict'))
      tools.context.log.warn('node not monitored', {
        node: node.metadata.name,
        error: errorText(error),
      });
    return node;
  }
}

/** Returns the node as it is now. */
async function listen(tools: Tools, node: Node, signal: AbortSignal): Promise<Node> {
  const { context, health, leases, pods, unmarked } = tools;
  const { name = '' } = node.metadata;
  const now = context.clock.now();
  const lease = leases.store.get(leaseNamespace, name);
  const latest = nextHealth(health.get(name), node, { lease, now });
  health.set(name, latest);
  const conditions = isSilent(latest, node, now) ? unknownConditions(node, now) : undefined;
  let current = node;
  if (conditions !== undefined) {
    const wasReady = readyConditionOf(node)?.status === 'True';
    const status = { ...node.status, conditions };
    current = await context.client
      .resource<Node>(nodesResource)
      .update({ ...node, status }, { subresource: 'status', signal });
    // What this controller wrote is no sign of life.
    health.set(name, {
      ...nextHealth(undefined, current, { lease, now }),
      heardAt: latest.heardAt,
    });
    if (wasReady) {
      tellNotReady(tools, current);
      unmarked.add(name);
    }
  }
  if (unmarked.has(name) && readyConditionOf(current)?.status !== 'True') {
    await markPodsNotReady({ context, pods, events: tools.events }, name, signal);
  }
  unmarked.delete(name);
  return current;
}

function tell(
  { events }: Tools,
  { name, uid }: { readonly name: string; readonly uid: string },
  what: 'Registered' | 'Removing',
): void {
  const { apiVersion, kind } = nodeKind;
  const end = what === 'Registered' ? 'in' : 'from';
  events.record(
    { apiVersion, kind, namespace: '', name, uid },
    {
      type: 'Normal',
      reason: `${what}Node`,
      message: `Node ${name} event: ${what} Node ${name} ${end} Controller`,
    },
  );
}

function tellNotReady({ events }: Tools, node: Node): void {
  const { name = '' } = node.metadata;
  events.record(eventTarget(nodeKind, node), {
    type: 'Normal',
    reason: 'NodeNotReady',
    message: `Node ${name} status is now: NodeNotReady`,
  });
}

async function setPace(tools: Tools, nodes: readonly Node[], signal: AbortSignal): Promise<void> {
  const { pace, health, context } = tools;
  const zones = Map.groupBy(nodes, zoneOf);
  pace.keep(new Set(zones.keys()));
  const states = new Map([...zones].map(([zone, members]) => [zone, zoneState(members)]));
  const isAllDisrupted =
    zones.size > 0 && [...states.values()].every((state) => state === 'full-disruption');
  if (tools.wasAllDisrupted && !isAllDisrupted) {
    // Whoever could not be heard gets a whole grace period to be heard again.
    for (const [name, entry] of health)
      health.set(name, { ...entry, heardAt: context.clock.now() });
  }
  tools.wasAllDisrupted = isAllDisrupted;
  for (const [zone, members] of zones) {
    const rate = evictionRateOf(states.get(zone) ?? 'normal', members.length);
    for (const node of members.toSorted(bySilence)) {
      const key = isAllDisrupted ? undefined : evictionTaint(node);
      const taints = withNoExecuteTaint(node, key, context.clock.now());
      if (taints === undefined) continue;
      const isNew = key !== undefined && !hasNoExecuteTaint(node);
      if (isNew && !pace.take(zone, rate)) continue;
      if (isNew) tools.metrics.evicting(node);
      await attempt(tools, node, () => writeTaints(tools, node, taints, signal));
    }
  }
}

function evictionTaint(node: Node): string | undefined {
  switch (readyConditionOf(node)?.status) {
    case 'False':
      return notReadyKey;
    case 'Unknown':
      return unreachableKey;
    default:
      return undefined;
  }
}

/** Who has been unwell for longest comes first. */
function bySilence(a: Node, b: Node): number {
  const since = (node: Node) => Date.parse(readyConditionOf(node)?.lastTransitionTime ?? '') || 0;
  return since(a) - since(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);
}
