// Metrics of policies in CEL: how often each decided what, and how long that took. Names and labels
// are kube-apiserver's: until 1.30 they told a state, which was always `active`, and no type of
// error. Names of policies and bindings are labels, so their number is bounded by what administrators
// write.

import type { Clock } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import type { Metrics } from '../../metrics.ts';
import type { ObjectSource } from '../../object-source.ts';

export interface PolicyCheck {
  readonly policy: string;
  readonly binding: string;
  /** What became of it; absent for policies that mutate. */
  readonly action?: 'allow' | 'deny' | 'audit' | 'warn';
  /** What was refused or could not be evaluated. */
  readonly message?: string;
}

export interface PolicyMetrics {
  /** To be called when a policy is asked; the function for everything that comes of it. */
  start(): (check: PolicyCheck) => void;
}

const buckets = [0.0000005, 0.001, 0.01, 0.1, 1];

interface MetricNames {
  readonly prefix: string;
  readonly total: string;
  readonly duration: string;
}

const validatingPrefix = 'apiserver_validating_admission_policy';
const validating: MetricNames = {
  prefix: validatingPrefix,
  total:
    'Validation admission policy check total, labeled by policy and further identified by binding and enforcement action taken.',
  duration:
    'Validation admission latency for individual validation expressions in seconds, labeled by policy and further including binding and enforcement action taken.',
};
const validatingWithState: MetricNames = {
  prefix: validatingPrefix,
  total:
    'Validation admission policy check total, labeled by policy and further identified by binding, enforcement action taken, and state.',
  duration:
    'Validation admission latency for individual validation expressions in seconds, labeled by policy and further including binding, state and enforcement action taken.',
};
const mutating: MetricNames = {
  prefix: 'apiserver_mutating_admission_policy',
  total:
    'Mutation admission policy check total, labeled by policy and further identified by binding.',
  duration:
    'Mutation admission latency for individual mutation expressions in seconds, labeled by policy and binding.',
};
const state = 'active';

export interface PolicyMetricsOptions {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly features: Features;
}

export function createPolicyMetrics(
  kind: 'validating' | 'mutating',
  { metrics, clock, features }: PolicyMetricsOptions,
): PolicyMetrics {
  const hasState = tellsState(features);
  const names = kind === 'mutating' ? mutating : hasState ? validatingWithState : validating;
  const total = metrics.counter(`${names.prefix}_check_total`, names.total);
  const duration = metrics.histogram(
    `${names.prefix}_check_duration_seconds`,
    names.duration,
    buckets,
  );
  return {
    start() {
      const startMs = clock.monotonic();
      return ({ policy, binding, action, message }) => {
        const labels = {
          ...(action === undefined ? {} : { enforcement_action: action }),
          ...(hasState ? {} : { error_type: errorType(message) }),
          policy,
          policy_binding: binding,
          ...(hasState ? { state } : {}),
        };
        total.add(labels);
        duration.observe(labels, (clock.monotonic() - startMs) / 1000);
      };
    },
  };
}

function tellsState({ emulated }: Features): boolean {
  return emulated.minor < 31;
}

/** Counts validating policies as they are made, in the releases that do. */
export function countDefinitions(
  policies: ObjectSource,
  { metrics, features }: Pick<PolicyMetricsOptions, 'metrics' | 'features'>,
): void {
  if (!tellsState(features)) return;
  const definitions = metrics.counter(
    `${validatingPrefix}_definition_total`,
    'Validation admission policy count total, labeled by state and enforcement action.',
  );
  // COMPAT: what the bindings do is not known here, and always told as deny.
  const count = () => definitions.add({ enforcement_action: 'deny', state });
  policies.list().forEach(count);
  policies.subscribe(({ type }) => void (type === 'ADDED' && count()));
}

/** COMPAT: told by the text, so that a plain refusal counts as invalid. */
function errorType(message: string | undefined): string {
  if (message === undefined) return 'no_error';
  if (message.startsWith('compilation')) return 'compile_error';
  if (message.startsWith('validation failed due to running out of cost budget'))
    return 'out_of_budget';
  return 'invalid_error';
}
