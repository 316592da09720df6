// The scheduler: follows pods and nodes, takes one pod after the other from its queue, and binds it
// to the node that the cycle found. Binding waits for the server beside the next cycle; until then
// the pod is assumed to be where it will be.

import {
  nextTurn,
  type GroupVersionResource,
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
import { openExtenders, type OpenExtender } from './extenders/open-extenders.ts';
import { followDevices } from './follow-devices.ts';
import { createInformerLookup } from './informer-lookup.ts';
import { followNodes } from './follow-nodes.ts';
import { followPods } from './follow-pods.ts';
import { createNominatedPods, type NominatedPods } from './nominated-pods.ts';
import { evictVictims } from './preemption/default-preemption.ts';
import {
  createSchedulingQueue,
  type SchedulingQueue,
  type SchedulingQueueOptions,
} from './queue/scheduling-queue.ts';
import {
  createSchedulingCore,
  type SchedulingCore,
  type SchedulingCoreOptions,
} from './scheduling-core.ts';
import { createSchedulerEvents, type SchedulerEvents } from './scheduler-events.ts';
import { beginAttempt, finishAttempt, tell, type AttemptTools } from './scheduling-attempt.ts';
import { profileFor, schedulerNameOf } from './scheduling-profile.ts';
import { noSchedulerMetrics, type SchedulerMetrics } from './metrics/scheduler-metrics.ts';
import { schedulerState } from './metrics/scheduler-state.ts';
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
  /** How extenders are reached; needed only where some are configured. */
  readonly openExtender?: OpenExtender | undefined;
}

export function createScheduler(
  context: ControllerContext,
  {
    isEnabled,
    isServed,
    configuration = defaultConfiguration,
    metrics = noSchedulerMetrics,
    openExtender,
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
  const extenders = openExtenders(configuration, openExtender, context.log);
  const core = createSchedulingCore(
    { ...coreOptions, metrics, extenders: extenders?.extenders },
    nominated,
  );
  const { cluster } = core;
  const queue = createQueue(core, { clock, configuration, metrics });
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
        ...followDevices(devices?.informers, (event) => queue.happened(event)),
      ];
      const all = [pods, nodes, ...reads, ...Object.values(devices?.informers ?? {})].map(
        (informer) => informer.synced(signal),
      );
      // Rejects with the signal only, and then there is nothing left to run.
      await Promise.all(all).catch(() => {});
      await runCycles(tools, signal);
      for (const end of ends) end();
      queue.stop();
      extenders?.close();
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

function createQueue(
  core: SchedulingCore,
  {
    clock,
    configuration,
    metrics,
  }: Required<Pick<SchedulingCoreOptions, 'clock' | 'configuration' | 'metrics'>>,
): SchedulingQueue {
  return createSchedulingQueue({
    clock,
    backoffMinMs: configuration.podInitialBackoffMs,
    backoffMaxMs: configuration.podMaxBackoffMs,
    onIncoming: metrics.incoming,
    ...questionsOf(core),
  });
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

async function runCycles(tools: AttemptTools, signal: AbortSignal): Promise<void> {
  const { queue } = tools;
  const underWay = new Set<Promise<void>>();
  for (let cycles = 1; !signal.aborted; cycles++) {
    const entry = queue.pop();
    if (entry === undefined) {
      await queue.wait(signal);
      continue;
    }
    const begun = beginAttempt(tools, entry, signal);
    const rest = finishAttempt(tools, begun instanceof Promise ? await begun : begun, signal);
    const finished: Promise<void> = rest.finally(() => underWay.delete(finished));
    underWay.add(finished);
    if (underWay.size >= bindingsMax) await Promise.race(underWay);
    else if (cycles % cyclesPerTurn === 0) await nextTurn();
  }
  await Promise.all(underWay);
}
