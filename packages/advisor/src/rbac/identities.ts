// Who a caller is to RBAC: a name and groups. What the server adds to a name by itself is added here
// too: everyone who authenticates is in `system:authenticated`, a service account in the groups of all
// accounts and of those of its namespace.

export interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface Identity {
  /** Empty for "anyone in these groups". */
  readonly name: string;
  readonly groups: readonly string[];
}

const accountPrefix = 'system:serviceaccount:';
export const mastersGroup = 'system:masters';
const anonymousUser = 'system:anonymous';

/** `groups` besides those that the name implies. */
export function identityOf(name: string, groups: readonly string[] = []): Identity {
  return { name, groups: [...new Set([...groups, ...impliedGroups(name, groups)])] };
}

export function accountIdentity(namespace: string, name: string): Identity {
  return identityOf(`${accountPrefix}${namespace}:${name}`);
}

/** Anyone in the group. */
export function groupIdentity(group: string): Identity {
  const everyone = group === 'system:unauthenticated' ? [] : ['system:authenticated'];
  const accounts = group.startsWith('system:serviceaccounts:') ? ['system:serviceaccounts'] : [];
  return { name: '', groups: [...new Set([group, ...accounts, ...everyone])] };
}

/** As a subject of a binding in `bindingNamespace` names them. Undefined for what nobody can be. */
export function identityOfSubject(
  subject: Subject,
  bindingNamespace: string,
): Identity | undefined {
  switch (subject.kind) {
    case 'User':
      return identityOf(subject.name);
    case 'Group':
      return groupIdentity(subject.name);
    case 'ServiceAccount': {
      const namespace = subject.namespace || bindingNamespace;
      return namespace === '' ? undefined : accountIdentity(namespace, subject.name);
    }
    default:
      return undefined;
  }
}

/** Whether the subject means this caller. */
export function concerns(subject: Subject, bindingNamespace: string, who: Identity): boolean {
  switch (subject.kind) {
    case 'User':
      return who.name !== '' && subject.name === who.name;
    case 'Group':
      return who.groups.includes(subject.name);
    case 'ServiceAccount': {
      const namespace = subject.namespace || bindingNamespace;
      return namespace !== '' && who.name === `${accountPrefix}${namespace}:${subject.name}`;
    }
    default:
      return false;
  }
}

/** `User jane`, `Group devs`, `ServiceAccount shop/web`. */
export function describeIdentity({ name, groups }: Identity): string {
  const account = accountOf(name);
  if (account !== undefined) return `ServiceAccount ${account.namespace}/${account.name}`;
  return name === '' ? `Group ${groups[0] ?? ''}` : `User ${name}`;
}

export function accountOf(userName: string): { namespace: string; name: string } | undefined {
  const parts = userName.startsWith(accountPrefix)
    ? userName.slice(accountPrefix.length).split(':')
    : [];
  const [namespace = '', name = ''] = parts;
  return parts.length === 2 && namespace !== '' && name !== '' ? { namespace, name } : undefined;
}

/** `User:jane`, `Group:devs`, `ServiceAccount:shop/web`, or a user's name. Undefined: none of them. */
export function parseIdentity(text: string, groups: readonly string[] = []): Identity | undefined {
  const [, kind, rest = ''] = /^(User|Group|ServiceAccount|sa|user|group):(.+)$/.exec(text) ?? [];
  if (kind === undefined) return text === '' ? undefined : identityOf(text, groups);
  if (/^user$/i.test(kind)) return identityOf(rest, groups);
  if (/^group$/i.test(kind)) return groupIdentity(rest);
  const [namespace = '', name = '', ...more] = rest.split('/');
  if (namespace === '' || name === '' || more.length > 0) return undefined;
  return accountIdentity(namespace, name);
}

function impliedGroups(name: string, groups: readonly string[]): string[] {
  if (name === anonymousUser || groups.includes('system:unauthenticated'))
    return ['system:unauthenticated'];
  const account = accountOf(name);
  const ofAccount =
    account === undefined
      ? []
      : ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`];
  return [...ofAccount, 'system:authenticated'];
}
