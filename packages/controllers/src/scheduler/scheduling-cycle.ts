// Finds the node for one pod: plugins look at the pod, filters take nodes out, scores choose among
// those that are left, and when none is, preemption is asked. Nothing is written here. Where there are
// extenders they are asked after plugins, and only they are waited for.

import type { Random } from '@keelson/apimachinery';
import {
  extenderName,
  filterByExtenders,
  scoresOfExtenders,
  type Extenders,
  type ExtendersLeft,
} from './extenders/ask-extenders.ts';
import { filterWithNominated } from './filter-node.ts';
import { fitMessage, noNodes } from './fit-error.ts';
import {
  isRejection,
  runningError,
  type NamedRun,
  type PostFilterContext,
  type PostFilterResult,
  type Rejection,
  type SchedulerPlugin,
} from './framework.ts';
import type { PointStatus, TimedPoint } from './metrics/scheduler-metrics.ts';
import type { NominatedPods } from './nominated-pods.ts';
import type { ClusterState } from './snapshot/cluster-state.ts';
import type { NodeState } from './snapshot/node-state.ts';
import type { PodSummary } from './snapshot/pod-summary.ts';

export type ScheduleResult =
  | { readonly kind: 'node'; readonly node: NodeState }
  | {
      readonly kind: 'none';
      readonly message: string;
      /** Plugins whose hints decide when to try again; empty: anything may help. */
      readonly rejectedBy: ReadonlySet<string>;
      /** The node it is promised; empty: none; absent: what was promised stands. */
      readonly nominatedNodeName?: string;
      /** Lets victims go, and claims that are of no use. */
      readonly makeRoom?: PostFilterResult['execute'];
    };

export interface NodeExplanation {
  readonly node: string;
  /** Absent when the node takes the pod. */
  readonly rejection?: Rejection;
}

export interface SchedulingCycle {
  /** Throws when a plugin cannot decide, or an extender would have to be asked. */
  schedule(pod: PodSummary): ScheduleResult;
  /** The same, with extenders. Until it has come to an end no other pod may be looked at. */
  decide(pod: PodSummary, signal: AbortSignal): ScheduleResult | Promise<ScheduleResult>;
  /** Asks these nodes, or all, and changes nothing. */
  explain(pod: PodSummary, nodes?: readonly NodeState[]): readonly NodeExplanation[];
}

export interface SchedulingCycleOptions {
  /** In the order in which they are asked. */
  readonly plugins: readonly SchedulerPlugin[];
  readonly cluster: ClusterState;
  readonly nominated: NominatedPods;
  readonly random: Random;
  /** `percentageOfNodesToScore`; 0 or absent is adaptive. */
  readonly share?: number;
  /** Told how long each step took, by the clock of `now`. */
  readonly measure?: (point: TimedPoint, status: PointStatus, tookMs: number) => void;
  readonly now?: () => number;
  readonly extenders?: Extenders;
}

/** What has to be waited for before the cycle goes on. */
type Question = (signal: AbortSignal) => Promise<void>;
type Steps<T> = Generator<Question, T, void>;

/** Below this number all nodes are looked at; above it enough of them. */
const nodesMin = 100;

/** COMPAT: kube-scheduler's adaptive `percentageOfNodesToScore`, unless a share is given. */
function nodesToFind(count: number, share = 0): number {
  if (count < nodesMin || share >= 100) return count;
  const percentage = share > 0 ? share : Math.max(50 - Math.floor(count / 125), 5);
  return Math.max(Math.floor((count * percentage) / 100), nodesMin);
}

export function createSchedulingCycle(options: SchedulingCycleOptions): SchedulingCycle {
  const { plugins, cluster, extenders } = options;
  let start = 0;
  const steps = function* (pod: PodSummary): Steps<ScheduleResult> {
    const { nodes } = cluster;
    if (nodes.length === 0)
      return { kind: 'none', message: noNodes, rejectedBy: new Set(), nominatedNodeName: '' };
    const time = stopwatch(options);
    const begun = beginAll(plugins, pod, cluster);
    time('PreFilter', begun.rejected === undefined ? 'Success' : 'Unschedulable');
    if (begun.rejected !== undefined) {
      const none = yield* giveUp(options, pod, { ...begun, rejections: new Map() });
      time('PostFilter', 'Unschedulable');
      return none;
    }
    const found = yield* findFeasible(options, pod, begun, start % nodes.length);
    start = (start + found.looked) % nodes.length;
    const isFound = found.feasible.length > 0;
    time('Filter', isFound ? 'Success' : 'Unschedulable');
    if (!isFound) {
      const none = yield* giveUp(options, pod, { ...begun, ...found });
      const isPromised = none.kind === 'none' && (none.nominatedNodeName ?? '') !== '';
      time('PostFilter', isPromised ? 'Success' : 'Unschedulable');
      return none;
    }
    const node = yield* choose(options, pod, found.feasible);
    time('Score', 'Success');
    return { kind: 'node', node };
  };
  const schedule = (pod: PodSummary) => runAtOnce(steps(pod));
  return {
    schedule,
    decide: (pod, signal) =>
      extenders === undefined ? schedule(pod) : runAsking(steps(pod), signal),
    explain(pod, nodes = cluster.nodes) {
      const begun = beginAll(plugins, pod, cluster);
      return nodes.map((node) => {
        const rejected =
          begun.rejected ??
          (begun.nodeNames?.has(node.name) === false ? outsideOf(begun.restrictedBy) : undefined) ??
          filterWithNominated(pod, begun.runs, node, options.nominated);
        return { node: node.name, ...(rejected !== undefined && { rejection: rejected }) };
      });
    },
  };
}

