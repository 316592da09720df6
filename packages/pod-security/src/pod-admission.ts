// The decision about pods and about workloads, which hold a pod template.
//
// A pod is refused when it violates `enforce`; violations of `audit` become an audit annotation, of
// `warn` a warning. A workload is never refused: its pods will meet `enforce` when they are made.
// SECURITY: a pod that cannot be judged (namespace unknown, object unreadable) is refused.

import type { AdmissionContext, PodSecurityRequest } from './admission-context.ts';
import {
  allowedBy,
  allowedByExemption,
  allowedDespite,
  allowedSilently,
  annotation,
  refusedAsUndecodable,
  refusedByFailure,
  textOfError,
  type ModeEvaluation,
  type PodSecurityDecision,
} from './admission-decision.ts';
import { aggregate, type AggregateResult } from './aggregate.ts';
import { renderFieldErrors } from './field-error.ts';
import { formatLevelVersion, isSameLevelVersion, type LevelVersion } from './level-version.ts';
import { podTemplateOf, toNamespace, toPod, type PodObject } from './pod-templates.ts';
import { isSignificantPodUpdate } from './pod-update.ts';
import {
  isFullyPrivileged,
  parsePolicyLabels,
  type ParsedPolicy,
  type Policy,
  type PolicyMode,
} from './policy-labels.ts';

/**
 * Requests for these do not change what a pod may do. Any other subresource may, also one that this
 * release does not know, and is judged like the pod.
 */
const ignoredPodSubresources: ReadonlySet<string> = new Set([
  'attach',
  'binding',
  'eviction',
  'exec',
  'log',
  'portforward',
  'proxy',
  'status',
]);

export async function decidePod(
  context: AdmissionContext,
  request: PodSecurityRequest,
): Promise<PodSecurityDecision> {
  if (ignoredPodSubresources.has(request.subresource)) return allowedSilently;
  const exempted = decideByRequester(context, request);
  if (exempted !== undefined) return exempted;
  let parsed: ParsedPolicy;
  try {
    parsed = await policyOfNamespace(context, request);
  } catch (error) {
    return refusedByFailure(`failed to lookup namespace "${request.namespace}"`, error);
  }
  if (parsed.errors.length === 0 && isFullyPrivileged(parsed.policy)) {
    return allowedByPrivileged(parsed.policy);
  }
  const pod = toPod(request.object);
  if (pod === undefined) return refusedAsUndecodable('failed to decode pod');
  if (request.operation === 'UPDATE') {
    const old = toPod(request.oldObject);
    if (old === undefined) return refusedAsUndecodable('failed to decode old pod');
    if (!isSignificantPodUpdate(pod, old, context.release)) return allowedSilently;
  }
  return decideByPolicy(context, parsed, pod, { enforces: true });
}

export async function decideWorkload(
  context: AdmissionContext,
  request: PodSecurityRequest,
): Promise<PodSecurityDecision> {
  if (request.subresource !== '') return allowedSilently;
  const exempted = decideByRequester(context, request);
  if (exempted !== undefined) return exempted;
  let parsed: ParsedPolicy;
  try {
    parsed = await policyOfNamespace(context, request);
  } catch (error) {
    const cause = textOfError(error);
    return allowedDespite(`failed to lookup namespace "${request.namespace}": ${cause}`);
  }
  const { audit, warn } = parsed.policy;
  const isSilent = audit.level === 'privileged' && warn.level === 'privileged';
  if (parsed.errors.length === 0 && isSilent) return allowedSilently;
  const template = podTemplateOf(request.resource, request.object);
  if (template === undefined) return allowedDespite('failed to decode object: unexpected type');
  if (template === 'absent') return allowedSilently;
  return decideByPolicy(context, parsed, template, { enforces: false });
}

function decideByRequester(
  { exempt }: AdmissionContext,
  { namespace, userName }: PodSecurityRequest,
): PodSecurityDecision | undefined {
  if (exempt.namespace(namespace)) return allowedByExemption('namespace');
  return exempt.user(userName) ? allowedByExemption('user') : undefined;
}

async function policyOfNamespace(
  { dependencies, defaults }: AdmissionContext,
  { namespace, signal }: PodSecurityRequest,
): Promise<ParsedPolicy> {
  const found = toNamespace(await dependencies.namespaces.getNamespace(namespace, signal));
  if (found === undefined) throw new Error(`namespaces "${namespace}" cannot be read`);
  return parsePolicyLabels(found.metadata.labels, defaults);
}

function decideByPolicy(
  { evaluate, exempt }: AdmissionContext,
  { policy, errors }: ParsedPolicy,
  pod: PodObject,
  { enforces }: { readonly enforces: boolean },
): PodSecurityDecision {
  if (exempt.runtimeClass(pod.spec.runtimeClassName)) return allowedByExemption('runtimeClass');
  const evaluations: ModeEvaluation[] = [];
  // Modes with the same level and version are evaluated once.
  const evaluateMode = (mode: PolicyMode): AggregateResult => {
    const wanted = policy[mode];
    const known = evaluations.find((earlier) => isSameLevelVersion(earlier.policy, wanted));
    const result = known?.result ?? aggregate(evaluate(wanted, pod.metadata, pod.spec));
    evaluations.push({ mode, policy: wanted, result });
    return result;
  };

  const enforced = enforces ? evaluateMode('enforce') : undefined;
  const audited = evaluateMode('audit');
  const auditAnnotations = {
    ...(errors.length === 0
      ? {}
      : annotation('error', `Failed to parse policy: ${renderFieldErrors(errors)}`)),
    ...(enforces ? annotation('enforce-policy', formatLevelVersion(policy.enforce)) : {}),
    ...(audited.allowed
      ? {}
      : annotation('audit-violations', `would ${violation('violate', policy.audit, audited)}`)),
  };
  const failure = errors.length === 0 ? {} : ({ failure: 'non-fatal' } as const);
  const context = { warnings: [], auditAnnotations, evaluations, ...failure };
  if (enforced !== undefined && !enforced.allowed) {
    const message = violation('violates', policy.enforce, enforced);
    const { fieldErrors } = enforced;
    return { allowed: false, reason: 'Forbidden', message, fieldErrors, ...context };
  }
  // A refused request carries no warning: the refusal says it already.
  const warned = evaluateMode('warn');
  if (warned.allowed) return allowedBy(context);
  const warnings = [`would ${violation('violate', policy.warn, warned)}`];
  return allowedBy({ ...context, warnings });
}

function allowedByPrivileged({ enforce }: Policy): PodSecurityDecision {
  return allowedBy({
    evaluations: [{ mode: 'enforce', policy: enforce, result: aggregate([]) }],
    // COMPAT: whatever the version, which means nothing here.
    auditAnnotations: annotation('enforce-policy', 'privileged:latest'),
  });
}

function violation(verb: string, policy: LevelVersion, result: AggregateResult): string {
  return `${verb} PodSecurity "${formatLevelVersion(policy)}": ${result.forbiddenDetail()}`;
}
