// The record of how one request was decided, written by the code that decides. A step names the
// stop of the pipeline, its outcome and why; `detail` may hold what the step saw.
// SECURITY: values of Secrets, tokens and whole request bodies never go into a step. The values
// that decided an expression of a policy do, in a bounded number of characters, unless they are a
// Secret's.

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

export interface DecisionTraceLimits {
  readonly stepsMax: number;
  /** Characters of the reason of one step; the rest is cut off. */
  readonly reasonLengthMax: number;
}

const generousLimits: DecisionTraceLimits = { stepsMax: 500, reasonLengthMax: 4096 };

/** Keeps at most `stepsMax` steps; later ones are dropped and counted in a last step. */
export function createDecisionTrace(limits: DecisionTraceLimits = generousLimits): DecisionTrace {
  const { stepsMax, reasonLengthMax } = limits;
  const steps: DecisionStep[] = [];
  let dropped = 0;
  return {
    enabled: true,
    record(step) {
      if (steps.length >= stepsMax) dropped++;
      else if (step.reason.length <= reasonLengthMax) steps.push(step);
      else steps.push({ ...step, reason: `${step.reason.slice(0, reasonLengthMax)}…` });
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
