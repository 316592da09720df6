// The scheduler: follows pods and nodes, takes one pod after the other from its queue, and binds it
// to the node that the cycle found. Binding waits for the server beside the next cycle; until then
// the pod is assumed to be where it will be.

import {
  nextTurn,
  type GroupVersionResource,
  type KubeObject,
  type SchedulingExplanation,
} from '@keelson/apimachinery';
import type { Namespace, Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { servedTaintRules } from '../device-taint-eviction/rule-taints.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import {
  namespacesResource,
  podsResource,
  resourceClaimsResource,
} from '../machinery/resources.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { bindPod } from './bind-pod.ts';
import {
  defaultConfiguration,
  defaultSchedulerName,
  type SchedulerConfiguration,
} from './configuration/scheduler-configuration.ts';
import { createClaimTracker } from './dra/claim-tracker.ts';
import { explainScheduling } from './explain/scheduling-explainer.ts';
import type { Reservation } from './framework.ts';
import { createInformerLookup } from './informer-lookup.ts';
import { createNominatedPods, type NominatedPods } from './nominated-pods.ts';
import { writePodScheduled, type PodScheduledUpdate } from './pod-status.ts';
import { evictVictims } from './preemption/default-preemption.ts';
import type { ClusterEvent, WatchedResource } from './queue/cluster-event.ts';
import {
  createSchedulingQueue,
  type QueuedPod,
  type SchedulingQueue,
  type SchedulingQueueOptions,
} from './queue/scheduling-queue.ts';
import {
  createSchedulingCore,
  type SchedulingCore,
  type SchedulingCoreOptions,
  type SchedulingProfile,
} from './scheduling-core.ts';
import { createSchedulerEvents, type SchedulerEvents } from './scheduler-events.ts';
import type { NodeState } from './snapshot/node-state.ts';
import { summarizePod, type PodSummary } from './snapshot/pod-summary.ts';

export interface Scheduler extends Controller {
  /**
   * Why each node takes the pod, or does not, and what would have to change; undefined when there is
   * no such pod.
   */
  explain(namespace: string, name: string): Promise<SchedulingExplanation> | undefined;
}

interface Tools extends SchedulingCore {
  readonly context: ControllerContext;
  readonly events: SchedulerEvents;
  readonly queue: SchedulingQueue;
}

const nodesResource = { group: '', version: 'v1', resource: 'nodes' };
/** Cycles in a row before others get a turn. */
const cyclesPerTurn = 8;
/** Bindings under way; more wait, so that the server is not overrun. */
const bindingsMax = 128;

export interface SchedulerOptions {
  /** Feature gates of the emulated release. */
  readonly isEnabled: (gate: string) => boolean;
  readonly isServed: (resource: GroupVersionResource) => boolean;
  readonly configuration?: SchedulerConfiguration | undefined;
}

