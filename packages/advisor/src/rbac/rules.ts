// When one RBAC rule allows one request, and when it covers a permission. The same law as the server's
// (https://kubernetes.io/docs/reference/access-authn-authz/rbac/), told again because an analysis asks
// about many rules without a server; a test compares both over random states.
//
// COMPAT: `pods` does not cover `pods/log`, and `pods/*` is no wildcard; `*/log` covers every parent.

/** A rule as roles hold it. */
export interface PolicyRule {
  readonly verbs?: readonly string[] | null;
  readonly apiGroups?: readonly string[] | null;
  readonly resources?: readonly string[] | null;
  readonly resourceNames?: readonly string[] | null;
  readonly nonResourceURLs?: readonly string[] | null;
}

/** A question that an authorizer could be asked. */
export type AccessQuestion = ResourceAccess | UrlAccess;
export interface ResourceAccess {
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `pods/log`. */
  readonly resource: string;
  /** Empty: the whole cluster. */
  readonly namespace: string;
  /** Empty: no object in particular. */
  readonly name: string;
}
export interface UrlAccess {
  readonly verb: string;
  readonly url: string;
}

export function isUrlAccess(question: AccessQuestion): question is UrlAccess {
  return 'url' in question;
}

/** Whether the rule allows it, wherever the rule is in force. */
export function ruleAllows(rule: PolicyRule, question: AccessQuestion): boolean {
  if (!holds(rule.verbs, question.verb)) return false;
  if (isUrlAccess(question))
    return (rule.nonResourceURLs ?? []).some((pattern) => urlCovers(pattern, question.url));
  const names = rule.resourceNames ?? [];
  return (
    holds(rule.apiGroups, question.group) &&
    resourcesCover(rule.resources ?? [], question.resource) &&
    (names.length === 0 || names.includes(question.name))
  );
}

/** One verb on one resource (of one name), or on one URL. Stars mean all there may ever be. */
export type Permission =
  | {
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      readonly name?: string;
    }
  | { readonly verb: string; readonly url: string };

/** The permissions that a rule consists of. */
export function permissionsOf(rule: PolicyRule): Permission[] {
  const found: Permission[] = [];
  const names = rule.resourceNames ?? [];
  for (const verb of rule.verbs ?? []) {
    for (const group of rule.apiGroups ?? [])
      for (const resource of rule.resources ?? [])
        if (names.length === 0) found.push({ verb, group, resource });
        else for (const name of names) found.push({ verb, group, resource, name });
    for (const url of rule.nonResourceURLs ?? []) found.push({ verb, url });
  }
  return found;
}

/** Whether the rule grants the whole permission. */
export function ruleCovers(rule: PolicyRule, permission: Permission): boolean {
  if (!holds(rule.verbs, permission.verb)) return false;
  if ('url' in permission)
    return (rule.nonResourceURLs ?? []).some((pattern) => urlCovers(pattern, permission.url));
  const names = rule.resourceNames ?? [];
  return (
    holds(rule.apiGroups, permission.group) &&
    resourcesCover(rule.resources ?? [], permission.resource) &&
    (names.length === 0 || (permission.name !== undefined && names.includes(permission.name)))
  );
}

/** `get pods "web"`, `list deployments.apps`, `get /metrics`. */
export function describePermission(permission: Permission): string {
  if ('url' in permission) return `${permission.verb} ${permission.url}`;
  const { verb, group, resource, name } = permission;
  const of = group === '' ? resource : `${resource}.${group}`;
  return `${verb} ${of}${name === undefined ? '' : ` ${JSON.stringify(name)}`}`;
}

/** In words, as {@link describePermission} does, with the place. */
export function describeQuestion(question: AccessQuestion): string {
  if (isUrlAccess(question)) return `${question.verb} ${question.url}`;
  const { verb, group, resource, name, namespace } = question;
  const what = describePermission({ verb, group, resource, ...(name === '' ? {} : { name }) });
  return `${what} ${namespace === '' ? 'in the whole cluster' : `in namespace ${namespace}`}`;
}

function holds(values: readonly string[] | null | undefined, value: string): boolean {
  return values?.includes('*') === true || values?.includes(value) === true;
}

function resourcesCover(resources: readonly string[], resource: string): boolean {
  return resources.some((pattern) => resourceCovers(pattern, resource));
}

/** `resource` may be a pattern, too. */
export function resourceCovers(pattern: string, resource: string): boolean {
  if (pattern === '*' || pattern === resource) return true;
  const slash = resource.indexOf('/');
  return slash >= 0 && pattern === `*${resource.slice(slash)}`;
}

/** `url` may be a pattern, too. */
export function urlCovers(pattern: string, url: string): boolean {
  if (pattern === '*' || pattern === url) return true;
  return pattern.endsWith('*') && url.startsWith(pattern.replace(/\*+$/, ''));
}
