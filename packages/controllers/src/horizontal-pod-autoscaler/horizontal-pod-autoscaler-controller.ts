// Scales what has a scale: asks each metric of a HorizontalPodAutoscaler for a number of replicas,
// takes the highest, holds it back as the behaviour says, and writes it. A metric that cannot be
// read never scales down.

import { formatTime, isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { HorizontalPodAutoscaler } from '@keelson/apimachinery/types/autoscaling.v2';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { createResourceMapping } from '../machinery/resource-mapping.ts';
import { horizontalPodAutoscalersResource, podsResource } from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { isSameStatus } from '../machinery/same-status.ts';
import {
  actionOf,
  countAutoscalers,
  createAutoscalerMetrics,
  type Measured,
} from './autoscaler-metrics.ts';
import { decideReplicas, type Outcome } from './decide-replicas.ts';
import { createMetricsClient } from './metrics-client.ts';
import { emptyHistory, withScaleEvent, type ConditionText } from './normalise.ts';
import {
  defaults,
  tell,
  type HorizontalPodAutoscalerOptions,
  type Pass,
  type Tools,
} from './pass.ts';
import { scaledToZero, withoutScaledToZero } from './scaled-to-zero.ts';
import { readScale, writeScale, type TargetScale } from './target-scale.ts';
import { nextStatus, type StatusChange } from './status.ts';

const workers = 5;
export function createHorizontalPodAutoscalerController(
  context: ControllerContext,
  options: HorizontalPodAutoscalerOptions = {},
): Controller {
  const { client, informers } = context;
  const autoscalers = informers.informer<HorizontalPodAutoscaler>(horizontalPodAutoscalersResource);
  const pods = informers.informer<Pod>(podsResource);
  const mapping = createResourceMapping(client.discovery);
  const tools: Tools = {
    context,
    options,
    autoscalers,
    pods,
    events: createControllerEvents(context, 'horizontal-pod-autoscaler'),
    mapping,
    metrics: createMetricsClient(client, mapping),
    measures: createAutoscalerMetrics(context.metrics),
    histories: new Map(),
    selectors: new Map(),
  };
  const requeueAfterMs = options.syncPeriodMs ?? defaults.syncPeriodMs;
  return createReconciler(context, {
    failure: 'autoscaler not reconciled',
    queue: 'horizontalpodautoscaler',
    workers,
    reads: [autoscalers, pods],
    subscribe: (queue) => {
      const enqueue = (autoscaler: KubeObject) => queue.add(keyOf(autoscaler));
      const specOf = ({ spec }: HorizontalPodAutoscaler) => JSON.stringify(spec);
      return [
        autoscalers.addHandler({
          onAdd: enqueue,
          onUpdate: (now, old) => specOf(now) !== specOf(old) && enqueue(now),
          onDelete: enqueue,
        }),
        ...countAutoscalers(context.metrics, autoscalers),
      ];
    },
    async reconcile(key, signal): Promise<ReconcileResult> {
      const { namespace, name } = parseKey(key);
      const autoscaler = autoscalers.store.get(namespace, name);
      if (autoscaler === undefined) {
        tools.histories.delete(key);
        tools.selectors.delete(key);
        return;
      }
      await measured({ ...tools, autoscaler, key, signal }, reconcile);
      return { requeueAfterMs };
    },
  });
}

async function measured(pass: Pass, work: (pass: Pass) => Promise<Measured>): Promise<void> {
  const { context, measures } = pass;
  const sinceMs = context.clock.monotonic();
  let result: Measured = { action: 'none', error: 'internal' };
  try {
    result = await work(pass);
  } finally {
    measures.reconciled(result, (context.clock.monotonic() - sinceMs) / 1000);
  }
}

async function reconcile(pass: Pass): Promise<Measured> {
  const { autoscaler, signal } = pass;
  let scale: TargetScale;
  try {
    scale = await readScale(pass, autoscaler, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    const text = errorText(error);
    tell(pass, { type: 'Warning', reason: 'FailedGetScale', message: text });
    const message = `the HPA controller was unable to get the target's current scale: ${text}`;
    await writeStatus(pass, {
      conditions: [{ type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message }],
    });
    return { action: 'none', error: 'internal' };
  }
  const able: ConditionText = {
    type: 'AbleToScale',
    status: 'True',
    reason: 'SucceededGetScale',
    message: "the HPA controller was able to get the target's current scale",
  };
  const outcome = await decideReplicas(pass, scale);
  await carryOut(pass, scale, { ...outcome, conditions: [able, ...outcome.conditions] });
  const { replicas = scale.specReplicas, error = 'none' } = outcome;
  return { action: actionOf(scale.specReplicas, replicas), error };
}

async function carryOut(pass: Pass, scale: TargetScale, outcome: Outcome): Promise<void> {
  const { autoscaler, histories, key, context, signal } = pass;
  const { replicas, reason, metrics } = outcome;
  const from = scale.specReplicas;
  const now = context.clock.now();
  const change = {
    currentReplicas: from,
    currentMetrics: [...metrics],
    conditions: outcome.conditions,
  };
  if (replicas === undefined) return writeStatus(pass, change);
  if (replicas === from) return writeStatus(pass, { ...change, desiredReplicas: replicas });
  try {
    await writeScale(pass, scale, { replicas, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    const text = errorText(error);
    const event = `New size: ${replicas}; reason: ${reason}; error: ${text}`;
    tell(pass, { type: 'Warning', reason: 'FailedRescale', message: event });
    const message = `the HPA controller was unable to update the target scale: ${text}`;
    const failed = {
      type: 'AbleToScale',
      status: 'False',
      reason: 'FailedUpdateScale',
      message,
    } as const;
    // What had been wanted and measured stays what the status says.
    await writeStatus(pass, {
      currentReplicas: from,
      conditions: [...outcome.conditions, failed],
    });
    throw error;
  }
  tell(pass, {
    type: 'Normal',
    reason: 'SuccessfulRescale',
    message: `New size: ${replicas}; reason: ${reason}`,
  });
  if (autoscaler.spec.behavior !== undefined)
    histories.set(
      key,
      withScaleEvent(histories.get(key) ?? emptyHistory, { from, to: replicas, now }),
    );
  const message = `the HPA controller was able to update the target scale to ${replicas}`;
  const rescaled = {
    type: 'AbleToScale',
    status: 'True',
    reason: 'SucceededRescale',
    message,
  } as const;
  await writeStatus(pass, {
    ...change,
    desiredReplicas: replicas,
    lastScaleTime: formatTime(now),
    conditions: [
      ...outcome.conditions,
      rescaled,
      ...(pass.options.hasScaleToZero === true
        ? [scaledToZero(autoscaler, { from, to: replicas })]
        : []),
    ],
  });
}

async function writeStatus(pass: Pass, change: StatusChange): Promise<void> {
  const { context, options, autoscaler, signal } = pass;
  const { conditions: before = [] } = autoscaler.status ?? {};
  const conditions = options.hasScaleToZero === true ? before : withoutScaledToZero(before);
  const status = nextStatus(autoscaler, change, { conditions, now: context.clock.now() });
  if (isSameStatus(autoscaler.status, status)) return;
  try {
    await context.client
      .resource<HorizontalPodAutoscaler>(horizontalPodAutoscalersResource)
      .namespace(autoscaler.metadata.namespace ?? '')
      .update({ ...autoscaler, status }, { subresource: 'status', signal });
  } catch (error) {
    if (isStatusError(error, 'NotFound') || signal.aborted) return;
    if (!isStatusError(error, 'Conflict'))
      tell(pass, { type: 'Warning', reason: 'FailedUpdateStatus', message: errorText(error) });
    throw error;
  }
}
