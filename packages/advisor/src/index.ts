// The advisor: what would this cluster do, and why? Each answer comes from a real API server.

export type {
  AdvisedCluster,
  AdvisedClusterOptions,
  AdvisedUser,
  ClusterFactory,
  Decision,
  DecisionRequest,
} from './cluster.ts';

export { askAuthorization, explainRequest } from './explain/explanation.ts';
export type { ExplainedCluster, Explanation } from './explain/explanation.ts';
export { renderCaller, renderExplanation } from './explain/render.ts';
export { heldRuleJson, identityJson, toExplanationJson } from './explain/explanation-json.ts';
export { readKubectlCommand } from './explain/kubectl-command.ts';
export type { KubectlSurroundings } from './explain/kubectl-command.ts';
export { manifestRequests } from './explain/manifest.ts';
export { readAuditEvent } from './explain/audit-event.ts';
export type { AuditedRequest } from './explain/audit-event.ts';
export { findResource, UnreadableError } from './explain/api-request.ts';
export type { ApiRequestMeant, KnownResource } from './explain/api-request.ts';

export { describeIdentity, identityOf, parseIdentity } from './rbac/identities.ts';
export type { Identity } from './rbac/identities.ts';
export { readRbacState } from './rbac/state.ts';
export type { RbacState } from './rbac/state.ts';
export type { AccessQuestion } from './rbac/rules.ts';
export { whatCan, whoCan } from './rbac/reachable-rights.ts';
export type { Holder, Rights } from './rbac/reachable-rights.ts';
export {
  renderAuditProposals,
  renderHolders,
  renderRights,
  renderRightsDiff,
} from './rbac/render-rights.ts';
export { describeChange, diffRights } from './rbac/rights-diff.ts';
export { proposeFromAudit } from './rbac/from-audit.ts';
export { runPolicyTests } from './policy-tests/run-suites.ts';
export type { PolicyTestOptions, PolicyTestRun, SuiteRun } from './policy-tests/run-suites.ts';
export type { CaseResult } from './policy-tests/run-suite.ts';
export { formatJsonReport } from './policy-tests/report-json.ts';
export { formatJunitReport } from './policy-tests/report-junit.ts';
export { countOf, formatTextReport } from './policy-tests/report-text.ts';

export { planMigration } from './psp-migration/plan-migration.ts';
export type { MigrationOptions, MigrationPlan } from './psp-migration/plan-migration.ts';
export {
  formatMigrationManifests,
  formatMigrationReport,
} from './psp-migration/report-migration.ts';
export { readObjects } from './sources/object-files.ts';
export type { ReadObjectsOptions, SourceFiles } from './sources/object-files.ts';
export { SourceError } from './sources/source.ts';
export type { Source, SourcedObject } from './sources/source.ts';