export function createScheduler(
  context: ControllerContext,
  { isEnabled, isServed, configuration = defaultConfiguration }: SchedulerOptions,
): Scheduler {
  const { client, informers, clock, random } = context;
  const { lookup, reads, watch } = createInformerLookup(informers);
  const devices = trackDevices(informers, { isEnabled, isServed });
  const pods = informers.informer<Pod>(podsResource);
  const nodes = informers.informer<Node>(nodesResource);
  const namespaces = informers.informer<Namespace>(namespacesResource);
  const events = createSchedulerEvents(context);
  const nominated = createNominatedPods();
  const coreOptions: SchedulingCoreOptions = {
    lookup,
    random,
    client,
    clock,
    isEnabled,
    configuration,
    claims: devices?.tracker,
    evict: evictionBy(context, nominated, events),
    tellWaiting: (pod, message) =>
      tell({ events }, pod, { type: 'Normal', reason: 'BindingConditionsPending', message }),
  };
  const core = createSchedulingCore(coreOptions, nominated);
  const { cluster } = core;
  const queue = createSchedulingQueue({
    clock,
    backoffMinMs: configuration.podInitialBackoffMs,
    backoffMaxMs: configuration.podMaxBackoffMs,
    ...questionsOf(core),
  });
  const tools: Tools = { context, events, queue, ...core };
  return {
    explain(namespace, name) {
      const pod = pods.store.get(namespace, name);
      const openCore = () => createSchedulingCore(coreOptions, nominated);
      const isOwn = (asked: Pod) => profileFor(core, asked) !== undefined;
      return pod && explainScheduling({ cluster, openCore, isOwn }, pod);
    },
    async run(signal) {
      const ends = [
        nodes.addHandler(nodeHandler(tools)),
        pods.addHandler(podHandler(tools)),
        namespaces.addHandler({ onUpdate: () => cluster.groups.forget() }),
        watch((event) => queue.happened(event)),
        ...watchDevices(devices?.informers, (event) => queue.happened(event)),
      ];
      const all = [pods, nodes, ...reads, ...Object.values(devices?.informers ?? {})].map(
        (informer) => informer.synced(signal),
      );
      // Rejects with the signal only, and then there is nothing left to run.
      await Promise.all(all).catch(() => {});
      await runCycles(tools, signal);
      for (const end of ends) end();
      queue.stop();
    },
  };
}

/** Undefined where the emulated release has no claims of this version. */
function trackDevices(informers: ControllerContext['informers'], options: SchedulerOptions) {
  return options.isServed(resourceClaimsResource)
    ? createClaimTracker(informers, servedTaintRules(options))
    : undefined;
}

function evictionBy(
  { client, clock }: ControllerContext,
  nominated: NominatedPods,
  events: SchedulerEvents,
): SchedulingCoreOptions['evict'] {
  return (pod, candidate, signal) => {
    const schedulerName = schedulerNameOf(pod.pod.spec);
    const tools = {
      client,
      nominated,
      schedulerName,
      now: () => clock.now(),
      tell: (victim: PodSummary, message: string) =>
        tell({ events }, victim, { type: 'Normal', reason: 'Preempted', message }, schedulerName),
    };
    return evictVictims(tools, pod, candidate, signal);
  };
}

function profileFor(core: SchedulingCore, { spec }: Pod): SchedulingProfile | undefined {
  return core.profileOf(schedulerNameOf(spec));
}

function schedulerNameOf({ schedulerName = defaultSchedulerName }: Pod['spec']): string {
  return schedulerName;
}

/** What the queue asks about a pod, of the plugins of its profile. */
function questionsOf(core: SchedulingCore): Pick<SchedulingQueueOptions, 'gateOf' | 'mayHelp'> {
  const byName = new Map(
    core.profiles.map((profile) => [
      profile,
      new Map(profile.plugins.map((plugin) => [plugin.name, plugin])),
    ]),
  );
  return {
    gateOf(pod) {
      for (const { name, preEnqueue } of profileFor(core, pod.pod)?.plugins ?? []) {
        const reason = preEnqueue?.(pod);
        if (reason !== undefined) return { plugin: name, reason };
      }
      return undefined;
    },
    mayHelp(name, pod, event) {
      const profile = profileFor(core, pod.pod);
      const plugin = profile && byName.get(profile)?.get(name);
      return plugin?.mayHelp(pod, event) ?? true;
    },
  };
}

function watchDevices(
  informers: ReturnType<typeof createClaimTracker>['informers'] | undefined,
  tell: (event: ClusterEvent) => void,
): (() => void)[] {
  if (informers === undefined) return [];
  const { claims, slices, classes, rules } = informers;
  const handler = (resource: WatchedResource) => {
    const changed = (object: KubeObject) => tell({ kind: 'object', resource, object });
    const onDelete = (object: KubeObject) =>
      tell({ kind: 'object', resource, object, isDeletion: true });
    return { onAdd: changed, onUpdate: changed, onDelete };
  };
  return [
    claims.addHandler(handler('resourceclaims')),
    slices.addHandler(handler('resourceslices')),
    classes.addHandler(handler('deviceclasses')),
    ...(rules === undefined ? [] : [rules.addHandler(followRules(handler('resourceslices')))]),
  ];
}

