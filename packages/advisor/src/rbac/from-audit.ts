// Least-privilege roles from what an audit log says was done. For each caller (the impersonated one,
// where there is one) what they did and may not do yet becomes bindings of roles that fit, and for the
// rest a role of their own in each namespace.
//
//   fits        a role that grants nothing but what was done there
//   names       `resourceNames`, for verbs on few single objects that the caller does not create
//   withheld    what would lead further than was asked (`implied-rights.ts`), `escalate`, `bind`,
//               `impersonate`, and reading Secrets without a name. It is listed, and granted only on demand.
//
// What was refused is no need, and neither is what failed to authenticate. Callers whose rights do not
// come from RBAC are skipped: members of `system:masters`, nodes, and the server itself.

import { asKubeObject, compareGoStrings, type KubeObject } from '@keelson/apimachinery';
import type { AuditedRequest } from '../explain/audit-event.ts';
import {
  accountOf,
  describeIdentity,
  identityOf,
  mastersGroup,
  type Identity,
} from './identities.ts';
import { impliedReaches } from './implied-rights.ts';
import { rbacGroup, rulesOfRole, type Grant } from './policy.ts';
import {
  isUrlAccess,
  permissionsOf,
  ruleCovers,
  type AccessQuestion,
  type PolicyRule,
} from './rules.ts';
import { allowing, heldRules, type RbacState } from './state.ts';

export interface AuditProposal {
  readonly who: Identity;
  /** Roles and bindings to create. */
  readonly objects: readonly KubeObject[];
  readonly withheld: readonly WithheldRule[];
  /** Distinct questions in the log, and how many of them the caller could ask already. */
  readonly asked: number;
  readonly already: number;
}
export interface WithheldRule {
  readonly rule: PolicyRule;
  readonly namespace: string;
  /** What it would lead to. */
  readonly how: string;
}

export interface AuditOptions {
  /** What would be withheld is granted. */
  readonly grantEscalations?: boolean;
}

export function proposeFromAudit(
  state: RbacState,
  requests: Iterable<AuditedRequest>,
  options: AuditOptions = {},
): AuditProposal[] {
  const callers = new Map<string, { who: Identity; questions: Map<string, AccessQuestion> }>();
  const note = (user: AuditedRequest['user'], question: AccessQuestion) => {
    if (!isGovernedByRbac(user)) return;
    const caller = callers.get(user.name) ?? {
      who: identityOf(user.name, user.groups),
      questions: new Map<string, AccessQuestion>(),
    };
    callers.set(user.name, caller);
    caller.questions.set(JSON.stringify(question), question);
  };
  for (const { user, impersonated, question, code } of requests) {
    if (code === 401 || code === 403) continue;
    note(impersonated ?? user, question);
    if (impersonated === undefined) continue;
    const [group, resource, name, namespace] = impersonatedObject(impersonated.name);
    note(user, { verb: 'impersonate', group, resource, name, namespace });
  }
  return [...callers.values()]
    .toSorted((a, b) => compareGoStrings(a.who.name, b.who.name))
    .map(({ who, questions }) => proposeFor(state, who, [...questions.values()], options));
}

function isGovernedByRbac({ name, groups }: AuditedRequest['user']): boolean {
  if (groups.includes(mastersGroup) || groups.includes('system:nodes')) return false;
  return name !== 'system:apiserver' && name !== 'system:anonymous';
}

function impersonatedObject(name: string): [string, string, string, string] {
  const account = accountOf(name);
  if (account === undefined) return ['', 'users', name, ''];
  return ['', 'serviceaccounts', account.name, account.namespace];
}

