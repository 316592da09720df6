// The scheduler: follows pods and nodes, takes one pod after the other from its queue, and binds it
// to the node that the cycle found. Binding waits for the server beside the next cycle; until then
// the pod is assumed to be where it will be.

import { type GroupVersionResource, type SchedulingExplanation } from '@keelson/apimachinery';
import type { Namespace, Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { servedTaintRules } from '../device-taint-eviction/rule-taints.ts';
import {
  namespacesResource,
  podGroupsResource,
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
import { followGroups } from './follow-groups.ts';
import { createPodGroupTracker } from './gangs/pod-group-tracker.ts';
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
import { runCycles } from './run-cycles.ts';
import { tell } from './scheduling-attempt.ts';
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
  const groups = trackGroups(informers, { isEnabled, isServed, configuration });
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
    groups: groups?.tracker,
    evict: evictionBy(context, nominated, events),
    tellWaiting: (pod, message) =>
      tell({ events }, pod, { type: 'Normal', reason: 'BindingConditionsPending', message }),
  };
  const extenders = openExtenders(configuration, openExtender, context.log);
  const core = createSchedulingCore(
    { ...coreOptions, metrics, extenders: extenders?.extenders },
    nominated,
  );
  const queue = createQueue(core, { clock, configuration, metrics });
  const tools = { context, events, queue, metrics, isEnabled, ...core, groups: groups?.tracker };
  metrics.follow(schedulerState(tools));
  return {
    explain(namespace, name) {
      const pod = pods.store.get(namespace, name);
      const openCore = () => createSchedulingCore(coreOptions, nominated);
      const isOwn = (asked: Pod) => profileFor(core, asked) !== undefined;
      return pod && explainScheduling({ cluster: core.cluster, openCore, isOwn }, pod);
    },
    async run(signal) {
      const ends = [
        nodes.addHandler(followNodes(tools)),
        pods.addHandler(followPods(tools)),
        namespaces.addHandler({ onUpdate: () => core.cluster.groups.forget() }),
        watch((event) => queue.happened(event)),
        ...followDevices(devices?.informers, (event) => queue.happened(event)),
        ...followGroups(groups?.informer, (event) => queue.happened(event)),
      ];
      const own = Object.values({
        ...devices?.informers,
        ...(groups && { groups: groups.informer }),
      });
      const all = [pods, nodes, ...reads, ...own].map((informer) => informer.synced(signal));
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

/** Undefined where the emulated release has no groups of this version, or they are off. */
function trackGroups(
  informers: ControllerContext['informers'],
  {
    isEnabled,
    isServed,
    configuration,
  }: Required<Pick<SchedulerOptions, 'isEnabled' | 'isServed'>> & {
    readonly configuration: SchedulerConfiguration;
  },
) {
  const names = new Set(configuration.profiles.map(({ schedulerName }) => schedulerName));
  return isEnabled('GenericWorkload') && isServed(podGroupsResource)
    ? createPodGroupTracker(informers, ({ spec }) => names.has(schedulerNameOf(spec)))
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
