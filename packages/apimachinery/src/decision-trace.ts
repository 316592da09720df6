// The record of how one request was decided, written by the code that decides. A step names the
// stop of the pipeline, its outcome and why; `detail` may hold what the step saw.
// SECURITY: values of Secrets, tokens and request bodies never go into a step.

export type DecisionOutcome = 'allow' | 'deny' | 'no-opinion' | 'changed' | 'unchanged' | 'error';

export interface DecisionStep {
  /** `authentication`, `authorization`, `admission/mutating`, `validation`, … */
  readonly stage: string;
  /** Who decided: `RBAC`, `PodSecurity`, `x509`. */
  readonly by: string;
  readonly outcome: DecisionOutcome;
  readonly reason: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface DecisionTrace {
  readonly enabled: boolean;
  record(step: DecisionStep): void;
  steps(): readonly DecisionStep[];
}

/** Costs nothing; for requests that nobody asks about. */
export const noDecisionTrace: DecisionTrace = {
  enabled: false,
  record: () => {},
  steps: () => [],
};

/** Keeps at most `stepsMax` steps; later ones are dropped and counted in a last step. */
export function createDecisionTrace(stepsMax = 500): DecisionTrace {
  const steps: DecisionStep[] = [];
  let dropped = 0;
  return {
    enabled: true,
    record(step) {
      if (steps.length < stepsMax) steps.push(step);
      else dropped++;
    },
    steps: () =>
      dropped === 0
        ? steps
        : [
            ...steps,
            {
              stage: 'trace',
              by: 'trace',
              outcome: 'error',
              reason: `${dropped} further steps were dropped`,
            },
          ],
  };
}