function proposeFor(
  state: RbacState,
  who: Identity,
  questions: readonly AccessQuestion[],
  { grantEscalations = false }: AuditOptions,
): AuditProposal {
  const held = heldRules(state, who);
  const needed = questions.filter((question) => allowing(held, question).length === 0);
  const objects: KubeObject[] = [];
  const withheld: WithheldRule[] = [];
  for (const [namespace, here] of byNamespace(needed)) {
    const rules = rulesFor(here, questions);
    const safe = rules.filter((rule) => {
      const how = grantEscalations ? undefined : leadsTo(state, who, rule, namespace);
      if (how !== undefined) withheld.push({ rule, namespace, how });
      return how === undefined;
    });
    const { roles, rest } = fittingRoles(state, safe, namespace);
    for (const role of roles)
      objects.push(
        bindingFor(who, { kind: role.kind ?? '', name: role.metadata.name ?? '' }, namespace),
      );
    if (rest.length === 0) continue;
    const kind = namespace === '' ? 'ClusterRole' : 'Role';
    const name = plainName(who);
    const metadata = { name, ...(namespace === '' ? {} : { namespace }) };
    objects.push(
      asKubeObject({ apiVersion: `${rbacGroup}/v1`, kind, metadata, rules: rest } as never),
      bindingFor(who, { kind, name }, namespace),
    );
  }
  return {
    who,
    objects,
    withheld,
    asked: questions.length,
    already: questions.length - needed.length,
  };
}

function byNamespace(questions: readonly AccessQuestion[]): [string, AccessQuestion[]][] {
  const places = new Map<string, AccessQuestion[]>();
  for (const question of questions) {
    const namespace = isUrlAccess(question) ? '' : question.namespace;
    places.set(namespace, [...(places.get(namespace) ?? []), question]);
  }
  return [...places].toSorted(([a], [b]) => compareGoStrings(a, b));
}

const namedVerbs: ReadonlySet<string> = new Set([
  'get',
  'update',
  'patch',
  'delete',
  'impersonate',
]);
/** More names than these are no fixed set. */
const namesMax = 3;

/** One rule for each resource and set of names, with all its verbs; `all` tells what else is done. */
function rulesFor(needed: readonly AccessQuestion[], all: readonly AccessQuestion[]): PolicyRule[] {
  const rules = new Map<string, { rule: PolicyRule; verbs: Set<string> }>();
  for (const question of needed) {
    const base: PolicyRule = isUrlAccess(question)
      ? { nonResourceURLs: [question.url] }
      : {
          apiGroups: [question.group],
          resources: [question.resource],
          ...namesFor(question, all),
        };
    const key = JSON.stringify(base);
    const known = rules.get(key) ?? { rule: base, verbs: new Set<string>() };
    rules.set(key, known);
    known.verbs.add(question.verb);
  }
  return [...rules]
    .toSorted(([a], [b]) => compareGoStrings(a, b))
    .map(([, { rule, verbs }]) => ({ ...rule, verbs: [...verbs].toSorted(compareGoStrings) }));
}

function namesFor(
  question: Exclude<AccessQuestion, { url: string }>,
  all: readonly AccessQuestion[],
): Pick<PolicyRule, 'resourceNames'> {
  const { verb, namespace, group, resource, name } = question;
  if (!namedVerbs.has(verb) || name === '') return {};
  const same = all.flatMap((other) =>
    !isUrlAccess(other) &&
    other.namespace === namespace &&
    other.group === group &&
    other.resource === resource
      ? [other]
      : [],
  );
  // Who lists reads all of them; who creates chooses the names.
  const reads = ['list', 'watch'];
  if (verb === 'get' && same.some((other) => reads.includes(other.verb))) return {};
  if (same.some((other) => other.verb === 'create' && other.name === '')) return {};
  const names = new Set(same.filter((other) => other.verb === verb).map((other) => other.name));
  if (names.size > namesMax) return {};
  return { resourceNames: [...names].toSorted(compareGoStrings) };
}

const granting: ReadonlySet<string> = new Set(['escalate', 'bind', 'impersonate']);

