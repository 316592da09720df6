// Why one request is allowed or refused, asked of a real server, and what would have to change. A
// refusal comes with counterfactuals: each is applied to a fork of the cluster, and the fork is asked
// the same question.

import {
  isJsonObject,
  type DecisionStep,
  type JsonObject,
  type JsonValue,
  type KubeObject,
} from '@keelson/apimachinery';
import type { AdvisedCluster, Decision } from '../cluster.ts';
import { proposeChanges, type ProposedChange } from '../rbac/counterfactuals.ts';
import type { Identity } from '../rbac/identities.ts';
import { grantsFor, isInForce, rbacGroup, type Grant } from '../rbac/policy.ts';
import { isUrlAccess, ruleAllows, type AccessQuestion } from '../rbac/rules.ts';
import { allowing, heldRules, type HeldRule, type RbacState } from '../rbac/state.ts';
import type { ApiRequestMeant } from './api-request.ts';

export interface Explanation {
  readonly question: AccessQuestion;
  readonly who: Identity;
  readonly isAuthorized: boolean;
  /** Who decided about it, and what they said. */
  readonly authorizer: string;
  readonly reason: string;
  /** Every rule of RBAC that allows it. */
  readonly matches: readonly HeldRule[];
  /** Of the request, when it was sent; as a dry run, if it writes. */
  readonly answer?: { readonly code: number; readonly message: string };
  /** Who refused it after authorization. */
  readonly refusals: readonly DecisionStep[];
  /** What came close; only for what is not authorized. */
  readonly nearMisses: readonly NearMiss[];
  /** What would allow it; only for what is not authorized. */
  readonly changes: readonly TriedChange[];
}

export interface NearMiss {
  readonly grant: Grant;
  /** `its rule allows only the names a, b`, `there is no Role shop/x`. */
  readonly why: string;
}

export interface TriedChange extends ProposedChange {
  /** A fork with the change allows it. */
  readonly confirmed: boolean;
}

/** The cluster and its RBAC objects, read once. */
export interface ExplainedCluster {
  readonly cluster: AdvisedCluster;
  readonly state: RbacState;
}

export async function explainRequest(
  { cluster, state }: ExplainedCluster,
  who: Identity,
  { question, request }: ApiRequestMeant,
): Promise<Explanation> {
  const review = await askAuthorization(cluster, who, question);
  const sent =
    request === undefined || !review.isAllowed
      ? undefined
      : await cluster.decide({ ...request, user: who });
  return {
    question,
    who,
    isAuthorized: review.isAllowed,
    authorizer: review.authorizer,
    reason: review.reason,
    matches: allowing(heldRules(state, who), question),
    ...(sent === undefined ? {} : { answer: { code: sent.status, message: messageOf(sent.body) } }),
    refusals: sent?.steps.filter(isRefusal) ?? [],
    nearMisses: review.isAllowed ? [] : findNearMisses(state, who, question),
    changes: review.isAllowed ? [] : await tryChanges({ cluster, state }, who, question),
  };
}

interface Review {
  readonly isAllowed: boolean;
  readonly authorizer: string;
  readonly reason: string;
}

/** As the authorizers of the cluster decide. */
export async function askAuthorization(
  cluster: AdvisedCluster,
  who: Identity,
  question: AccessQuestion,
): Promise<Review> {
  const decision = await cluster.decide({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: reviewOf(who, question),
  });
  const status = isJsonObject(decision.body) ? decision.body['status'] : undefined;
  if (!isJsonObject(status) || typeof status['allowed'] !== 'boolean')
    throw new Error(`the access review failed: ${messageOf(decision.body)}`);
  const isAllowed = status['allowed'];
  const wanted = isAllowed ? 'allow' : 'deny';
  const decided = stepsOfReview(decision).find(({ outcome }) => outcome === wanted);
  return {
    isAllowed,
    authorizer: decided?.by ?? 'nobody',
    reason: typeof status['reason'] === 'string' ? status['reason'] : (decided?.reason ?? ''),
  };
}

function reviewOf({ name, groups }: Identity, question: AccessQuestion): JsonObject {
  const spec: JsonObject = { user: name, groups: [...groups] };
  if (isUrlAccess(question))
    spec['nonResourceAttributes'] = { path: question.url, verb: question.verb };
  else {
    const [resource = '', subresource = ''] = question.resource.split('/');
    const { verb, group, namespace, name: object } = question;
    spec['resourceAttributes'] = { verb, group, resource, subresource, namespace, name: object };
  }
  return { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {}, spec };
}

function stepsOfReview({ steps }: Decision): readonly DecisionStep[] {
  const review = steps.find(({ stage }) => stage === 'access-review');
  return (review?.detail?.['steps'] as readonly DecisionStep[] | undefined) ?? [];
}

