// What nodes may do (https://kubernetes.io/docs/reference/access-authn-authz/node/): read what
// their own pods need and nothing else, write their own status, and use a few things that are the
// same for all nodes. Which object belongs to whom is in the graph; that a node writes only its own
// objects is checked by the admission plugin NodeRestriction, which sees the objects.
//
//   secrets, configmaps              get, list, watch of one that a pod of the node refers to
//   persistentvolumeclaims           get of one in use; its status may be changed
//   persistentvolumes, resourceclaims, volumeattachments   get of one in use
//   serviceaccounts                  tokens of those in use
//   leases, csinodes                 the one with the node's name
//   nodes, pods                      the own ones (by selector; before 1.32 all may be read)
//   resourceslices, podcertificaterequests   the own ones
//   everything else                  the rules of the role `system:node`
//
// Never denies: a refusal is no opinion, so RBAC may still allow.

import { quoteGo, type DecisionTrace } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { Features } from '../../features/features.ts';
import type {
  AuthorizationResult,
  Authorizer,
  RequestAttributes,
  ResourceAttributes,
  RuleResolver,
} from '../authorizer.ts';
import { systemNodeRules } from '../bootstrap-policy.ts';
import { allowsResource, compileRule, toResourceQuestion } from '../rbac/policy-rule.ts';
import type { GraphQuestion } from './graph-path.ts';
import type { GraphKind, NodeGraph } from './node-graph.ts';
import { nodeNameOf } from './node-identity.ts';

export interface NodeAuthorizerOptions {
  readonly graph: NodeGraph;
  readonly features: Features;
}

/** A refusal and why, or that it is allowed. `because`: what decided, for the decision trace. */
type Verdict = (
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: string }
) & { readonly because?: Because };
/** A rule of the role `system:node` by index, or the graph; absent: the request itself. */
type Because = { readonly rule: number } | { readonly graph: GraphQuestion };
type Rule = (nodeName: string, attributes: ResourceAttributes) => Verdict;

const allow: Verdict = { allowed: true };
const refuse = (reason = ''): Verdict => ({ allowed: false, reason });

/** Mode Node. */
export function createNodeAuthorizer(options: NodeAuthorizerOptions): Authorizer & RuleResolver {
  const name = 'Node';
  const rules = rulesOf(options);
  const staticRules = systemNodeRules(options.features).map(compileRule);

  function decide(nodeName: string, attributes: RequestAttributes): Verdict {
    if (!attributes.isResource) return refuse();
    const rule = rules.get(`${attributes.group}/${attributes.resource}`);
    if (rule !== undefined) return rule(nodeName, attributes);
    const question = toResourceQuestion(attributes);
    const index = staticRules.findIndex((r) => allowsResource(r, question));
    return index < 0 ? refuse() : { allowed: true, because: { rule: index } };
  }

  return {
    name,
    authorize(user, attributes, trace) {
      const nodeName = nodeNameOf(user);
      if (nodeName === undefined) return { decision: 'no-opinion', reason: '' };
      const verdict =
        nodeName === ''
          ? refuse(`unknown node for user ${quoteGo(user.name)}`)
          : decide(nodeName, attributes);
      const result: AuthorizationResult = verdict.allowed
        ? { decision: 'allow', reason: '' }
        : { decision: 'no-opinion', reason: verdict.reason };
      if (trace.enabled) {
        const detail = { node: nodeName, ...explain(options.graph, verdict) };
        record(trace, user, { result, detail });
      }
      return result;
    },
    rulesFor: async (user) => ({
      resourceRules: [],
      nonResourceRules: [],
      incomplete: nodeNameOf(user) !== undefined,
      evaluationError:
        nodeNameOf(user) === undefined
          ? ''
          : 'node authorizer does not support user rule resolution',
    }),
  };
}

function record(
  trace: DecisionTrace,
  user: UserInfo,
  { result, detail }: { readonly result: AuthorizationResult; readonly detail: object },
): void {
  const allowed = result.decision === 'allow';
  trace.record({
    stage: 'authorization',
    by: 'Node',
    outcome: result.decision,
    reason: allowed ? `${user.name} may do this as a node` : result.reason,
    detail: { ...detail },
  });
}

