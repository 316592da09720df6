// For what is refused: the smallest changes to roles and bindings that would allow it, and what else
// each of them would open, to the caller and to everybody else.
//
//   rule        a rule more in a role that the caller has already
//   subject     the caller in a binding whose role allows it already
//   spelling    a subject that means the caller, but for how it is written
//   binding     a binding of a role that allows it
//   role        a role for just this, and its binding; or the role that a binding of the caller's names
//               and that does not exist
//
// Proposals are not promises: whoever asks applies each to a fork and asks again. Roles and bindings of
// the system are left alone, and so are aggregated roles, whose rules are their controller's.

import { aggregationSelectorsOf, asKubeObject, type KubeObject } from '@keelson/apimachinery';
import {
  accountOf,
  concerns,
  describeIdentity,
  type Identity,
  type Subject,
} from './identities.ts';
import {
  describeObject,
  grantsFor,
  isInForce,
  rbacGroup,
  rulesOfRole,
  subjectsOfBinding,
} from './policy.ts';
import { diffRights, type ScopedPermission } from './rights-diff.ts';
import { isUrlAccess, ruleAllows, type AccessQuestion, type PolicyRule } from './rules.ts';
import { readRbacState, type RbacState } from './state.ts';

export interface ProposedChange {
  readonly kind: 'rule' | 'subject' | 'spelling' | 'binding' | 'role';
  readonly summary: string;
  /** As they would be; each takes the place of the one of its name, if there is one. */
  readonly objects: readonly KubeObject[];
  /** What it opens besides what was asked for. */
  readonly opens: readonly OpenedRight[];
}
export interface OpenedRight extends ScopedPermission {
  readonly identity: Identity;
}

type Proposal = Omit<ProposedChange, 'opens'>;

/** Smallest first, by what they open; at most `changesMax`. */
export function proposeChanges(
  state: RbacState,
  who: Identity,
  question: AccessQuestion,
  changesMax = 4,
): ProposedChange[] {
  const asked = {
    state,
    who,
    question,
    namespace: isUrlAccess(question) ? '' : question.namespace,
  };
  const proposals = [
    ...respellings(asked),
    ...longerRoles(asked),
    ...longerBindings(asked),
    ...missingRoles(asked),
    ...newBindings(asked),
    newRole(asked),
  ];
  return proposals
    .map((proposal) => ({ ...proposal, opens: openedBy(asked, proposal) }))
    .toSorted((a, b) => weightOf(a.opens) - weightOf(b.opens))
    .slice(0, changesMax);
}

interface Asked {
  readonly state: RbacState;
  readonly who: Identity;
  readonly question: AccessQuestion;
  readonly namespace: string;
}

function isOurs({ metadata }: KubeObject): boolean {
  const { name = '', labels = {} } = metadata;
  return !name.startsWith('system:') && labels['kubernetes.io/bootstrapping'] === undefined;
}

const isRole = ({ kind }: KubeObject) => kind === 'Role' || kind === 'ClusterRole';
const isAggregated = (role: KubeObject) => aggregationSelectorsOf(role).length > 0;

function longerRoles({ state, who, question, namespace }: Asked): Proposal[] {
  const roles = new Set(
    grantsFor(state.policy, who)
      .filter((grant) => isInForce(grant, namespace))
      .flatMap(({ role }) => role ?? []),
  );
  return [...roles]
    .filter((role) => isOurs(role) && !isAggregated(role))
    .map((role) => ({
      role,
      rule: hasNames(role, question) ? namedRuleFor(question) : ruleFor(question),
    }))
    .map(({ role, rule }) => ({
      kind: 'rule',
      summary: `add a rule to ${describeObject(role)}: ${wordsOf(rule)}`,
      objects: [changed(role, { rules: [...rulesOfRole(role), rule] })],
    }));
}

/** A role that speaks of single objects of this resource already. */
function hasNames(role: KubeObject, question: AccessQuestion): boolean {
  if (isUrlAccess(question)) return false;
  return rulesOfRole(role).some(
    ({ resourceNames, resources }) =>
      (resourceNames ?? []).length > 0 && resources?.includes(question.resource) === true,
  );
}

