// One request before the policies: which policies and bindings it concerns, with which parameters,
// and what their expressions see of it. Validating and mutating policies share it.

import { isStatusError, type GroupVersionResource, type KubeObject } from '@keelson/apimachinery';
import type {
  MatchResources,
  ParamKind,
  ParamRef,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { Environment } from '@keelson/cel';
import type { Authorizer } from '../../authorization/authorizer.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { AdmissionAttributes } from '../admission.ts';
import { isNamespaceResource } from '../match/rule-matcher.ts';
import type { RequestVersions, VersionedObjects } from '../request-versions.ts';
import type { ConditionMetrics, ConditionWatch } from './condition-metrics.ts';
import { matchResources, type MatchDependencies, type MatchedResource } from './match-resources.ts';
import { collectParams, ParamError, type ParamSource } from './params.ts';
import { createPolicyAuthorizer, type PolicyAuthorizer } from './policy-authorizer.ts';
import { createInputsOfRequest, type PolicyInputs } from './policy-inputs.ts';
import type { PolicyMetrics } from './policy-metrics.ts';
import type { BoundPolicy, PolicyTables } from './policy-table.ts';

export interface PolicyPluginOptions {
  readonly policies: ObjectSource;
  readonly bindings: ObjectSource;
  /** Policies that are no objects of the API; they come first and see policies too. */
  readonly manifests?: PolicySet | undefined;
  readonly metrics?: PolicyMetrics;
  readonly conditionMetrics?: ConditionMetrics;
  readonly namespaces: ObjectSource;
  readonly versions: RequestVersions;
  readonly params: ParamSource;
  readonly authorizer: Authorizer;
  /** For expressions that are stored. */
  readonly environment: Environment;
}

export interface PolicySet {
  readonly policies: ObjectSource;
  readonly bindings: ObjectSource;
}

/** What both kinds of policies have. */
export interface AnyPolicy {
  readonly metadata: { readonly name?: string };
  readonly spec: {
    readonly failurePolicy?: string;
    readonly matchConstraints?: MatchResources;
    readonly paramKind?: ParamKind;
  };
}

export interface AnyBinding {
  readonly metadata: { readonly name?: string };
  readonly spec: {
    readonly policyName?: string;
    readonly matchResources?: MatchResources;
    readonly paramRef?: ParamRef;
  };
}

/** A policy that concerns the request, by one binding and with one set of parameters. */
export interface PolicyCall<P, B> {
  readonly policy: P;
  readonly binding: B;
  readonly matched: MatchedResource;
  readonly params: KubeObject | undefined;
}

/** Why a policy cannot be asked. */
export interface PolicyProblem<P, B> {
  readonly policy: P;
  readonly binding: B | undefined;
  readonly message: string;
}

const policyResources: ReadonlySet<string> = new Set([
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
]);
const reviewResources: ReadonlySet<string> = new Set([
  'authentication.k8s.io/tokenreviews',
  'authentication.k8s.io/selfsubjectreviews',
  'authorization.k8s.io/subjectaccessreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
]);

/** SECURITY: a policy could otherwise forbid its own repair. */
function isAboutPolicies({ gvr: { group, resource } }: AdmissionAttributes): boolean {
  return group === 'admissionregistration.k8s.io' && policyResources.has(resource);
}

/** Reviews store nothing. */
function isReview({ gvr: { group, resource } }: AdmissionAttributes): boolean {
  return reviewResources.has(`${group}/${resource}`);
}

/**
 * All calls of all policies, in the order of the table. Problems of policies that may fail are left
 * out.
 */
export async function findPolicyCalls<P extends AnyPolicy, B extends AnyBinding>(
  tables: PolicyTables<P, B>,
  options: PolicyPluginOptions,
  attributes: AdmissionAttributes,
): Promise<(PolicyCall<P, B> | PolicyProblem<P, B>)[]> {
  const policies = boundFor(tables, attributes);
  if (policies.length === 0) return [];
  const dependencies = { namespaces: options.namespaces, versions: rememberEquivalents(options) };
  const equivalents = dependencies.versions.equivalents(attributes.gvr).map(resourceName);
  const names = [...new Set([attributes.gvr.resource, ...equivalents])];
  const found: (PolicyCall<P, B> | PolicyProblem<P, B>)[] = [];
  for (const bound of policies) {
    // Most policies are about other resources, and need no closer look.
    if (bound.resources && !names.some((name) => bound.resources?.has(name))) continue;
    const { policy } = bound;
    const { matchConstraints = {} } = policy.spec;
    const matched = tryMatch(matchConstraints, attributes, dependencies);
    if (matched === undefined) continue;
    const calls = await callsOf(options, { bound, matched }, { attributes, dependencies });
    for (const call of calls) {
      if ('message' in call && policy.spec.failurePolicy === 'Ignore') continue;
      found.push(call);
    }
  }
  if (attributes.trace.enabled) traceUnmatched(attributes, policies, found);
  return found;
}

/** The policies that may be asked about a request, in order. */
function boundFor<P, B>(
  { own, manifests }: PolicyTables<P, B>,
  attributes: AdmissionAttributes,
): readonly BoundPolicy<P, B>[] {
  if (isReview(attributes)) return [];
  const policies = isAboutPolicies(attributes) ? [] : own.bound();
  return manifests === undefined ? policies : [...manifests.bound(), ...policies];
}

/** How many policies a step names. */
const unmatchedMax = 100;

/** One step for all: there may be more policies than a trace has steps. */
function traceUnmatched(
  { trace }: AdmissionAttributes,
  bound: readonly { readonly policy: AnyPolicy }[],
  found: readonly { readonly policy: AnyPolicy }[],
): void {
  const asked = new Set(found.map(({ policy }) => policy));
  const others = bound.filter(({ policy }) => !asked.has(policy));
  if (others.length === 0) return;
  trace.record({
    stage: 'admission/policy',
    by: 'match',
    outcome: 'no-opinion',
    reason: 'policies with bindings that are not about the request',
    detail: { policies: others.slice(0, unmatchedMax).map(({ policy }) => policy.metadata.name) },
  });
}

const resourceName = ({ resource }: GroupVersionResource) => resource;

/** One request asks for the equivalents of one resource, for each of many rules. */
function rememberEquivalents({ versions }: PolicyPluginOptions): MatchDependencies['versions'] {
  let known: { of: GroupVersionResource; are: readonly GroupVersionResource[] } | undefined;
  return {
    kindOf: (gvr, subresource) => versions.kindOf(gvr, subresource),
    equivalents(gvr) {
      if (known?.of !== gvr) known = { of: gvr, are: versions.equivalents(gvr) };
      return known.are;
    },
  };
}

interface MatchedPolicy<P, B> {
  readonly bound: BoundPolicy<P, B>;
  /** Or why that cannot be said. */
  readonly matched: MatchedResource | string;
}

interface MatchedRequest {
  readonly attributes: AdmissionAttributes;
  readonly dependencies: MatchDependencies;
}

async function callsOf<P extends AnyPolicy, B extends AnyBinding>(
  options: PolicyPluginOptions,
  { bound: { policy, bindings }, matched }: MatchedPolicy<P, B>,
  { attributes, dependencies }: MatchedRequest,
): Promise<(PolicyCall<P, B> | PolicyProblem<P, B>)[]> {
  const { paramKind } = policy.spec;
  if (typeof matched === 'string') return [{ policy, binding: undefined, message: matched }];
  if (paramKind !== undefined && options.params.find(paramKind) === undefined) {
    const shown = `${paramKind.apiVersion}, Kind=${paramKind.kind}`;
    const message = `failed to find resource referenced by paramKind: '${shown}'`;
    return [{ policy, binding: undefined, message }];
  }
  const calls: (PolicyCall<P, B> | PolicyProblem<P, B>)[] = [];
  for (const binding of bindings) {
    const { matchResources: own } = binding.spec;
    const isBound = own === undefined ? matched : tryMatch(own, attributes, dependencies);
    if (isBound === undefined) continue;
    if (typeof isBound === 'string') {
      calls.push({ policy, binding, message: isBound });
      continue;
    }
    try {
      for (const params of await paramsOf(options, attributes, { policy, binding })) {
        calls.push({ policy, binding, matched, params });
      }
    } catch (error) {
      if (!(error instanceof ParamError)) throw error;
      calls.push({ policy, binding, message: error.message });
    }
  }
  return calls;
}

/** A namespace that is not there cannot be matched. */
function tryMatch(
  match: MatchResources,
  attributes: AdmissionAttributes,
  dependencies: MatchDependencies,
): MatchedResource | string | undefined {
  try {
    return matchResources(match, attributes, dependencies);
  } catch (error) {
    if (isStatusError(error)) return error.message;
    throw error;
  }
}

/** COMPAT: a policy without parameters, or a binding without a reference to some, runs once. */
async function paramsOf(
  options: PolicyPluginOptions,
  { namespace }: AdmissionAttributes,
  { policy, binding }: { readonly policy: AnyPolicy; readonly binding: AnyBinding },
): Promise<readonly (KubeObject | undefined)[]> {
  const { paramKind } = policy.spec;
  const { paramRef } = binding.spec;
  const resource = paramKind && options.params.find(paramKind);
  if (resource === undefined || paramRef === undefined) return [undefined];
  return collectParams({ resource, ref: paramRef, namespace });
}

/** What the expressions of all policies see of one request. */
export interface PolicyRequest {
  readonly authorizer: PolicyAuthorizer;
  /** The objects as they are now, in the version of the call. */
  inputs(matched: MatchedResource, objects: VersionedObjects): PolicyInputs;
}

export function createPolicyRequest(
  { authorizer: ask, namespaces }: Pick<PolicyPluginOptions, 'authorizer' | 'namespaces'>,
  attributes: AdmissionAttributes,
): PolicyRequest {
  const { user, trace, gvr, namespace: name } = attributes;
  const authorizer = createPolicyAuthorizer({ authorizer: ask, user, trace });
  const namespace = name !== '' && !isNamespaceResource(gvr) ? namespaces.get('', name) : undefined;
  return { authorizer, inputs: createInputsOfRequest({ attributes, namespace, authorizer }) };
}

/** Undefined where nobody counts. */
export function watchConditions(
  { conditionMetrics }: Pick<PolicyPluginOptions, 'conditionMetrics'>,
  { metadata: { name = '' } }: AnyPolicy,
  { operation }: AdmissionAttributes,
): ConditionWatch | undefined {
  return conditionMetrics?.watch({ name, kind: 'policy', type: 'validate', operation });
}

/** Evaluates, and once more when authorization checks took time. */
export async function settled<T>(request: PolicyRequest, evaluate: () => T): Promise<T> {
  for (;;) {
    const result = evaluate();
    if (!(await request.authorizer.settle())) return result;
  }
}
