// How many replicas there should be, and what the status says about it: bounds hold at once, then
// the metrics are asked, and the highest number counts, as far as the behaviour lets it.

import { parseLabelSelector } from '@keelson/apimachinery';
import type { MetricSpec, MetricStatus } from '@keelson/apimachinery/types/autoscaling.v2';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import { errorText, parseKey } from '../machinery/controller.ts';
import type { EventText } from '../machinery/event-recorder.ts';
import { actionOf, type Measured } from './autoscaler-metrics.ts';
import { emptyHistory, normalise, type ConditionText } from './normalise.ts';
import { defaults, tell, type Pass } from './pass.ts';
import { milli } from './pod-requests.ts';
import { proposeReplicas, ProposalError, type MetricProposal } from './propose-replicas.ts';
import { isDisabledAtZero } from './scaled-to-zero.ts';
import type { TargetScale } from './target-scale.ts';

export interface Outcome {
  /** Undefined where nothing can be said. */
  readonly replicas?: number;
  /** Why, where the number changes. */
  readonly reason: string;
  readonly metrics: readonly MetricStatus[];
  readonly conditions: readonly ConditionText[];
  /** What went wrong first; there may be a number all the same. */
  readonly error?: Measured['error'];
}

export async function decideReplicas(pass: Pass, scale: TargetScale): Promise<Outcome> {
  const { minReplicas = 1, maxReplicas } = pass.autoscaler.spec;
  const current = scale.specReplicas;
  rememberFirst(pass, current);
  const nothing = { metrics: [], conditions: [] };
  if (current === 0 && isDisabledAtZero(pass.autoscaler, pass.options.hasScaleToZero === true)) {
    const message = 'scaling is disabled since the replica count of the target is zero';
    return {
      replicas: 0,
      reason: '',
      metrics: [],
      conditions: [inactive('ScalingDisabled', message)],
    };
  }
  if (current > maxReplicas)
    return {
      ...nothing,
      replicas: maxReplicas,
      reason: 'Current number of replicas above Spec.MaxReplicas',
    };
  if (current < minReplicas)
    return {
      ...nothing,
      replicas: minReplicas,
      reason: 'Current number of replicas below Spec.MinReplicas',
    };
  const problem = selectorProblem(pass, scale);
  if (problem !== undefined) {
    tell(pass, { type: 'Warning', ...problem.event });
    tellUncomputed(pass, problem.event.message);
    return { reason: '', metrics: [], conditions: [problem.condition], error: 'internal' };
  }
  return decideByMetrics(pass, scale);
}

/** A new process knows nothing of before: what there is at first counts as recommended. */
function rememberFirst({ histories, key, context }: Pass, replicas: number): void {
  if (histories.has(key)) return;
  const recommendations = [{ at: context.clock.now(), replicas }];
  histories.set(key, { ...emptyHistory, recommendations });
}

function inactive(reason: string, message: string): ConditionText {
  return { type: 'ScalingActive', status: 'False', reason, message };
}

interface SelectorProblem {
  readonly event: Pick<EventText, 'reason' | 'message'>;
  readonly condition: ConditionText;
}

function selectorProblem(
  { selectors, pods, key }: Pass,
  { selector, namespace }: TargetScale,
): SelectorProblem | undefined {
  if (selector === '')
    return {
      event: { reason: 'SelectorRequired', message: 'selector is required' },
      condition: inactive('InvalidSelector', "the HPA target's scale is missing a selector"),
    };
  try {
    parseLabelSelector(selector);
  } catch (error) {
    const message =
      "couldn't convert selector into a corresponding internal selector object: " +
      errorText(error);
    return {
      event: { reason: 'InvalidSelector', message },
      condition: inactive('InvalidSelector', message),
    };
  }
  selectors.set(key, selector);
  const mine = selectedPods(pods, namespace, selector);
  const sharing = [...selectors].filter(
    ([other, text]) =>
      parseKey(other).namespace === namespace &&
      (other === key || mine.some((pod) => parseLabelSelector(text).matches(pod.metadata.labels))),
  );
  if (sharing.length < 2) return undefined;
  const names = sharing.map(([other]) => other).toSorted();
  const sharers = `[${names.join(' ')}]`;
  const message = `pods by selector ${selector} are controlled by multiple HPAs: ${sharers}`;
  return {
    event: { reason: 'AmbiguousSelector', message },
    condition: inactive('AmbiguousSelector', message),
  };
}

function selectedPods(pods: Informer<Pod>, namespace: string, selector: string): readonly Pod[] {
  const matcher = parseLabelSelector(selector);
  return pods.store.list(namespace).filter(({ metadata }) => matcher.matches(metadata.labels));
}