/** Bindings in force at the place, of roles that allow it. */
function usefulBindings({ state, question, namespace }: Asked): KubeObject[] {
  const useful = state.policy.objects.filter((object) => {
    if (object.kind !== 'ClusterRoleBinding' && object.kind !== 'RoleBinding') return false;
    if (object.kind === 'RoleBinding' && object.metadata.namespace !== namespace) return false;
    const role = roleOf(state, object);
    return role !== undefined && rulesOfRole(role).some((rule) => ruleAllows(rule, question));
  });
  return useful;
}

function roleOf({ policy }: RbacState, binding: KubeObject): KubeObject | undefined {
  const { kind, name } = binding['roleRef'] as { kind: string; name: string };
  return policy.role(kind, binding.metadata.namespace ?? '', name);
}

function longerBindings(asked: Asked): Proposal[] {
  return usefulBindings(asked)
    .filter(isOurs)
    .map((binding) => ({
      kind: 'subject',
      summary: `add ${describeIdentity(asked.who)} to ${describeObject(binding)}`,
      objects: [
        changed(binding, { subjects: [...subjectsOfBinding(binding), subjectFor(asked.who)] }),
      ],
    }));
}

function respellings(asked: Asked): Proposal[] {
  return usefulBindings(asked).flatMap((binding) => {
    const subjects = subjectsOfBinding(binding);
    return subjects.flatMap((subject, index): Proposal[] => {
      const meant = respelled(subject, binding.metadata.namespace ?? '', asked.who);
      if (meant === undefined) return [];
      const written = `${subject.kind} ${JSON.stringify(subject.name)}`;
      return [
        {
          kind: 'spelling',
          summary: `write ${describeIdentity(asked.who)} where ${describeObject(binding)} says ${written}`,
          objects: [changed(binding, { subjects: subjects.with(index, meant) })],
        },
      ];
    });
  });
}

/** How the subject would have to be written to mean the caller, when it nearly does. */
function respelled(subject: Subject, namespace: string, who: Identity): Subject | undefined {
  if (concerns(subject, namespace, who)) return undefined;
  const account = accountOf(who.name);
  const spellings =
    account === undefined
      ? [who.name]
      : [
          who.name,
          account.name,
          `${account.namespace}/${account.name}`,
          `${account.namespace}:${account.name}`,
        ];
  const plain = (text: string) => text.trim().toLowerCase();
  if (spellings.some((text) => text !== '' && plain(text) === plain(subject.name)))
    return subjectFor(who);
  const group = who.groups.find((name) => plain(name) === plain(subject.name));
  return group === undefined ? undefined : groupSubject(group);
}

function missingRoles({ state, who, question, namespace }: Asked): Proposal[] {
  return grantsFor(state.policy, who)
    .filter((grant) => isInForce(grant, namespace) && grant.role === undefined)
    .filter(({ roleRef, namespace: of }) => roleRef.kind === 'ClusterRole' || of !== '')
    .map(({ binding, roleRef, namespace: of }) => ({
      kind: 'role',
      summary: `create the ${roleRef.kind} ${roleRef.name} that ${describeObject(binding)} names: ${wordsOf(ruleFor(question))}`,
      objects: [
        newRoleObject(
          { ...roleRef, namespace: roleRef.kind === 'Role' ? of : '' },
          ruleFor(question),
        ),
      ],
    }));
}

function newBindings({ state, who, question, namespace }: Asked): Proposal[] {
  return state.policy.objects
    .filter((role) => isRole(role) && !(role.metadata.name ?? '').startsWith('system:'))
    .filter((role) => role.kind === 'ClusterRole' || role.metadata.namespace === namespace)
    .filter((role) => rulesOfRole(role).some((rule) => ruleAllows(rule, question)))
    .map((role) => {
      const binding = bindingOf(role.kind ?? '', role.metadata.name ?? '', namespace, who);
      return {
        kind: 'binding',
        summary: `bind ${describeObject(role)} to ${describeIdentity(who)} ${placeOf(namespace)}`,
        objects: [binding],
      };
    });
}

function newRole({ who, question, namespace }: Asked): Proposal {
  const kind = namespace === '' ? 'ClusterRole' : 'Role';
  const rule = namedRuleFor(question);
  const name = `${plainName(describeIdentity(who))}-${plainName(wordsOf(rule))}`;
  const trimmed = name.slice(0, 63).replace(/-+$/, '');
  return {
    kind: 'role',
    summary: `a ${kind} for just this, bound to ${describeIdentity(who)} ${placeOf(namespace)}: ${wordsOf(rule)}`,
    objects: [
      newRoleObject({ kind, namespace, name: trimmed }, rule),
      bindingOf(kind, trimmed, namespace, who),
    ],
  };
}

