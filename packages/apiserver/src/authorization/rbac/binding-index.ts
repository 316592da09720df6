// Role bindings by whom they grant to, kept up to date with every change, so that a request looks
// at the bindings of its caller and of no other. Two levels: the bindings of the whole cluster and
// those of one namespace.

import { quoteGo, type KubeObject } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { serviceAccountUserName } from '../../authentication/service-accounts/service-account-name.ts';
import type { ObjectSource } from '../../object-source.ts';
import { createGrantList, type Grant, type GrantList } from './grant-list.ts';
import { roleRefOf, subjectsOf, type Subject } from './policy-rule.ts';

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

  /** Subjects by what they are looked up by; the first of several that mean the same. */
  function subjectsByKey(binding: KubeObject): Map<string, Subject> {
    const byKey = new Map<string, Subject>();
    for (const subject of subjectsOf(binding)) {
      const key = keyOfSubject(subject, binding.metadata.namespace ?? '');
      if (key !== undefined && !byKey.has(key)) byKey.set(key, subject);
    }
    return byKey;
  }
  function add(binding: KubeObject): void {
    const { namespace = '' } = binding.metadata;
    const lists = byNamespace.get(namespace) ?? new Map<string, GrantList>();
    byNamespace.set(namespace, lists);
    const roleRef = roleRefOf(binding);
    for (const [key, subject] of subjectsByKey(binding)) {
      const list = lists.get(key) ?? createGrantList(namespace);
      lists.set(key, list);
      list.add({ binding, roleRef, namespace, subject });
    }
    if (lists.size === 0) byNamespace.delete(namespace);
  }
  function remove(binding: KubeObject): void {
    const { namespace = '', name = '' } = binding.metadata;
    const lists = byNamespace.get(namespace);
    if (lists === undefined) return;
    for (const key of subjectsByKey(binding).keys()) {
      const list = lists.get(key);
      list?.remove(name);
      if (list?.grants.length === 0) lists.delete(key);
    }
    if (lists.size === 0) byNamespace.delete(namespace);
  }

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
