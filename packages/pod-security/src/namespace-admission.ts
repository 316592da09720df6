// The decision about namespaces: their Pod Security labels must be readable, and whoever makes
// `enforce` stricter is warned about the pods that would no longer be admitted.

import type { AdmissionContext, PodSecurityRequest } from './admission-context.ts';
import {
  allowedBy,
  allowedSilently,
  refusedAsInvalid,
  refusedAsUndecodable,
  type PodSecurityDecision,
} from './admission-decision.ts';
import { renderFieldErrors } from './field-error.ts';
import {
  compareLevels,
  formatLevelVersion,
  isSameLevelVersion,
  type LevelVersion,
} from './level-version.ts';
import { podsCheckMs, warnAboutPods } from './namespace-pods.ts';
import { toNamespace, toPod, type PodObject } from './pod-templates.ts';
import {
  isEquivalentPolicy,
  isFullyPrivileged,
  labelPrefix,
  parsePolicyLabels,
  policyModes,
  type Labels,
  type ParsedPolicy,
  type Policy,
} from './policy-labels.ts';

export async function decideNamespace(
  context: AdmissionContext,
  request: PodSecurityRequest,
): Promise<PodSecurityDecision> {
  if (request.subresource !== '') return allowedSilently;
  const namespace = toNamespace(request.object);
  if (namespace === undefined) return refusedAsUndecodable('failed to decode namespace');
  const { name: ownName, labels } = namespace.metadata;
  const name = ownName ?? request.name;
  const now = parsePolicyLabels(labels, context.defaults);
  if (request.operation === 'CREATE') {
    if (now.errors.length > 0) return refusedAsInvalid(now.errors);
    return context.exempt.namespace(name)
      ? decideExempt(context, name, { policy: now.policy, labels })
      : allowedSilently;
  }
  const old = toNamespace(request.oldObject);
  if (old === undefined) return refusedAsUndecodable('failed to decode old namespace');
  const before = parsePolicyLabels(old.metadata.labels, context.defaults);
  if (now.errors.length > 0 && !hasSameErrors(before, now)) return refusedAsInvalid(now.errors);
  if (!isStricterEnforce(before.policy.enforce, now.policy.enforce)) return allowedSilently;
  if (context.exempt.namespace(name)) {
    return decideExempt(context, name, { policy: now.policy, labels });
  }
  return allowedBy({ warnings: await warningsAboutPods(context, request, name, now.policy) });
}

/** Bad labels that were there before do not stand in the way of other changes. */
function hasSameErrors(before: ParsedPolicy, now: ParsedPolicy): boolean {
  return (
    before.errors.length > 0 && renderFieldErrors(before.errors) === renderFieldErrors(now.errors)
  );
}

/** True when pods that satisfied the policy before may violate it now. */
function isStricterEnforce(before: LevelVersion, now: LevelVersion): boolean {
  if (isSameLevelVersion(before, now) || now.level === 'privileged') return false;
  return before.version !== now.version || compareLevels(now.level, before.level) > 0;
}

async function warningsAboutPods(
  { dependencies, evaluate, exempt }: AdmissionContext,
  { signal, remainingMs = Number.POSITIVE_INFINITY }: PodSecurityRequest,
  namespace: string,
  { enforce }: Policy,
): Promise<string[]> {
  const { clock, pods } = dependencies;
  const deadline = clock.monotonic() + Math.min(podsCheckMs, remainingMs / 2);
  let existing: PodObject[];
  try {
    existing = (await pods.listPods(namespace, signal)).flatMap((pod) => toPod(pod) ?? []);
  } catch {
    // The change itself is harmless, so that failing to look is only worth a warning.
    return ['failed to list pods while checking new PodSecurity enforce level'];
  }
  return warnAboutPods(existing, {
    namespace,
    enforce,
    evaluate,
    isExemptRuntimeClass: exempt.runtimeClass,
    isOver: () => signal?.aborted === true || clock.monotonic() >= deadline,
    pause: async () => dependencies.pause?.(),
  });
}

/** Labels of an exempt namespace have no effect, which is worth telling when they ask for one. */
function decideExempt(
  { defaults }: AdmissionContext,
  name: string,
  { policy, labels }: { readonly policy: Policy; readonly labels: Labels | null | undefined },
): PodSecurityDecision {
  if (isFullyPrivileged(policy) || isEquivalentPolicy(policy, defaults)) return allowedSilently;
  const asked = policyModes.filter(
    (mode) =>
      policy[mode].level !== 'privileged' &&
      (labels?.[`${labelPrefix}${mode}`] !== undefined ||
        labels?.[`${labelPrefix}${mode}-version`] !== undefined),
  );
  const ignored = asked.map((mode) => `${mode}=${formatLevelVersion(policy[mode])}`).join(', ');
  const warning =
    `namespace "${name}" is exempt from Pod Security, ` +
    `and the policy (${ignored}) will be ignored`;
  return allowedBy({ warnings: [warning] });
}