function leadsTo(
  state: RbacState,
  who: Identity,
  rule: PolicyRule,
  namespace: string,
): string | undefined {
  const verb = (rule.verbs ?? []).find((one) => granting.has(one));
  if (verb !== undefined) return `${verb} gives rights that the caller does not have`;
  const isSecrets = rule.resources?.includes('secrets') === true;
  const isUnnamed = (rule.resourceNames ?? []).length === 0;
  const reads = (rule.verbs ?? []).some((one) => ['get', 'list', 'watch'].includes(one));
  if (isSecrets && isUnnamed && reads) return 'reads every Secret there';
  const held = { grant: proposedGrant(namespace, rule), index: 0, rule };
  const [reach] = impliedReaches(state, who, [...heldRules(state, who), held]).filter(({ needs }) =>
    needs.includes(held),
  );
  return reach?.how;
}

function proposedGrant(namespace: string, rule: PolicyRule): Grant {
  return {
    binding: asKubeObject({ metadata: {} } as never),
    namespace,
    subject: { kind: '', name: '' },
    roleRef: { kind: '', name: '' },
    role: undefined,
    rules: [rule],
  };
}

/** Roles that grant only what is needed, those that grant most of it first. */
function fittingRoles(state: RbacState, needed: readonly PolicyRule[], namespace: string) {
  const isNeeded = (rule: PolicyRule) =>
    permissionsOf(rule).every((one) => needed.some((other) => ruleCovers(other, one)));
  const fitting = state.policy.objects
    .filter(({ kind, metadata }) => {
      if ((metadata.name ?? '').startsWith('system:')) return false;
      return kind === 'ClusterRole' || (kind === 'Role' && metadata.namespace === namespace);
    })
    .filter((role) => rulesOfRole(role).length > 0 && rulesOfRole(role).every(isNeeded))
    .toSorted((a, b) => sizeOf(b) - sizeOf(a));
  const roles: KubeObject[] = [];
  let rest = needed.flatMap(permissionRules);
  for (const role of fitting) {
    const left = rest.filter((one) => !coveredBy(role, one));
    if (left.length === rest.length) continue;
    roles.push(role);
    rest = left;
  }
  return { roles, rest: joinRules(rest) };
}

const sizeOf = (role: KubeObject) => rulesOfRole(role).flatMap(permissionsOf).length;

function permissionRules(rule: PolicyRule): PolicyRule[] {
  return (rule.verbs ?? []).map((verb) => ({ ...rule, verbs: [verb] }));
}

function coveredBy(role: KubeObject, rule: PolicyRule): boolean {
  return permissionsOf(rule).every((one) =>
    rulesOfRole(role).some((held) => ruleCovers(held, one)),
  );
}

/** Verbs of the same resources and names in one rule, resources of the same verbs in one rule. */
function joinRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const byTarget = joinBy(rules, 'verbs');
  return joinBy(byTarget, 'resources');
}

function joinBy(rules: readonly PolicyRule[], field: 'verbs' | 'resources'): PolicyRule[] {
  const joined = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const { [field]: values, ...others } = rule;
    // Names are of one resource.
    const isAlone = field === 'resources' && (rule.resourceNames ?? []).length > 0;
    const key = JSON.stringify([others, isAlone ? values : [], values === undefined]);
    const known = joined.get(key);
    const list = [...new Set([...(known?.[field] ?? []), ...(values ?? [])])];
    joined.set(key, values === undefined ? rule : { ...rule, [field]: list });
  }
  return [...joined.values()];
}

function bindingFor(
  who: Identity,
  role: { readonly kind: string; readonly name: string },
  namespace: string,
): KubeObject {
  const account = accountOf(who.name);
  const subject =
    account === undefined
      ? { kind: 'User', apiGroup: rbacGroup, name: who.name }
      : { kind: 'ServiceAccount', ...account };
  const isOwn = role.name === plainName(who);
  const name = isOwn ? role.name : `${plainName(who)}-${role.name}`.slice(0, 63);
  return asKubeObject({
    apiVersion: `${rbacGroup}/v1`,
    kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, ...(namespace === '' ? {} : { namespace }) },
    roleRef: { apiGroup: rbacGroup, ...role },
    subjects: [subject],
  } as never);
}

function plainName(who: Identity): string {
  return describeIdentity(who)
    .replace(/^\w+ /, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 50);
}