function runAtOnce<T>(steps: Steps<T>): T {
  const step = steps.next();
  if (step.done === true) return step.value;
  throw new Error('extenders are not asked here');
}

async function runAsking<T>(steps: Steps<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await step.value(signal);
  }
}

/** Each call says which step has just ended. */
function stopwatch({ measure, now = () => 0 }: SchedulingCycleOptions) {
  let last = now();
  return (point: TimedPoint, status: PointStatus) => {
    const end = now();
    measure?.(point, status, end - last);
    last = end;
  };
}

interface Begun {
  readonly runs: readonly NamedRun[];
  /** Plugins that were asked. */
  readonly asked: ReadonlySet<string>;
  readonly rejected?: Rejection;
  readonly nodeNames?: ReadonlySet<string>;
  readonly restrictedBy: readonly string[];
}

function beginAll(
  plugins: readonly SchedulerPlugin[],
  pod: PodSummary,
  cluster: ClusterState,
): Begun {
  const runs: NamedRun[] = [];
  const asked = new Set<string>();
  const restrictedBy: string[] = [];
  let nodeNames: ReadonlySet<string> | undefined;
  for (const plugin of plugins) {
    if (plugin.begin === undefined) continue;
    asked.add(plugin.name);
    const answer = begin(plugin, pod, cluster);
    if (isRejection(answer)) return { runs, asked, restrictedBy, rejected: answer };
    if (answer === undefined) continue;
    runs.push({ ...answer, plugin: plugin.name });
    if (answer.nodeNames === undefined) continue;
    restrictedBy.push(plugin.name);
    nodeNames = nodeNames === undefined ? answer.nodeNames : intersect(nodeNames, answer.nodeNames);
    if (nodeNames.size === 0) {
      const text =
        restrictedBy.length > 1
          ? `${outsideOf(restrictedBy).reasons[0] ?? ''} simultaneously`
          : `node(s) didn't satisfy plugin ${plugin.name}`;
      const rejected = { plugin: plugin.name, isUnresolvable: true, reasons: [text] };
      return { runs, asked, restrictedBy, rejected };
    }
  }
  return { runs, asked, restrictedBy, ...(nodeNames !== undefined && { nodeNames }) };
}

function begin(plugin: SchedulerPlugin, pod: PodSummary, cluster: ClusterState) {
  try {
    return plugin.begin?.(pod, cluster);
  } catch (cause) {
    throw runningError('PreFilter', plugin.name, cause);
  }
}

function intersect(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...a].filter((name) => b.has(name)));
}

function outsideOf(restrictedBy: readonly string[]): Rejection {
  const names = restrictedBy.toSorted();
  const text = `node(s) didn't satisfy plugin(s) [${names.join(' ')}]`;
  return { plugin: names[0] ?? '', isUnresolvable: true, reasons: [text] };
}

interface Found {
  readonly feasible: readonly NodeState[];
  readonly rejections: ReadonlyMap<string, Rejection>;
  /** Nodes that were asked. */
  readonly looked: number;
  /** Who has taken out nodes without saying of each why. */
  readonly rejectedBy?: string;
}

/** Goes round the nodes from where the last cycle stopped, so that all get their turn. */
function* findFeasible(
  options: SchedulingCycleOptions,
  pod: PodSummary,
  { runs, nodeNames }: Begun,
  start: number,
): Steps<Found> {
  const { cluster, nominated, share } = options;
  const promised = cluster.node(
    nominated.nodeOf(pod.uid) ?? pod.pod.status?.nominatedNodeName ?? '',
  );
  if (promised !== undefined && nodeNames?.has(promised.name) !== false) {
    if (filterWithNominated(pod, runs, promised, nominated) === undefined) {
      const found = { feasible: [promised], rejections: new Map(), looked: 0 };
      const left = yield* extend(options, pod, found);
      if (left.feasible.length > 0) return left;
    }
  }
  const nodes =
    nodeNames === undefined
      ? cluster.nodes
      : [...nodeNames].flatMap((name) => cluster.node(name) ?? []);
  const wanted = nodesToFind(nodes.length, share);
  const feasible: NodeState[] = [];
  const rejections = new Map<string, Rejection>();
  let looked = 0;
  while (looked < nodes.length && feasible.length < wanted) {
    const node = nodes[(start + looked++) % nodes.length] as NodeState;
    const rejected = filterWithNominated(pod, runs, node, nominated);
    if (rejected === undefined) feasible.push(node);
    else rejections.set(node.name, rejected);
  }
  return yield* extend(options, pod, { feasible, rejections, looked });
}