/** A rule changes what slices are taken for, by coming and by going. */
function followRules({ onAdd: changed }: { onAdd(object: KubeObject): void }) {
  return { onAdd: changed, onUpdate: changed, onDelete: changed };
}

function nodeHandler({ cluster, queue }: Tools) {
  const put = (node: Node, old?: Node) => {
    cluster.putNode(node);
    if (old === undefined || isRelevantChange(node, old))
      queue.happened({ kind: 'node', node, ...(old !== undefined && { old }) });
  };
  return {
    onAdd: (node: Node) => put(node),
    onUpdate: put,
    onDelete(node: Node) {
      cluster.removeNode(node.metadata.name ?? '');
      queue.happened({ kind: 'node-deleted', node });
    },
  };
}

/** Heartbeats say nothing new. */
function isRelevantChange(node: Node, old: Node): boolean {
  const facts = ({ metadata, spec, status }: Node) =>
    JSON.stringify([
      metadata.labels,
      metadata.annotations,
      spec,
      status?.allocatable,
      status?.conditions?.map(({ type, status: value }) => [type, value]),
    ]);
  return facts(node) !== facts(old);
}

function podHandler(tools: Tools) {
  const { cluster, nominated, queue } = tools;
  const leave = (pod: Pod) => {
    const uid = pod.metadata.uid ?? '';
    const wasPlaced = cluster.nodeOf(uid) !== undefined;
    queue.remove(uid);
    nominated.remove(uid);
    cluster.removePod(uid);
    if (wasPlaced) queue.happened({ kind: 'pod-deleted', pod });
  };
  const put = (pod: Pod, old?: Pod) => {
    const { uid = '' } = pod.metadata;
    const { nodeName = '' } = pod.spec;
    if (isPodFinished(pod)) return leave(pod);
    if (nodeName !== '') {
      queue.remove(uid);
      nominated.remove(uid);
      cluster.putPod(summarizePod(pod), nodeName);
      const event: ClusterEvent = { kind: 'placed-pod', pod, ...(old !== undefined && { old }) };
      return queue.happened(event);
    }
    // What was seen before the binding is not news.
    if (cluster.isAssumed(uid) || profileFor(tools, pod) === undefined) return;
    const summary = summarizePod(pod);
    if (nominated.nodeOf(uid) === undefined && pod.status?.nominatedNodeName !== undefined)
      nominated.put(summary, pod.status.nominatedNodeName);
    queue.put(summary, old !== undefined && isHelpfulUpdate(pod, old));
  };
  return { onAdd: (pod: Pod) => put(pod), onUpdate: put, onDelete: leave };
}

/** The pod asks for something else than before; what the scheduler wrote about it does not count. */
function isHelpfulUpdate(pod: Pod, old: Pod): boolean {
  return (
    pod.metadata.generation !== old.metadata.generation ||
    JSON.stringify(pod.metadata.labels) !== JSON.stringify(old.metadata.labels) ||
    JSON.stringify(pod.status?.resourceClaimStatuses) !==
      JSON.stringify(old.status?.resourceClaimStatuses)
  );
}

async function runCycles(tools: Tools, signal: AbortSignal): Promise<void> {
  const { queue } = tools;
  const underWay = new Set<Promise<void>>();
  for (let cycles = 1; !signal.aborted; cycles++) {
    const entry = queue.pop();
    if (entry === undefined) {
      await queue.wait(signal);
      continue;
    }
    const rest = attempt(tools, entry, signal);
    const finished: Promise<void> = rest.finally(() => underWay.delete(finished));
    underWay.add(finished);
    if (underWay.size >= bindingsMax) await Promise.race(underWay);
    else if (cycles % cyclesPerTurn === 0) await nextTurn();
  }
  await Promise.all(underWay);
}

