// Runs the checks of a level and version against a pod. Plans (which checks, in which order) are
// made once per evaluator; evaluating a pod that passes allocates nothing.

import type { CheckId, ServerBehaviour } from './check.ts';
import type { FieldError } from './field-error.ts';
import { levels, type Level, type LevelVersion } from './level-version.ts';
import type { PodMetadata, PodSpec } from './pod.ts';
import { checksFor, type PlannedCheck } from './registry.ts';

/** The newest release whose behaviour is known, and the newest policy version: 1.36. */
export const newestRelease = 36;

export type CheckResult = AllowedResult | ForbiddenResult;

export interface AllowedResult {
  readonly checkId: CheckId;
  readonly allowed: true;
}

export interface ForbiddenResult {
  readonly checkId: CheckId;
  readonly allowed: false;
  readonly forbiddenReason: string;
  readonly forbiddenDetail: string;
  readonly fieldErrors: readonly FieldError[];
}

/** Decides about a pod or pod template; one result per check, in the order of messages. */
export type EvaluatePod = (
  policy: LevelVersion,
  podMetadata: PodMetadata,
  podSpec: PodSpec,
) => readonly CheckResult[];

export interface EvaluatorOptions {
  /**
   * The minor of the release to behave as, 26 for 1.26. `latest` and versions that this release
   * does not know mean its own version. Default: the newest known.
   */
  readonly release?: number;
  /** The gate UserNamespacesPodSecurityStandards; without effect outside 1.29 to 1.34. */
  readonly userNamespacesGate?: boolean;
}

interface Plan {
  readonly checks: readonly PlannedCheck[];
  /** The shared answer for a pod that passes. */
  readonly passed: readonly AllowedResult[];
}

/** An evaluator that behaves as a server of the given release. */
export function createEvaluator(options: EvaluatorOptions = {}): EvaluatePod {
  const release = Math.min(options.release ?? newestRelease, newestRelease);
  const server: ServerBehaviour = Object.freeze({
    release,
    relaxesForUserNamespaces: options.userNamespacesGate === true && release >= 29 && release <= 34,
  });
  const plansByLevel = new Map(levels.map((level) => [level, createPlans(level, release)]));
  return (policy, podMetadata, podSpec) => {
    const plans = plansByLevel.get(policy.level);
    // SECURITY: a level that does not exist must not mean "nothing to check".
    if (plans === undefined) throw new RangeError(`unknown level \`${policy.level}\``);
    const plan = plans.byVersion.get(policy.version) ?? plans.newest;
    return runPlan(plan, podMetadata, podSpec, server);
  };
}

/** Evaluates as the newest known release does. */
export const evaluatePod: EvaluatePod = createEvaluator();

function createPlans(level: Level, release: number) {
  const byVersion = new Map<string, Plan>();
  for (let minor = 0; minor <= release; minor++) {
    byVersion.set(`v1.${minor}`, createPlan(level, minor));
  }
  return { byVersion, newest: createPlan(level, release) };
}

function createPlan(level: Level, minor: number): Plan {
  const checks = checksFor(level, minor);
  const passed = checks.map(({ id }) => Object.freeze({ checkId: id, allowed: true as const }));
  return { checks, passed: Object.freeze(passed) };
}

function runPlan(
  plan: Plan,
  metadata: PodMetadata,
  spec: PodSpec,
  server: ServerBehaviour,
): readonly CheckResult[] {
  const { checks, passed } = plan;
  let results: CheckResult[] | undefined;
  for (let i = 0; i < checks.length; i++) {
    const check = checks[i];
    const forbidden = check?.checkPod(metadata, spec, server);
    if (check === undefined || forbidden === undefined) continue;
    results ??= [...passed];
    results[i] = {
      checkId: check.id,
      allowed: false,
      forbiddenReason: forbidden.reason,
      forbiddenDetail: forbidden.detail,
      fieldErrors: forbidden.fieldErrors,
    };
  }
  return results ?? passed;
}
