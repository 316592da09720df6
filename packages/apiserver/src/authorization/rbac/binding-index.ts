// Role bindings by whom they grant to, kept up to date with every change, so that a request looks
// at the bindings of its caller and of no other. Two levels: the bindings of the whole cluster and
// those of one namespace.

import { compareGoStrings, quoteGo, type KubeObject } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { serviceAccountUserName } from '../../authentication/service-accounts/service-account-name.ts';
import type { ObjectSource } from '../../object-source.ts';
import { roleRefOf, subjectsOf, type RoleRef, type Subject } from './policy-rule.ts';

/** One binding as one of its subjects sees it. */
export interface Grant {
  readonly binding: KubeObject;
  readonly roleRef: RoleRef;
  /** Namespace of a RoleBinding, empty for a ClusterRoleBinding. */
  readonly namespace: string;
  readonly subject: Subject;
}

/** All grants to one user or group, in the order of the bindings' names. */
export interface GrantList {
  readonly grants: readonly Grant[];
  /** Room for what a reader derives from this list; a changed list is a new object. */
  derived: unknown;
}

export interface BindingIndex {
  /**
   * The lists that concern the user: by name first, then by group. Cluster-wide for an empty
   * namespace.
   */
  listsFor(user: UserInfo, namespace: string): GrantList[];
  close(): void;
}

type Lists = Map<string, GrantList>;

/** Reads all bindings and follows their changes until closed. */
export function createBindingIndex(bindings: ObjectSource): BindingIndex {
  const byNamespace = new Map<string, Lists>();

  function change(binding: KubeObject, edit: (grants: readonly Grant[], grant: Grant) => Grant[]) {
    const namespace = binding.metadata.namespace ?? '';
    const lists = byNamespace.get(namespace) ?? new Map<string, GrantList>();
    byNamespace.set(namespace, lists);
    const seen = new Set<string>();
    for (const subject of subjectsOf(binding)) {
      const key = keyOfSubject(subject, namespace);
      // The first of several subjects that mean the same is the one that is named in reasons.
      if (key === undefined || seen.has(key)) continue;
      seen.add(key);
      const grant = { binding, roleRef: roleRefOf(binding), namespace, subject };
      const grants = edit(lists.get(key)?.grants ?? [], grant);
      if (grants.length === 0) lists.delete(key);
      else lists.set(key, { grants, derived: undefined });
    }
    if (lists.size === 0) byNamespace.delete(namespace);
  }
  const add = (binding: KubeObject) =>
    change(binding, (grants, grant) => insertByName(grants, grant));
  const remove = (binding: KubeObject) =>
    change(binding, (grants) => grants.filter((g) => nameOf(g) !== binding.metadata.name));

  for (const binding of bindings.list()) add(binding);
  const close = bindings.subscribe(({ type, object, previous }) => {
    if (type === 'DELETED') return remove(previous ?? object);
    if (previous !== undefined) remove(previous);
    add(object);
  });

  return {
    close,
    listsFor(user, namespace) {
      const lists = byNamespace.get(namespace);
      if (lists === undefined) return [];
      const found: GrantList[] = [];
      const byName = lists.get(`user ${user.name}`);
      if (byName !== undefined) found.push(byName);
      for (const group of user.groups) {
        const byGroup = lists.get(`group ${group}`);
        if (byGroup !== undefined) found.push(byGroup);
      }
      return found;
    },
  };
}

function insertByName(grants: readonly Grant[], grant: Grant): Grant[] {
  const name = nameOf(grant);
  let at = grants.length;
  while (at > 0 && compareGoStrings(nameOf(grants[at - 1]), name) > 0) at--;
  return grants.toSpliced(at, 0, grant);
}

function nameOf(grant: Grant | undefined): string {
  return grant?.binding.metadata.name ?? '';
}

/** A service account is the user of its name. Undefined for kinds that nobody can be. */
function keyOfSubject(subject: Subject, bindingNamespace: string): string | undefined {
  switch (subject.kind) {
    case 'User':
      return `user ${subject.name}`;
    case 'Group':
      return `group ${subject.name}`;
    case 'ServiceAccount': {
      const namespace = subject.namespace || bindingNamespace;
      if (namespace === '') return undefined;
      return `user ${serviceAccountUserName({ namespace, name: subject.name })}`;
    }
    default:
      return undefined;
  }
}

/** `ClusterRoleBinding "b" of ClusterRole "r" to User "u"`. */
export function describeGrant({ binding, roleRef, namespace, subject }: Grant): string {
  const name = binding.metadata.name ?? '';
  const what =
    namespace === ''
      ? `ClusterRoleBinding ${quoteGo(name)}`
      : `RoleBinding ${quoteGo(`${name}/${namespace}`)}`;
  const whom =
    subject.kind === 'ServiceAccount'
      ? `${subject.name}/${subject.namespace || namespace}`
      : subject.name;
  return `${what} of ${roleRef.kind} ${quoteGo(roleRef.name)} to ${subject.kind} ${quoteGo(whom)}`;
}
