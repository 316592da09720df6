// Metrics of match conditions, of webhooks and of policies: how long they took, how many could not be
// evaluated, and how often a webhook was not asked because of them.

import type { Clock } from '@keelson/apimachinery';
import type { Metrics } from '../../metrics.ts';
import type { AdmissionOperation } from '../admission.ts';

export interface ConditionOwner {
  readonly name: string;
  readonly kind: 'webhook' | 'policy';
  /** COMPAT: policies of both kinds are `validate`. */
  readonly type: 'admit' | 'validating' | 'validate';
  readonly operation: AdmissionOperation;
}

/** One judgement. It may be begun again, when the authorizer had to be waited for. */
export interface ConditionWatch {
  begin(): void;
  end(failures: number): void;
  /** Counts the last run, if there was one. */
  publish(): void;
  /** The webhook is not asked because of its conditions. */
  excluded(): void;
}

export interface ConditionMetrics {
  watch(owner: ConditionOwner): ConditionWatch;
}

const buckets = [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25];
const where =
  'broken out for each kind containing matchConditions (webhook or policy), operation and';

export function createConditionMetrics(metrics: Metrics, clock: Clock): ConditionMetrics {
  const duration = metrics.histogram(
    'apiserver_admission_match_condition_evaluation_seconds',
    `Admission match condition evaluation time in seconds, identified by name and ${where} type (validate or admit).`,
    buckets,
  );
  const count = (what: 'errors' | 'exclusions', name: string) =>
    metrics.counter(
      name,
      `Admission match condition evaluation ${what} count, identified by name of resource containing the match condition and ${where} admission type (validate or admit).`,
    );
  const errors = count('errors', 'apiserver_admission_match_condition_evaluation_errors_total');
  const exclusions = count('exclusions', 'apiserver_admission_match_condition_exclusions_total');
  return {
    watch({ kind, name, operation, type }) {
      const labels = { kind, name, operation, type };
      let startMs = 0;
      let last: { readonly seconds: number; readonly failures: number } | undefined;
      return {
        begin: () => void (startMs = clock.monotonic()),
        end: (failures) =>
          void (last = { seconds: (clock.monotonic() - startMs) / 1000, failures }),
        publish() {
          if (last === undefined) return;
          duration.observe(labels, last.seconds);
          if (last.failures > 0) errors.add(labels, last.failures);
        },
        excluded: () => exclusions.add(labels),
      };
    },
  };
}
