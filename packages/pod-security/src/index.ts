// The front door of @keelson/pod-security.

export {
  createPodSecurityAdmission,
  metricPolicyVersion,
  type PodSecurityAdmission,
  type PodSecurityOptions,
} from './admission.ts';
export type {
  NamespaceGetter,
  PodLister,
  PodSecurityDependencies,
  PodSecurityRequest,
} from './admission-context.ts';
export type {
  Exemption,
  ModeEvaluation,
  PodSecurityAllowed,
  PodSecurityDecision,
  PodSecurityRefused,
} from './admission-decision.ts';
export { aggregate, type AggregateResult } from './aggregate.ts';
export type { Check, CheckId, CheckPod, ServerBehaviour, VersionedCheck } from './check.ts';
export {
  defaultConfiguration,
  defaultPolicyOf,
  parsePodSecurityConfiguration,
  validatePodSecurityConfiguration,
  type PodSecurityConfiguration,
  type PodSecurityExemptions,
} from './configuration.ts';
export {
  createEvaluator,
  evaluatePod,
  newestRelease,
  type AllowedResult,
  type CheckResult,
  type EvaluatePod,
  type EvaluatorOptions,
  type ForbiddenResult,
} from './evaluate.ts';
export { renderFieldError, renderFieldErrors, type FieldError } from './field-error.ts';
export {
  compareLevels,
  formatLevelVersion,
  levels,
  parseLevel,
  parseLevelVersion,
  parsePolicyVersion,
  type Level,
  type LevelVersion,
  type PolicyVersion,
} from './level-version.ts';
export type { Container, PodMetadata, PodSpec, Volume } from './pod.ts';
export {
  hasPodTemplate,
  podTemplateOf,
  type GroupResource,
  type PodObject,
} from './pod-templates.ts';
export {
  labelPrefix,
  parsePolicyLabels,
  policyModes,
  privilegedPolicy,
  type Labels,
  type ParsedPolicy,
  type Policy,
  type PolicyMode,
} from './policy-labels.ts';
export { checks } from './registry.ts';
