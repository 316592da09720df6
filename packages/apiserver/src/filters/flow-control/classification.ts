// Which FlowSchema a request belongs to: the first whose rules match, in the order of
// matchingPrecedence and then of names. Rules are indexed by what a request must have to match them (a
// user name, a group, the namespace of a service account), so that schemas for others cost nothing.
//
//   subject        a user, a group, a service account or all of a namespace; `*` is anybody
//   resource       verb, `resource` or `resource/subresource`, API group; in one of the namespaces, or
//                  in none when the rule has clusterScope
//   non-resource   verb and path: the path itself, or anything below it

import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '@keelson/apimachinery/types/flowcontrol.apiserver.k8s.io.v1';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { RequestInfo } from '../../request-context.ts';

/** Answers the first schema that matches, if any does. */
export type Classify<T> = (user: UserInfo, info: RequestInfo) => T | undefined;

interface Rule<T> {
  /** The schema's place among all. */
  readonly order: number;
  readonly flow: T;
  readonly matches: (info: RequestInfo) => boolean;
}
type RuleIndex<T> = Map<string, Rule<T>[]>;

const wildcard = '*';
const serviceAccountPrefix = 'system:serviceaccount:';

/** In matching order. */
export function sortFlowSchemas(schemas: readonly FlowSchema[]): FlowSchema[] {
  const precedence = ({ spec }: FlowSchema) => spec.matchingPrecedence ?? 0;
  const name = ({ metadata }: FlowSchema) => metadata.name ?? '';
  return schemas.toSorted(
    (a, b) => precedence(a) - precedence(b) || (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0),
  );
}

/** `flows` are in matching order. */
export function createClassification<T>(flows: readonly (readonly [FlowSchema, T])[]): Classify<T> {
  const users: RuleIndex<T> = new Map();
  const groups: RuleIndex<T> = new Map();
  const namespaces: RuleIndex<T> = new Map();
  const anybody: Rule<T>[] = [];
  flows.forEach(([schema, flow], order) => {
    for (const policyRule of schema.spec.rules ?? []) {
      const rule = { order, flow, matches: compile(policyRule) };
      for (const subject of policyRule.subjects ?? []) {
        const place = placeOf(subject);
        if (place === undefined) continue;
        const [index, key] = place;
        if (index === 'anybody') anybody.push(rule);
        else put({ users, groups, namespaces }[index], key, rule);
      }
    }
  });
  return (user, info) => {
    let best = firstOf(anybody, info, undefined);
    best = firstOf(users.get(user.name), info, best);
    for (const group of user.groups) best = firstOf(groups.get(group), info, best);
    if (namespaces.size > 0 && user.name.startsWith(serviceAccountPrefix)) {
      const namespace = user.name.split(':', 3)[2] ?? '';
      best = firstOf(namespaces.get(namespace), info, best);
    }
    return best?.flow;
  };
}

function put<T>(index: RuleIndex<T>, key: string, rule: Rule<T>): void {
  const rules = index.get(key);
  if (rules === undefined) index.set(key, [rule]);
  else rules.push(rule);
}

/** The first match that comes before `best`. */
function firstOf<T>(
  rules: readonly Rule<T>[] | undefined,
  info: RequestInfo,
  best: Rule<T> | undefined,
): Rule<T> | undefined {
  if (rules === undefined) return best;
  for (const rule of rules) {
    if (best !== undefined && rule.order >= best.order) return best;
    if (rule.matches(info)) return rule;
  }
  return best;
}

type Place = readonly ['users' | 'groups' | 'namespaces' | 'anybody', string];

/** Undefined for subjects that are not whole: they match nobody. */
function placeOf({ kind, user, group, serviceAccount }: Subject): Place | undefined {
  switch (kind) {
    case 'User':
      if (user === undefined) return undefined;
      return user.name === wildcard ? ['anybody', ''] : ['users', user.name];
    case 'Group':
      if (group === undefined) return undefined;
      return group.name === wildcard ? ['anybody', ''] : ['groups', group.name];
    case 'ServiceAccount':
      if (serviceAccount === undefined) return undefined;
      return serviceAccount.name === wildcard
        ? ['namespaces', serviceAccount.namespace]
        : ['users', `${serviceAccountPrefix}${serviceAccount.namespace}:${serviceAccount.name}`];
    default:
      return undefined;
  }
}

function compile(rule: PolicyRulesWithSubjects): (info: RequestInfo) => boolean {
  const resourceRules = (rule.resourceRules ?? []).map(compileResourceRule);
  const nonResourceRules = (rule.nonResourceRules ?? []).map(compileNonResourceRule);
  return (info) => {
    const rules = info.isResourceRequest ? resourceRules : nonResourceRules;
    for (const matches of rules) if (matches(info)) return true;
    return false;
  };
}

function compileResourceRule(rule: ResourcePolicyRule): (info: RequestInfo) => boolean {
  const verbs = member(rule.verbs);
  const resources = member(rule.resources);
  const groups = member(rule.apiGroups);
  const namespaces = member(rule.namespaces);
  const clusterScope = rule.clusterScope === true;
  return (info) =>
    verbs(info.verb) &&
    resources(info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`) &&
    groups(info.group) &&
    (info.namespace === '' ? clusterScope : namespaces(info.namespace));
}

function compileNonResourceRule(rule: NonResourcePolicyRule): (info: RequestInfo) => boolean {
  const verbs = member(rule.verbs);
  const paths = (rule.nonResourceURLs ?? []).map((url) => {
    const stem = url.endsWith(wildcard) ? url.slice(0, -1) : url;
    return { url, below: stem.endsWith('/') ? stem : `${stem}/` };
  });
  return ({ verb, path }) =>
    verbs(verb) &&
    paths.some(({ url, below }) => url === wildcard || url === path || path.startsWith(below));
}

/** Whether a text is in the list, or the list is `*`. */
function member(list: readonly string[] | null | undefined): (text: string) => boolean {
  if (list?.length === 1 && list[0] === wildcard) return () => true;
  const members = list ?? [];
  return (text) => members.includes(text);
}
