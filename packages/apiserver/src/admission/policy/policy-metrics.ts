// Metrics of policies in CEL: how often each decided what, and how long that took. Names and labels
// are kube-apiserver's since 1.31. Names of policies and bindings are labels, so their number is
// bounded by what administrators write.

import type { Clock } from '@keelson/apimachinery';
import type { Metrics } from '../../metrics.ts';

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

const validating: MetricNames = {
  prefix: 'apiserver_validating_admission_policy',
  total:
    'Validation admission policy check total, labeled by policy and further identified by binding and enforcement action taken.',
  duration:
    'Validation admission latency for individual validation expressions in seconds, labeled by policy and further including binding and enforcement action taken.',
};
const mutating: MetricNames = {
  prefix: 'apiserver_mutating_admission_policy',
  total:
    'Mutation admission policy check total, labeled by policy and further identified by binding.',
  duration:
    'Mutation admission latency for individual mutation expressions in seconds, labeled by policy and binding.',
};

export function createPolicyMetrics(
  kind: 'validating' | 'mutating',
  metrics: Metrics,
  clock: Clock,
): PolicyMetrics {
  const names = kind === 'validating' ? validating : mutating;
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
          error_type: errorType(message),
          policy,
          policy_binding: binding,
        };
        total.add(labels);
        duration.observe(labels, (clock.monotonic() - startMs) / 1000);
      };
    },
  };
}

/** COMPAT: told by the text, so that a plain refusal counts as invalid. */
function errorType(message: string | undefined): string {
  if (message === undefined) return 'no_error';
  if (message.startsWith('compilation')) return 'compile_error';
  if (message.startsWith('validation failed due to running out of cost budget'))
    return 'out_of_budget';
  return 'invalid_error';
}
