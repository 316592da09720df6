// RBAC, told once more from its documentation
// (https://kubernetes.io/docs/reference/access-authn-authz/rbac/), without an index and without haste:
// every binding is looked at for every question.

import type {
  RecordedAttributes,
  RecordedStep,
  RecordedUser,
  StoredObject,
} from './recorded-log.ts';
import type { State } from './state.ts';

interface Rule {
  readonly verbs?: readonly string[] | null;
  readonly apiGroups?: readonly string[] | null;
  readonly resources?: readonly string[] | null;
  readonly resourceNames?: readonly string[] | null;
  readonly nonResourceURLs?: readonly string[] | null;
}
interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}
interface Named {
  readonly kind?: unknown;
  readonly namespace?: unknown;
  readonly name?: unknown;
  readonly uid?: unknown;
}

/** What is wrong with the step; undefined when it is right. */
export function checkRbacStep(
  state: State,
  user: RecordedUser,
  asked: RecordedAttributes,
  step: RecordedStep,
): string | undefined {
  const attributes = safeForBrowsers(user, asked);
  const allowed = findAllowing(state, user, attributes);
  if (step.outcome === 'no-opinion')
    return allowed === undefined ? undefined : `no opinion, but ${allowed} allows it`;
  if (step.outcome !== 'allow') return `outcome ${step.outcome} is none of RBAC's`;
  if (allowed === undefined) return 'allowed, but no binding allows it';
  return checkGrant(state, { user, attributes }, step.detail ?? {});
}

/** Who is not authenticated needs `unsafeproxy` where others need `proxy`. */
function safeForBrowsers(user: RecordedUser, asked: RecordedAttributes): RecordedAttributes {
  if (!asked.isResource || user.groups.includes('system:authenticated')) return asked;
  const safe = (word: string | undefined) => (word === 'proxy' ? 'unsafeproxy' : (word ?? ''));
  return { ...asked, verb: safe(asked.verb), subresource: safe(asked.subresource) };
}

interface Question {
  readonly user: RecordedUser;
  readonly attributes: RecordedAttributes;
}

/** The step names binding, subject, role and rule; each must be there and do what it is said to. */
function checkGrant(
  state: State,
  { user, attributes }: Question,
  detail: Readonly<Record<string, unknown>>,
): string | undefined {
  const binding = (detail['binding'] ?? {}) as Named;
  const role = (detail['role'] ?? {}) as Named;
  const isClusterWide = binding.kind === 'ClusterRoleBinding';
  if (!isClusterWide && binding.kind !== 'RoleBinding') return 'the step names no binding';
  const namespace = isClusterWide ? '' : String(binding.namespace ?? '');
  const view = isClusterWide ? 'clusterRoleBindings' : 'roleBindings';
  const stored = state.get(view, namespace, String(binding.name));
  if (stored === undefined) return `there is no ${binding.kind} ${String(binding.name)}`;
  if (stored.metadata.uid !== binding.uid) return 'the binding has another uid';
  if (!isClusterWide && (!attributes.isResource || namespace !== attributes.namespace))
    return 'the RoleBinding is of another namespace';
  const subject = subjectsOf(stored)[Number(detail['subject'])];
  if (subject === undefined || !means(subject, namespace, user))
    return 'the subject does not mean the caller';
  const found = roleOf(state, stored, namespace);
  if (found === undefined) return 'the role of the binding does not exist';
  const { kind, name } = refOf(stored);
  if (role.kind !== kind || role.name !== name || role.uid !== found.metadata.uid)
    return 'the step names another role than the binding';
  const rule = rulesOf(found)[Number(detail['rule'])];
  if (rule === undefined || !allows(rule, attributes)) return 'the rule does not allow it';
  return undefined;
}

function findAllowing(
  state: State,
  user: RecordedUser,
  attributes: RecordedAttributes,
): string | undefined {
  const inForce: [binding: StoredObject, namespace: string][] = [];
  for (const binding of state.all('clusterRoleBindings')) inForce.push([binding, '']);
  if (attributes.isResource && attributes.namespace)
    for (const binding of state.all('roleBindings'))
      if (binding.metadata.namespace === attributes.namespace)
        inForce.push([binding, attributes.namespace]);
  for (const [binding, namespace] of inForce) {
    if (!subjectsOf(binding).some((subject) => means(subject, namespace, user))) continue;
    const role = roleOf(state, binding, namespace);
    if (role !== undefined && rulesOf(role).some((rule) => allows(rule, attributes)))
      return `${namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding'} ${binding.metadata.name}`;
  }
  return undefined;
}

function means(subject: Subject, bindingNamespace: string, user: RecordedUser): boolean {
  if (subject.kind === 'User') return subject.name === user.name;
  if (subject.kind === 'Group') return user.groups.includes(subject.name);
  if (subject.kind !== 'ServiceAccount') return false;
  const namespace = subject.namespace || bindingNamespace;
  return namespace !== '' && user.name === `system:serviceaccount:${namespace}:${subject.name}`;
}

function roleOf(state: State, binding: StoredObject, namespace: string): StoredObject | undefined {
  const { kind, name } = refOf(binding);
  if (kind === 'ClusterRole') return state.get('clusterRoles', '', name);
  if (kind === 'Role' && namespace !== '') return state.get('roles', namespace, name);
  return undefined;
}

export function allows(rule: Rule, asked: RecordedAttributes): boolean {
  const has = (values: readonly string[] | null | undefined, ...wanted: string[]) =>
    (values ?? []).some((value) => value === '*' || wanted.includes(value));
  if (!has(rule.verbs, asked.verb)) return false;
  if (!asked.isResource) {
    const path = asked.path ?? '';
    return (rule.nonResourceURLs ?? []).some((url) =>
      url.endsWith('*') ? path.startsWith(url.replace(/\*+$/, '')) : url === path,
    );
  }
  const { resource = '', subresource = '', name = '' } = asked;
  const resources =
    subresource === '' ? [resource] : [`${resource}/${subresource}`, `*/${subresource}`];
  const names = rule.resourceNames ?? [];
  return (
    has(rule.apiGroups, asked.group ?? '') &&
    has(rule.resources, ...resources) &&
    (names.length === 0 || names.includes(name))
  );
}

export function rulesOf(role: StoredObject): readonly Rule[] {
  return (role['rules'] as readonly Rule[] | null | undefined) ?? [];
}
function subjectsOf(binding: StoredObject): readonly Subject[] {
  return (binding['subjects'] as readonly Subject[] | null | undefined) ?? [];
}
function refOf(binding: StoredObject): { readonly kind: string; readonly name: string } {
  return binding['roleRef'] as { kind: string; name: string };
}