/** What extenders leave of it. */
function* extend(
  { extenders, cluster }: SchedulingCycleOptions,
  pod: PodSummary,
  found: Found,
): Steps<Found> {
  if (extenders === undefined || found.feasible.length === 0) return found;
  let left: ExtendersLeft = { nodes: [], rejections: new Map() };
  yield async (signal) => {
    left = await filterByExtenders(extenders, { pod, nodes: found.feasible }, signal);
  };
  const rejections = new Map([...found.rejections, ...left.rejections]);
  // What has gone meanwhile cannot be bound to.
  const feasible = left.nodes.filter((node) => cluster.node(node.name) === node);
  const isFewer = feasible.length < found.feasible.length;
  return { ...found, feasible, rejections, ...(isFewer && { rejectedBy: extenderName }) };
}

/** The best node by the sum of weighted scores; chance decides between equals. */
function* choose(
  { plugins, cluster, random, extenders }: SchedulingCycleOptions,
  pod: PodSummary,
  nodes: readonly NodeState[],
): Steps<NodeState> {
  const [first] = nodes;
  if (nodes.length === 1 && first !== undefined) return first;
  const totals = new Float64Array(nodes.length);
  for (const plugin of plugins) {
    const scores = plugin.score?.(pod, nodes, cluster);
    if (scores === undefined) continue;
    const weight = plugin.weight ?? 1;
    for (let i = 0; i < scores.length; i++)
      totals[i] = (totals[i] ?? 0) + weight * (scores[i] ?? 0);
  }
  if (extenders !== undefined)
    yield async (signal) => {
      const scores = await scoresOfExtenders(extenders, { pod, nodes }, signal);
      for (const [i, node] of nodes.entries())
        totals[i] = (totals[i] ?? 0) + (scores.get(node.name) ?? 0);
    };
  let max = -Infinity;
  let equals = 0;
  for (const total of totals) {
    if (total > max) {
      max = total;
      equals = 1;
    } else if (total === max) equals++;
  }
  // Chance is asked once, however many are equal.
  let skip = Math.floor(random.float() * equals);
  const best = totals.findIndex((total) => total === max && skip-- === 0);
  return nodes[best] as NodeState;
}

function* giveUp(
  { plugins, cluster }: SchedulingCycleOptions,
  pod: PodSummary,
  failure: Begun & Pick<Found, 'rejections' | 'rejectedBy'>,
): Steps<ScheduleResult> {
  const { rejected, rejections, restrictedBy, runs, asked } = failure;
  const rejectedBy = new Set(restrictedBy);
  if (rejected !== undefined) rejectedBy.add(rejected.plugin);
  for (const { plugin } of rejections.values()) rejectedBy.add(plugin);
  if (failure.rejectedBy !== undefined) rejectedBy.add(failure.rejectedBy);
  const after = yield* postFilterAll(plugins, { pod, cluster, runs, rejections, asked });
  const message = fitMessage({
    nodeCount: cluster.nodes.length,
    rejections,
    postFilter: after.messages.join(', '),
    ...(rejected !== undefined && { preFilter: rejected }),
    ...(restrictedBy.length > 0 && { absentReason: outsideOf(restrictedBy).reasons[0] ?? '' }),
  });
  return {
    kind: 'none',
    message,
    rejectedBy,
    ...(after.nominatedNodeName !== undefined && { nominatedNodeName: after.nominatedNodeName }),
    ...(after.executions.length > 0 && {
      makeRoom: async (signal: AbortSignal) => {
        for (const execute of after.executions) await execute(signal);
      },
    }),
  };
}

interface AfterFilters {
  readonly messages: readonly string[];
  readonly executions: readonly NonNullable<PostFilterResult['execute']>[];
  readonly nominatedNodeName: string | undefined;
}

/** What a final answer says is all that counts of what was said. */
function* postFilterAll(
  plugins: readonly SchedulerPlugin[],
  context: PostFilterContext,
): Steps<AfterFilters> {
  const answers = plugins.filter(({ postFilter }) => postFilter !== undefined);
  const messages: string[] = [];
  const executions: NonNullable<PostFilterResult['execute']>[] = [];
  // Where nobody can make room, nobody keeps a promise.
  let nominatedNodeName = answers.length === 0 ? '' : undefined;
  for (const plugin of answers) {
    let result = plugin.postFilter?.(context);
    if (result === undefined) continue;
    const { ask } = result;
    if (ask !== undefined)
      yield async (signal) => {
        result = await ask(signal);
      };
    if (result.execute !== undefined) executions.push(result.execute);
    if (result.isFinal) {
      const { message, nominatedNodeName: last } = result;
      return { messages: message === '' ? [] : [message], executions, nominatedNodeName: last };
    }
    if (result.message !== '') messages.push(result.message);
    nominatedNodeName = result.nominatedNodeName ?? nominatedNodeName;
  }
  return { messages, executions, nominatedNodeName };
}