async function decideByMetrics(pass: Pass, scale: TargetScale): Promise<Outcome> {
  const { autoscaler, signal } = pass;
  const { metrics = [] } = autoscaler.spec;
  const context = proposalContext(pass, scale);
  const proposals: MetricProposal[] = [];
  const failures: ProposalError[] = [];
  const shown: MetricStatus[] = [];
  for (const metric of metrics) {
    try {
      const proposal = await measured(pass, scale, metric, () =>
        proposeReplicas(context, metric, signal),
      );
      proposals.push(proposal);
      shown.push(proposal.status);
    } catch (error) {
      if (!(error instanceof ProposalError)) throw error;
      failures.push(error);
      shown.push({ type: '' });
      tell(pass, { type: 'Warning', reason: error.reason, message: error.message });
    }
  }
  const best = proposals.reduce<MetricProposal | undefined>(
    (top, next) => (top === undefined || next.replicas > top.replicas ? next : top),
    undefined,
  );
  const [first] = failures;
  if (best === undefined || (first !== undefined && best.replicas < scale.specReplicas)) {
    tellFailures(pass, failures, metrics.length);
    const message = `the HPA was unable to compute the replica count: ${first?.message ?? ''}`;
    const condition = inactive(first?.reason ?? 'InvalidMetricSourceType', message);
    return { reason: '', metrics: shown, conditions: [condition], error: errorOf(first) };
  }
  const active: ConditionText = {
    type: 'ScalingActive',
    status: 'True',
    reason: 'ValidMetricFound',
    message: `the HPA was able to successfully calculate a replica count from ${best.name}`,
  };
  const outcome = limited(pass, scale, { best, shown, active });
  return first === undefined ? outcome : { ...outcome, error: errorOf(first) };
}

/** One metric, timed, with what came of it. */
async function measured(
  { context, measures }: Pass,
  scale: TargetScale,
  metric: MetricSpec,
  compute: () => Promise<MetricProposal>,
): Promise<MetricProposal> {
  const sinceMs = context.clock.monotonic();
  const tell = (what: Measured) =>
    measures.computed(metric, what, (context.clock.monotonic() - sinceMs) / 1000);
  try {
    const proposal = await compute();
    tell({ action: actionOf(scale.specReplicas, proposal.replicas), error: 'none' });
    return proposal;
  } catch (error) {
    tell({ action: 'none', error: errorOf(error) });
    throw error;
  }
}

function errorOf(error: unknown): Measured['error'] {
  const isInvalid = error instanceof ProposalError && error.reason === 'InvalidMetricSourceType';
  return isInvalid ? 'spec' : 'internal';
}

function proposalContext(
  { metrics, pods, autoscaler, options, context }: Pass,
  scale: TargetScale,
) {
  const { namespace, selector, specReplicas, statusReplicas } = scale;
  const { scaleUp, scaleDown } = autoscaler.spec.behavior ?? {};
  const tolerance = (given: string | undefined) =>
    given === undefined || options.hasTolerances === false
      ? defaults.tolerance
      : milli(given) / 1000;
  return {
    client: metrics,
    namespace,
    selector,
    pods: selectedPods(pods, namespace, selector),
    specReplicas,
    statusReplicas,
    tolerances: { up: tolerance(scaleUp?.tolerance), down: tolerance(scaleDown?.tolerance) },
    readiness: {
      now: context.clock.now(),
      cpuInitializationMs: defaults.cpuInitializationMs,
      initialReadinessDelayMs: defaults.initialReadinessDelayMs,
    },
  };
}

function tellFailures(pass: Pass, failures: readonly ProposalError[], total: number): void {
  const [first] = failures;
  if (first === undefined) return;
  const count = `${failures.length} invalid out of ${total}`;
  tellUncomputed(
    pass,
    `invalid metrics (${count}), first error is: ${first.prefix}${first.message}`,
  );
}

function tellUncomputed(pass: Pass, message: string): void {
  tell(pass, { type: 'Warning', reason: 'FailedComputeMetricsReplicas', message });
}

interface Calculated {
  readonly best: MetricProposal;
  readonly shown: readonly MetricStatus[];
  readonly active: ConditionText;
}

function limited(pass: Pass, scale: TargetScale, { best, shown, active }: Calculated): Outcome {
  const { autoscaler, histories, key, context } = pass;
  const { minReplicas = 1, maxReplicas, behavior } = autoscaler.spec;
  const current = scale.specReplicas;
  const now = context.clock.now();
  const history = histories.get(key) ?? emptyHistory;
  const result = normalise({
    current,
    desired: best.replicas,
    min: minReplicas,
    max: maxReplicas,
    up: behavior?.scaleUp,
    down: behavior?.scaleDown,
    hasBehavior: behavior !== undefined,
    downscaleStabilizationMs: defaults.downscaleStabilizationMs,
    history,
    now,
  });
  histories.set(key, { ...history, recommendations: result.recommendations });
  const isUp = best.replicas > current;
  return {
    replicas: result.replicas,
    reason: isUp ? `${best.name} above target` : 'All metrics below target',
    metrics: shown,
    conditions: [active, ...result.conditions],
  };
}
