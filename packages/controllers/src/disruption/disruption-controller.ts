// Counts, for every disruption budget, the pods that are healthy and those that must be, so that an
// eviction knows whether one more may go. Marks of disruptions that do not happen are taken back.

import {
  compileLabelSelector,
  formatGoLabelSelector,
  isStatusError,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from '@keelson/apimachinery/types/policy.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { scaledIntOrPercent } from '../machinery/int-or-percent.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { UnknownKindError } from '../machinery/resource-mapping.ts';
import { podDisruptionBudgetsResource, podsResource } from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { isSameStatus } from '../machinery/same-status.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { awaitedEvictions, budgetStatus, healthyPods, unknownStatus } from './budget-status.ts';
import {
  createExpectedPodsCounter,
  NoScaleError,
  type ExpectedPodsCounter,
} from './expected-pods.ts';
import { createStaleDisruptionReconciler } from './stale-disruptions.ts';

const budgetKind = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  resource: podDisruptionBudgetsResource,
};
const podKind = { apiVersion: 'v1', kind: 'Pod', resource: podsResource };
/** COMPAT: the name that the controller manager gives for this one. */
const component = 'controllermanager';

interface Tools {
  readonly context: ControllerContext;
  readonly budgets: Informer<PodDisruptionBudget>;
  readonly pods: Informer<Pod>;
  readonly events: EventRecorder;
  readonly expected: ExpectedPodsCounter;
}

export function createDisruptionController(context: ControllerContext): Controller {
  const parts = [createBudgetReconciler(context), createStaleDisruptionReconciler(context)];
  return { run: async (signal) => void (await Promise.all(parts.map((part) => part.run(signal)))) };
}

function createBudgetReconciler(context: ControllerContext): Controller {
  const { informers } = context;
  const budgets = informers.informer<PodDisruptionBudget>(podDisruptionBudgetsResource);
  const pods = informers.informer<Pod>(podsResource);
  const expected = createExpectedPodsCounter(context);
  const events = createControllerEvents(context, component);
  const tools: Tools = { context, budgets, pods, events, expected };
  return createReconciler(context, {
    failure: 'disruption budget not reconciled',
    queue: 'disruption',
    workers: 1,
    reads: [budgets, pods, ...expected.reads],
    subscribe: (queue) => {
      const enqueue = (budget: KubeObject) => queue.add(keyOf(budget));
      const enqueueBudgetsOf = (pod: Pod) => {
        const found = budgetsOf(tools, pod);
        if (found.length > 1) tellSeveral(tools, pod, found);
        found.forEach(enqueue);
      };
      return [
        budgets.addHandler({ onAdd: enqueue, onUpdate: enqueue }),
        pods.addHandler({
          onAdd: enqueueBudgetsOf,
          onUpdate: (pod, old) => [pod, old].forEach(enqueueBudgetsOf),
          onDelete: enqueueBudgetsOf,
        }),
      ];
    },
    reconcile: (key, signal) => reconcile(tools, key, signal),
  });
}

function budgetsOf({ budgets }: Tools, { metadata }: Pod): readonly PodDisruptionBudget[] {
  return budgets.store
    .list(metadata.namespace ?? '')
    .filter((budget) => selectorOf(budget).matches(metadata.labels));
}

function selectorOf({ spec }: PodDisruptionBudget) {
  return compileLabelSelector(spec?.selector);
}

async function reconcile(tools: Tools, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { namespace, name } = parseKey(key);
  const budget = tools.budgets.store.get(namespace, name);
  if (budget === undefined) return;
  try {
    return await recount(tools, budget, signal);
  } catch (error) {
    if (signal.aborted || isStatusError(error, 'Conflict')) throw error;
    const now = tools.context.clock.now();
    await writeStatus(tools, budget, unknownStatus(budget, errorText(error), now));
    // Nothing but another pod or another budget makes these known.
    if (error instanceof NoScaleError || error instanceof UnknownKindError) return;
    throw error;
  }
}