/** The cycle runs at once; what it takes to write down its outcome is waited for. Never rejects. */
async function attempt(tools: Tools, entry: QueuedPod, signal: AbortSignal): Promise<void> {
  const { cluster, nominated, queue, context } = tools;
  const { pod } = entry;
  try {
    if (pod.pod.metadata.deletionTimestamp !== undefined) {
      queue.rejected(entry, new Set(['SchedulingGates']));
      const message = `skip schedule deleting pod: ${pod.namespace}/${pod.name}`;
      return tell(tools, pod, { type: 'Warning', reason: 'FailedScheduling', message });
    }
    const profile = profileFor(tools, pod.pod) ?? tools;
    const result = profile.cycle.schedule(pod);
    if (result.kind === 'node')
      return await place({ ...tools, plugins: profile.plugins }, entry, result.node, signal);
    const { message, rejectedBy, nominatedNodeName, makeRoom } = result;
    queue.rejected(entry, rejectedBy.size === 0 ? new Set(['']) : rejectedBy);
    if (nominatedNodeName === undefined) nominated.remove(pod.uid);
    else nominated.put(pod, nominatedNodeName);
    await report(
      tools,
      pod,
      { reason: 'Unschedulable', message, nominatedNodeName: nominatedNodeName ?? '' },
      signal,
    );
    await makeRoom?.(signal);
  } catch (error) {
    if (signal.aborted) return;
    cluster.forget(pod.uid);
    queue.failed(entry);
    const update: PodScheduledUpdate = { reason: 'SchedulerError', message: errorText(error) };
    await report(tools, pod, update, signal).catch((failure: unknown) =>
      context.log.warn('status of a pod not written', { error: errorText(failure) }),
    );
  }
}

async function place(
  tools: Tools,
  entry: QueuedPod,
  node: NodeState,
  signal: AbortSignal,
): Promise<void> {
  const { plugins, cluster, nominated, queue, context } = tools;
  const { pod } = entry;
  const reservations: Reservation[] = [];
  const takeBack = () => {
    for (const { unreserve } of reservations.toReversed()) unreserve();
    cluster.forget(pod.uid);
  };
  try {
    for (const plugin of plugins) {
      const reserved = plugin.reserve?.(pod, node);
      if (reserved !== undefined) reservations.push(reserved);
    }
    cluster.assume(pod, node.name);
    for (const { preBind } of reservations) await preBind?.(signal);
    const bound = await bindPod(context.client, pod, node.name, signal);
    if (!bound) return takeBack();
  } catch (error) {
    takeBack();
    // Room that was taken for a moment is free again.
    queue.happened({ kind: 'pod-deleted', pod: pod.pod });
    throw error;
  }
  nominated.remove(pod.uid);
  queue.placed(entry);
  const message = `Successfully assigned ${pod.namespace}/${pod.name} to ${node.name}`;
  tell(tools, pod, { type: 'Normal', reason: 'Scheduled', message });
}

async function report(
  tools: Tools,
  pod: PodSummary,
  update: PodScheduledUpdate,
  signal: AbortSignal,
): Promise<void> {
  const { client, clock } = tools.context;
  const { message } = update;
  tell(tools, pod, { type: 'Warning', reason: 'FailedScheduling', message });
  await writePodScheduled(client, pod.pod, update, { now: clock.now(), signal });
}

/** Longer notes are refused by the API. */
const noteMax = 1024;

function tell(
  { events }: Pick<Tools, 'events'>,
  { pod }: PodSummary,
  event: Parameters<EventRecorder['record']>[1],
  schedulerName = schedulerNameOf(pod.spec),
) {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const { message } = event;
  const note = message.length <= noteMax ? message : `${message.slice(0, noteMax - 4)} ...`;
  events
    .of(schedulerName)
    .record({ apiVersion: 'v1', kind: 'Pod', namespace, name, uid }, { ...event, message: note });
}
