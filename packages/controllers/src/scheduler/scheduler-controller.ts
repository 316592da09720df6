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
import { servedTaintRules } from '../device-taint-eviction/rule-taints.ts';
import {
  namespacesResource,
  podsResource,
  resourceClaimsResource,
} from '../machinery/resources.ts';
import {
  defaultConfiguration,
  type SchedulerConfiguration,
} from './configuration/scheduler-configuration.ts';
import { createClaimTracker } from './dra/claim-tracker.ts';
import { explainScheduling } from './explain/scheduling-explainer.ts';
import { createInformerLookup } from './informer-lookup.ts';
import { followNodes } from './follow-nodes.ts';
import { followPods } from './follow-pods.ts';
import { createNominatedPods, type NominatedPods } from './nominated-pods.ts';
import { evictVictims } from './preemption/default-preemption.ts';
import type { ClusterEvent, WatchedResource } from './queue/cluster-event.ts';
import { createSchedulingQueue, type SchedulingQueueOptions } from './queue/scheduling-queue.ts';
import {
  createSchedulingCore,
  type SchedulingCore,
  type SchedulingCoreOptions,
} from './scheduling-core.ts';
import { createSchedulerEvents, type SchedulerEvents } from './scheduler-events.ts';
import { attempt, tell, type AttemptTools } from './scheduling-attempt.ts';
import { profileFor, schedulerNameOf } from './scheduling-profile.ts';
import {
  noSchedulerMetrics,
  type SchedulerMetrics,
  type SchedulerState,
} from './metrics/scheduler-metrics.ts';
import type { PodSummary } from './snapshot/pod-summary.ts';

export interface Scheduler extends Controller {
  /**
   * Why each node takes the pod, or does not, and what would have to change; undefined when there is
   * no such pod.
   */
  explain(namespace: string, name: string): Promise<SchedulingExplanation> | undefined;
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
  readonly metrics?: SchedulerMetrics | undefined;
}

export function createScheduler(
  context: ControllerContext,
  {
    isEnabled,
    isServed,
    configuration = defaultConfiguration,
    metrics = noSchedulerMetrics,
  }: SchedulerOptions,
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
  const core = createSchedulingCore({ ...coreOptions, metrics }, nominated);
  const { cluster } = core;
  const queue = createSchedulingQueue({
    clock,
    backoffMinMs: configuration.podInitialBackoffMs,
    backoffMaxMs: configuration.podMaxBackoffMs,
    onIncoming: metrics.incoming,
    ...questionsOf(core),
  });
  const tools: AttemptTools = { context, events, queue, metrics, isEnabled, ...core };
  metrics.follow(schedulerState(tools));
  return {
    explain(namespace, name) {
      const pod = pods.store.get(namespace, name);
      const openCore = () => createSchedulingCore(coreOptions, nominated);
      const isOwn = (asked: Pod) => profileFor(core, asked) !== undefined;
      return pod && explainScheduling({ cluster, openCore, isOwn }, pod);
    },
    async run(signal) {
      const ends = [
        nodes.addHandler(followNodes(tools)),
        pods.addHandler(followPods(tools)),
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

function schedulerState({ queue, cluster }: AttemptTools): SchedulerState {
  return {
    pendingPods() {
      const { active, backoff, unschedulable, gated } = queue.sizes();
      return { active, backoff, unschedulable, gated };
    },
    unschedulablePods() {
      const counts = new Map<string, { plugin: string; profile: string; count: number }>();
      for (const { pod, rejectedBy } of queue.all()) {
        const profile = schedulerNameOf(pod.pod.spec);
        for (const plugin of rejectedBy) {
          const key = JSON.stringify([plugin, profile]);
          const known = counts.get(key) ?? { plugin, profile, count: 0 };
          counts.set(key, { ...known, count: known.count + 1 });
        }
      }
      return [...counts.values()].filter(({ plugin }) => plugin !== '');
    },
    cacheSize() {
      const pods = cluster.nodes.flatMap((node) => [...node.pods.keys()]);
      const assumed = pods.filter((uid) => cluster.isAssumed(uid)).length;
      return { nodes: cluster.nodes.length, pods: pods.length, assumed_pods: assumed };
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

async function runCycles(tools: AttemptTools, signal: AbortSignal): Promise<void> {
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