async function recount(
  tools: Tools,
  budget: PodDisruptionBudget,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { clock } = tools.context;
  const selector = selectorOf(budget);
  const pods = tools.pods.store
    .list(budget.metadata.namespace ?? '')
    .filter(({ metadata }) => selector.matches(metadata.labels));
  if (pods.length === 0)
    tell(tools, budget, { type: 'Normal', reason: 'NoPods', message: 'No matching pods found' });
  const { expectedPods, desiredHealthy } = await wantedPods(tools, budget, pods, signal);
  const now = clock.now();
  const evictions = awaitedEvictions(budget, pods, now);
  for (const pod of evictions.timedOut) tellNotDeleted(tools, budget, pod);
  const { disruptedPods, nextTimeoutMs } = evictions;
  const currentHealthy = healthyPods(pods, evictions);
  const counts = { currentHealthy, desiredHealthy, expectedPods, disruptedPods };
  await writeStatus(tools, budget, budgetStatus(budget, counts, now));
  return nextTimeoutMs === undefined ? undefined : { requeueAfterMs: nextTimeoutMs + 1 };
}

async function wantedPods(
  tools: Tools,
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  signal: AbortSignal,
): Promise<{ readonly expectedPods: number; readonly desiredHealthy: number }> {
  const { minAvailable, maxUnavailable } = budget.spec ?? {};
  if (maxUnavailable === undefined && typeof minAvailable === 'number')
    return { expectedPods: pods.length, desiredHealthy: minAvailable };
  const wanted = maxUnavailable ?? minAvailable;
  if (wanted === undefined) return { expectedPods: 0, desiredHealthy: 0 };
  const expectedPods = await expectedCount(tools, budget, pods, signal);
  const part = scaledIntOrPercent(wanted, expectedPods, Math.ceil);
  const desiredHealthy = maxUnavailable === undefined ? part : Math.max(0, expectedPods - part);
  return { expectedPods, desiredHealthy };
}

async function expectedCount(
  tools: Tools,
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  signal: AbortSignal,
): Promise<number> {
  try {
    const { count, unmanaged } = await tools.expected.count(pods, signal);
    if (unmanaged.length > 0) tellUnmanaged(tools, budget);
    return count;
  } catch (error) {
    const message = errorText(error);
    tell(tools, budget, {
      type: 'Warning',
      reason: 'CalculateExpectedPodCountFailed',
      message: `Failed to calculate the number of expected pods: ${message}`,
    });
    throw error;
  }
}

type EventText = Parameters<EventRecorder['record']>[1];

function tell({ events }: Tools, budget: PodDisruptionBudget, text: EventText): void {
  events.record(eventTarget(budgetKind, budget), text);
}

function tellUnmanaged(tools: Tools, budget: PodDisruptionBudget): void {
  const selector = formatGoLabelSelector(budget.spec?.selector ?? {});
  tell(tools, budget, {
    type: 'Warning',
    reason: 'UnmanagedPods',
    message:
      `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be ` +
      'unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may ' +
      'result in undefined behavior. To account for these pods please set ".spec.minAvailable" ' +
      'field of the PDB to an integer value.',
  });
}

/** COMPAT: each of them is counted here, but no eviction comes to pass with more than one. */
function tellSeveral({ events }: Tools, pod: Pod, budgets: readonly PodDisruptionBudget[]): void {
  const { namespace, name } = pod.metadata;
  const [first] = budgets.map((budget) => budget.metadata.name).toSorted();
  events.record(eventTarget(podKind, pod), {
    type: 'Warning',
    reason: 'MultiplePodDisruptionBudgets',
    message:
      `Pod "${namespace}"/"${name}" matches multiple PodDisruptionBudgets.  ` +
      `Chose "${first}" arbitrarily.`,
  });
}

function tellNotDeleted({ events }: Tools, budget: PodDisruptionBudget, pod: Pod): void {
  const { namespace, name } = budget.metadata;
  events.record(eventTarget(podKind, pod), {
    type: 'Warning',
    reason: 'NotDeleted',
    message: `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`,
  });
}

async function writeStatus(
  { context }: Tools,
  budget: PodDisruptionBudget,
  status: PodDisruptionBudgetStatus,
): Promise<void> {
  if (isSameStatus(budget.status, status)) return;
  const resource = context.client
    .resource<PodDisruptionBudget>(podDisruptionBudgetsResource)
    .namespace(budget.metadata.namespace ?? '');
  try {
    await resource.update({ ...budget, status }, { subresource: 'status' });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}
