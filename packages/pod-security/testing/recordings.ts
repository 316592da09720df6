// Replays recorded conversations with a Kubernetes API server against the decisions of this
// package, without a server: a namespace with labels, the pods that were made in it, and for each
// request what Pod Security says. Everything else that a server does (validation, other warnings)
// is left out of the comparison.

import {
  createPodSecurityAdmission,
  hasPodTemplate,
  labelPrefix,
  type GroupResource,
  type PodSecurityDecision,
  type PodSecurityRequest,
} from '../src/index.ts';

export interface Recording {
  readonly id: string;
  readonly nsLabels?: Record<string, string>;
  readonly user?: { readonly name?: string } | null;
  readonly steps: readonly RecordedStep[];
}

export interface RecordedStep {
  readonly request: {
    readonly method?: string;
    readonly path?: string;
    readonly body?: KubernetesObject;
  };
  readonly compare?: string;
  readonly response: {
    readonly status: number;
    readonly warnings?: readonly string[];
    readonly body?: { readonly message?: string };
  };
  /** Audit annotations of the request, where they were recorded. */
  readonly annotations?: Readonly<Record<string, string>>;
}

interface KubernetesObject {
  readonly metadata?: Fields & { readonly name?: string; readonly labels?: Fields };
  readonly spec?: Fields;
}
type Fields = Readonly<Record<string, unknown>>;

export interface StepOutcome {
  readonly message: string | undefined;
  readonly warnings: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface StepComparison {
  readonly got: StepOutcome;
  readonly expected: StepOutcome;
}

/** What was decided and what was recorded, for each step that Pod Security has a say in. */
export async function replayRecording(recording: Recording): Promise<StepComparison[]> {
  let namespace: KubernetesObject = {
    metadata: { name: '${ns}', labels: recording.nsLabels ?? {} },
  };
  const pods = new Map<string, KubernetesObject>();
  const admission = createPodSecurityAdmission({
    namespaces: { getNamespace: () => namespace },
    pods: { listPods: () => [...pods.values()] },
    clock: { monotonic: () => 0 },
  });
  const comparisons: StepComparison[] = [];
  for (const step of recording.steps) {
    const request = toRequest(recording, step, { namespace, pods });
    if (request === undefined) continue;
    const decision = await admission.decide(request);
    if (isRefusedBefore(step, request)) continue;
    const comparison = compare(step, request, decision);
    if (step.compare !== 'status') comparisons.push(comparison);
    if (step.response.status >= 300 || step.request.path?.includes('dryRun')) continue;
    const made = request.object as KubernetesObject;
    if (request.resource.resource === 'pods') pods.set(request.name, made);
    if (request.resource.resource === 'namespaces') namespace = made;
  }
  return comparisons;
}

function toRequest(
  { user }: Recording,
  { request: { method, path = '', body } }: RecordedStep,
  { namespace, pods }: { namespace: KubernetesObject; pods: ReadonlyMap<string, KubernetesObject> },
): PodSecurityRequest | undefined {
  const target = parsePath(path);
  const operation = method === 'POST' ? 'CREATE' : 'UPDATE';
  if (target === undefined || body === undefined || !isJudged(target.resource)) return undefined;
  const { resource, subresource } = target;
  const name = target.name ?? body.metadata?.name ?? '';
  const old = resource.resource === 'namespaces' ? namespace : pods.get(name);
  const common = { resource, subresource, name, namespace: '${ns}', userName: user?.name ?? '' };
  return operation === 'CREATE'
    ? { ...common, operation, object: body }
    : { ...common, operation, object: mergePatch(old, body), oldObject: old };
}

function isJudged(resource: GroupResource): boolean {
  const isCore = resource.group === '' && ['pods', 'namespaces'].includes(resource.resource);
  return isCore || hasPodTemplate(resource);
}

/** `/apis/apps/v1/namespaces/x/deployments/y/scale`, `/api/v1/namespaces/x`. */
function parsePath(path: string) {
  const [, root, ...rest] = (path.split('?')[0] ?? '').split('/');
  const group = root === 'apis' ? (rest.shift() ?? '') : '';
  rest.shift();
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2;
  const [resource, name, subresource = ''] = inNamespace ? rest.slice(2) : rest;
  return resource === undefined ? undefined : { resource: { group, resource }, name, subresource };
}

/** JSON merge patch, which for these recordings also gives what strategic merge would. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const merged: Record<string, unknown> = isFields(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Validation comes first; what it refused, Pod Security never saw. */
function isRefusedBefore({ response }: RecordedStep, { resource }: PodSecurityRequest): boolean {
  const isInvalid = response.status === 422;
  const isAboutLabels = response.body?.message?.includes(`metadata.labels[${labelPrefix}`) === true;
  return isInvalid && !(resource.resource === 'namespaces' && isAboutLabels);
}

function compare(
  { response, annotations }: RecordedStep,
  { name }: PodSecurityRequest,
  decision: PodSecurityDecision,
): StepComparison {
  const recorded = response.status >= 400 ? response.body?.message : undefined;
  const got = {
    message: decision.allowed ? undefined : statusMessage(name, decision),
    warnings: decision.warnings,
    annotations: annotations === undefined ? {} : decision.auditAnnotations,
  };
  const warnings = (response.warnings ?? []).filter((text) => !/^(spec|metadata)\./.test(text));
  return { got, expected: { message: recorded, warnings, annotations: annotations ?? {} } };
}

function statusMessage(name: string, decision: PodSecurityDecision & { allowed: false }): string {
  return decision.reason === 'Invalid'
    ? `Namespace "${name}" is invalid: ${decision.message}`
    : `pods "${name}" is forbidden: ${decision.message}`;
}