/** The path from the object to the node, the edge that is missing, or the rule of the role. */
function explain(graph: NodeGraph, { allowed, because }: Verdict): object {
  if (because === undefined) return {};
  if ('rule' in because) return { role: 'system:node', rule: because.rule };
  if (allowed) return { path: graph.path(because.graph) ?? [] };
  const { kind, namespace, name } = because.graph;
  return { missing: { kind, ...(namespace === '' ? {} : { namespace }), name } };
}

/** Rules by `group/resource`. */
function rulesOf({ graph, features }: NodeAuthorizerOptions): ReadonlyMap<string, Rule> {
  const related = relatedRule(graph);
  const byNode = features.enabled('AuthorizeNodeWithSelectors');
  const certificates = features.enabled('PodCertificateRequest');
  const readsAccounts =
    certificates || features.enabled('KubeletServiceAccountTokenForCredentialProviders');
  const rules = new Map<string, Rule>([
    ['/secrets', readRule(related('secret'))],
    ['/configmaps', readRule(related('configmap'))],
    ['/persistentvolumeclaims', claimRule(related('persistentvolumeclaim'))],
    ['/persistentvolumes', getRule(related('persistentvolume'))],
    ['resource.k8s.io/resourceclaims', getRule(related('resourceclaim'))],
    ['storage.k8s.io/volumeattachments', getRule(related('volumeattachment'))],
    ['/serviceaccounts', serviceAccountRule(related('serviceaccount'), readsAccounts)],
    ['coordination.k8s.io/leases', leaseRule],
    ['storage.k8s.io/csinodes', csiNodeRule],
    ['resource.k8s.io/resourceslices', sliceRule(related('resourceslice'), byNode)],
    [
      'certificates.k8s.io/podcertificaterequests',
      certificates && byNode ? certificateRule(related('podcertificaterequest')) : () => refuse(),
    ],
  ]);
  if (byNode) {
    rules.set('/nodes', nodeRule);
    rules.set('/pods', podRule(related('pod')));
  }
  return rules;
}

function relatedRule(graph: NodeGraph): (kind: GraphKind) => Rule {
  return (kind) =>
    (nodeName, { namespace, name }) => {
      if (name === '') return refuse('No Object name found');
      const question = { nodeName, kind, namespace, name };
      const because = { graph: question };
      if (graph.isRelated(question)) return { allowed: true, because };
      const reason = `no relationship found between node '${nodeName}' and this object`;
      return { allowed: false, reason, because };
    };
}

const readVerbs = ['get', 'list', 'watch'];

function readRule(related: Rule): Rule {
  return (nodeName, attributes) => {
    if (!readVerbs.includes(attributes.verb)) return refuse('can only read resources of this type');
    if (attributes.subresource !== '') return refuse('cannot read subresource');
    if (attributes.namespace === '') return refuse('can only read namespaced object of this type');
    return related(nodeName, attributes);
  };
}

function getRule(related: Rule): Rule {
  return (nodeName, attributes) => {
    if (attributes.verb !== 'get') return refuse('can only get individual resources of this type');
    if (attributes.subresource !== '') return refuse('cannot get subresource');
    return related(nodeName, attributes);
  };
}

function claimRule(related: Rule): Rule {
  const get = getRule(related);
  return (nodeName, attributes) => {
    if (attributes.subresource !== 'status') return get(nodeName, attributes);
    if (attributes.verb !== 'update' && attributes.verb !== 'patch')
      return refuse('can only get/update/patch this type');
    return related(nodeName, attributes);
  };
}

function serviceAccountRule(related: Rule, readsAccounts: boolean): Rule {
  return (nodeName, attributes) => {
    const { verb, subresource, name } = attributes;
    if (verb === 'get' && subresource === '')
      return readsAccounts
        ? related(nodeName, attributes)
        : refuse('not allowed to get service accounts');
    if (verb !== 'create' || name === '')
      return refuse('can only create tokens for individual service accounts');
    if (subresource !== 'token')
      return refuse('can only create token subresource of serviceaccount');
    return related(nodeName, attributes);
  };
}