const placeOf = (namespace: string) =>
  namespace === '' ? 'in the whole cluster' : `in ${namespace}`;

function ruleFor(question: AccessQuestion): PolicyRule {
  const { verb } = question;
  if (isUrlAccess(question)) return { nonResourceURLs: [question.url], verbs: [verb] };
  return { apiGroups: [question.group], resources: [question.resource], verbs: [verb] };
}

/** For the object that the question names, if it does. */
function namedRuleFor(question: AccessQuestion): PolicyRule {
  const rule = ruleFor(question);
  if (isUrlAccess(question) || question.name === '') return rule;
  return { ...rule, resourceNames: [question.name] };
}

function wordsOf(rule: PolicyRule): string {
  const { verbs, resources, apiGroups, resourceNames, nonResourceURLs } = rule;
  const group = apiGroups?.[0] ?? '';
  const what = resources?.[0] ?? nonResourceURLs?.[0] ?? '';
  const named = (resourceNames ?? []).map((name) => ` ${JSON.stringify(name)}`).join('');
  return `${verbs?.[0] ?? ''} ${group === '' ? what : `${what}.${group}`}${named}`;
}

const plainName = (text: string) =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

function changed(object: KubeObject, fields: object): KubeObject {
  return asKubeObject({ ...object, ...fields } as never);
}

const apiVersion = `${rbacGroup}/v1`;

interface RolePlace {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

function newRoleObject({ kind, namespace, name }: RolePlace, rule: PolicyRule): KubeObject {
  const metadata = { name, ...(namespace === '' ? {} : { namespace }) };
  return asKubeObject({ apiVersion, kind, metadata, rules: [rule] } as never);
}

function bindingOf(roleKind: string, role: string, namespace: string, who: Identity): KubeObject {
  const name = `${role}-${plainName(describeIdentity(who))}`.slice(0, 63).replace(/-+$/, '');
  return asKubeObject({
    apiVersion,
    kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, ...(namespace === '' ? {} : { namespace }) },
    roleRef: { apiGroup: rbacGroup, kind: roleKind, name: role },
    subjects: [subjectFor(who)],
  } as never);
}

function subjectFor({ name, groups }: Identity): Subject {
  const account = accountOf(name);
  if (account !== undefined) return { kind: 'ServiceAccount', ...account };
  if (name === '') return groupSubject(groups[0] ?? '');
  return { kind: 'User', apiGroup: rbacGroup, name } as Subject;
}

function groupSubject(name: string): Subject {
  return { kind: 'Group', apiGroup: rbacGroup, name } as Subject;
}

function openedBy(
  { state, who, question, namespace }: Asked,
  { objects }: Proposal,
): OpenedRight[] {
  const after = readRbacState([...state.policy.objects, ...objects], state);
  const asked = describeIdentity(who);
  const opened = diffRights(state, after).flatMap(({ identity, gained }) =>
    gained
      .filter((one) => {
        const isAsked = describeIdentity(identity) === asked && one.namespace === namespace;
        return !(isAsked && isExactly(one, question));
      })
      .map((one) => ({ ...one, identity })),
  );
  return opened.toSorted((a, b) => weightOf([b]) - weightOf([a]));
}

function isExactly({ permission }: ScopedPermission, question: AccessQuestion): boolean {
  if ('url' in permission) return isUrlAccess(question) && permission.url === question.url;
  if (isUrlAccess(question) || permission.verb !== question.verb) return false;
  if ((permission.name ?? '') !== question.name) return false;
  return permission.group === question.group && permission.resource === question.resource;
}

/**
 * A star is worth the hundreds of plain permissions that it may stand for, each of them; a Secret
 * weighs more than a Pod, and everywhere more than one namespace.
 */
function weightOf(opens: readonly OpenedRight[]): number {
  let weight = 0;
  for (const { permission, namespace } of opens) {
    const texts = Object.values(permission);
    const stars = texts.filter((text) => text.includes('*')).length;
    const isSecret = texts.includes('secrets');
    weight += 30 ** stars * (isSecret ? 10 : 1) * (namespace === '' ? 10 : 1);
  }
  return weight;
}