/** After authorization; one that only notes the answer says nothing new. */
function isRefusal({ stage, outcome }: DecisionStep): boolean {
  return (
    (outcome === 'deny' || outcome === 'error') && stage !== 'answer' && stage !== 'authentication'
  );
}

function messageOf(body: JsonValue | undefined): string {
  return isJsonObject(body) && typeof body['message'] === 'string' ? body['message'] : '';
}

const nearMissesMax = 10;

/** What fails in one respect only: the place, the role, the verb, the resource or the name. */
function findNearMisses(state: RbacState, who: Identity, question: AccessQuestion): NearMiss[] {
  const namespace = isUrlAccess(question) ? '' : question.namespace;
  const found: NearMiss[] = [];
  for (const grant of grantsFor(state.policy, who)) {
    const here = isInForce(grant, namespace);
    if (grant.role === undefined) {
      const { kind, name } = grant.roleRef;
      if (here) found.push({ grant, why: `there is no ${kind} ${name}` });
      continue;
    }
    const allows = grant.rules.some((rule) => ruleAllows(rule, question));
    if (allows && !here) found.push({ grant, why: whyElsewhere(grant, question) });
    else if (here) found.push(...lackingRules(grant, question));
  }
  return found.slice(0, nearMissesMax);
}

function whyElsewhere({ namespace }: Grant, question: AccessQuestion): string {
  const wanted = isUrlAccess(question) ? '' : question.namespace;
  if (isUrlAccess(question)) return 'a RoleBinding grants no URLs';
  const only = `it is in force in namespace ${namespace} only`;
  return wanted === '' ? `${only}, and this is asked of the whole cluster` : only;
}

function lackingRules(grant: Grant, question: AccessQuestion): NearMiss[] {
  if (isUrlAccess(question)) return [];
  return grant.rules.flatMap((rule) => {
    const lacks = [
      { fixed: { verbs: ['*'] }, why: `rule allows only ${listOf(rule.verbs)}` },
      { fixed: { apiGroups: ['*'] }, why: `rule is for API group ${groupsOf(rule.apiGroups)}` },
      { fixed: { resources: ['*'] }, why: `rule is for ${listOf(rule.resources)} only` },
      { fixed: { resourceNames: [] }, why: `rule is for the names ${listOf(rule.resourceNames)}` },
    ];
    const one = lacks.find(({ fixed }) => ruleAllows({ ...rule, ...fixed }, question));
    return one === undefined ? [] : [{ grant, why: `its ${one.why}` }];
  });
}

const listOf = (values: readonly string[] | null | undefined) => (values ?? []).join(', ');
const groupsOf = (values: readonly string[] | null | undefined) =>
  (values ?? []).map((group) => (group === '' ? '""' : group)).join(', ');

async function tryChanges(
  { cluster, state }: ExplainedCluster,
  who: Identity,
  question: AccessQuestion,
): Promise<TriedChange[]> {
  const tried: TriedChange[] = [];
  for (const change of proposeChanges(state, who, question)) {
    const fork = await cluster.fork();
    try {
      for (const object of change.objects) await applyObject(fork, object);
      const { isAllowed } = await askAuthorization(fork, who, question);
      tried.push({ ...change, confirmed: isAllowed });
    } finally {
      await fork.close();
    }
  }
  return tried;
}

/** Creates it, or puts it in the place of the one of its name. Throws what the server says. */
async function applyObject(cluster: AdvisedCluster, object: KubeObject): Promise<void> {
  const { namespace, name = '' } = object.metadata;
  const collection = `/apis/${rbacGroup}/v1${namespace === undefined ? '' : `/namespaces/${namespace}`}/${pluralOf(object)}`;
  const { resourceVersion: _version, uid: _uid, ...metadata } = object.metadata;
  const body = { ...object, metadata } as unknown as JsonObject;
  // The question may be about a namespace that is not there; the right can be given all the same.
  if (namespace !== undefined)
    await cluster.decide({
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { metadata: { name: namespace } },
    });
  const created = await cluster.decide({ method: 'POST', path: collection, body });
  if (created.status === 201) return;
  const path = `${collection}/${encodeURIComponent(name)}`;
  const put =
    created.status === 409 ? await cluster.decide({ method: 'PUT', path, body }) : created;
  if (put.status !== 200) throw new Error(`${object.kind} ${name}: ${messageOf(put.body)}`);
}

/** Of the four kinds of RBAC. */
function pluralOf({ kind = '' }: KubeObject): string {
  return `${kind.toLowerCase()}s`;
}