const singleObjectVerbs = ['get', 'create', 'update', 'patch', 'delete'];

/** The name of a created object is not known here; NodeRestriction checks it. */
const leaseRule: Rule = (nodeName, { verb, namespace, name }) => {
  if (!singleObjectVerbs.includes(verb))
    return refuse('can only get, create, update, patch, or delete a node lease');
  if (namespace !== 'kube-node-lease')
    return refuse('can only access leases in the "kube-node-lease" system namespace');
  if (verb !== 'create' && name !== nodeName)
    return refuse('can only access node lease with the same name as the requesting node');
  return allow;
};

const csiNodeRule: Rule = (nodeName, { verb, subresource, name }) => {
  if (!singleObjectVerbs.includes(verb))
    return refuse('can only get, create, update, patch, or delete a CSINode');
  if (subresource !== '') return refuse('cannot authorize CSINode subresources');
  if (verb !== 'create' && name !== nodeName)
    return refuse('can only access CSINode with the same name as the requesting node');
  return allow;
};

function sliceRule(related: Rule, byNode: boolean): Rule {
  return (nodeName, attributes) => {
    if (attributes.subresource !== '') return refuse('cannot authorize ResourceSlice subresources');
    switch (attributes.verb) {
      case 'create':
        return allow;
      case 'get':
      case 'update':
      case 'patch':
      case 'delete':
        return related(nodeName, attributes);
      case 'watch':
      case 'list':
      case 'deletecollection':
        return !byNode || selectsNode(attributes, nodeName)
          ? allow
          : refuse(
              'can only list/watch/deletecollection resourceslices with nodeName field selector',
            );
      default:
        return refuse(
          'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
        );
    }
  };
}

function certificateRule(related: Rule): Rule {
  return (nodeName, attributes) => {
    if (attributes.subresource !== '')
      return refuse('nodes may not access the status subresource of PodCertificateRequests');
    switch (attributes.verb) {
      case 'create':
        return allow;
      case 'get':
        return related(nodeName, attributes);
      case 'list':
      case 'watch':
        return selectsNode(attributes, nodeName)
          ? allow
          : refuse('can only list/watch podcertificaterequests with nodeName field selector');
      default:
        return refuse(`nodes may not ${attributes.verb} podcertificaterequests`);
    }
  };
}

const nodeRule: Rule = (nodeName, { verb, subresource, name }) => {
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allow : refuse();
  if (subresource !== '') return refuse();
  if (verb === 'create' || verb === 'update' || verb === 'patch') return allow;
  if (!readVerbs.includes(verb)) return refuse();
  if (name === nodeName) return allow;
  return refuse(
    name === ''
      ? `node '${nodeName}' cannot read all nodes, only its own Node object`
      : `node '${nodeName}' cannot read '${name}', only its own Node object`,
  );
};

function podRule(related: Rule): Rule {
  const get = getRule(related);
  return (nodeName, attributes) => {
    const { verb, subresource, name } = attributes;
    if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allow : refuse();
    if (subresource === 'eviction') return verb === 'create' ? allow : refuse();
    if (subresource !== '') return refuse();
    switch (verb) {
      case 'get':
        return get(nodeName, attributes);
      case 'list':
      case 'watch':
        if (selectsNode(attributes, nodeName)) return allow;
        return name === ''
          ? refuse('can only list/watch pods with spec.nodeName field selector')
          : related(nodeName, attributes);
      case 'create':
      case 'delete':
        return allow;
      default:
        return refuse();
    }
  };
}

/** Whether only objects with this `spec.nodeName` are asked for. */
function selectsNode({ fieldSelector = [] }: ResourceAttributes, nodeName: string): boolean {
  return fieldSelector.some(
    ({ key, operator, values }) =>
      key === 'spec.nodeName' && operator === 'In' && values.length === 1 && values[0] === nodeName,
  );
}
