// Faults that an authorizer could have, as changes of one line of its source. Each is a mistake that
// somebody could make, and none may escape the verifier.

export interface Fault {
  readonly name: string;
  /** Below `packages/apiserver/src/authorization`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

const fault = (name: string, file: string, find: string, replace: string): Fault => ({
  name,
  file,
  find,
  replace,
});

const rule = 'rbac/policy-rule.ts';
const bindings = 'rbac/binding-index.ts';
const roles = 'rbac/compiled-roles.ts';

export const faults: readonly Fault[] = [
  fault(
    'resourceNames are ignored',
    rule,
    '(rule.names === undefined || rule.names.has(name))',
    'name !== undefined',
  ),
  fault(
    'requests without a name pass resourceNames',
    rule,
    '(rule.names === undefined || rule.names.has(name))',
    "(rule.names === undefined || name === '' || rule.names.has(name))",
  ),
  fault('any verbs are all verbs', rule, "values.includes('*') ? '*'", "values.length > 1 ? '*'"),
  fault('API groups are ignored', rule, 'matches(rule.groups, group) &&', ''),
  fault(
    'a right to a resource is one to its subresources',
    rule,
    'combined: `${resource}/${subresource}`',
    'combined: resource',
  ),
  fault(
    'a star stands for subresources',
    rule,
    'anyParent: `*/${subresource}`',
    'anyParent: `${resource}/*`',
  ),
  fault('every URL is a prefix', rule, "return pattern.endsWith('*') && path", 'return path'),
  fault('verbs of URLs are ignored', rule, 'matches(rule.verbs, attributes.verb) &&', ''),
  fault(
    'groups match by prefix',
    bindings,
    'lists.get(`group ${group}`)',
    'lists.get(`group ${group.slice(0, 4)}`)',
  ),
  fault(
    'user names match in lower case',
    bindings,
    'lists.get(`user ${user.name}`)',
    'lists.get(`user ${user.name.toLowerCase()}`)',
  ),
  fault(
    'a user is a group of that name',
    bindings,
    "case 'User':\n      return `user ${subject.name}`",
    "case 'User':\n      return `group ${subject.name}`",
  ),
  fault(
    'accounts are those of the namespace of the binding',
    bindings,
    'const namespace = subject.namespace || bindingNamespace;',
    'const namespace = bindingNamespace || subject.namespace || "";',
  ),
  fault(
    'a deleted binding stays in force',
    bindings,
    "if (type === 'DELETED') return remove(previous ?? object);",
    "if (type === 'DELETED') return;",
  ),
  fault(
    'a subject that was removed keeps its rights',
    bindings,
    'if (previous !== undefined) remove(previous);',
    '',
  ),
  fault(
    'a Role is taken for a ClusterRole of its name',
    roles,
    "kind === 'Role' ? roles.get(namespace, name) : clusterRoles.get('', name)",
    "roles.get(namespace, name) ?? clusterRoles.get('', name)",
  ),
  fault(
    'rules of a changed role are stale',
    'rbac/rule-index.ts',
    'entry.found = options.find(roleRef);',
    '',
  ),
  fault(
    'the index knows no wildcard group',
    'rbac/rule-places.ts',
    "for (const g of [group, '*'])",
    'for (const g of [group])',
  ),
  fault(
    'a RoleBinding grants URLs',
    'rbac/rbac-authorizer.ts',
    "attributes.isResource ? attributes.namespace : ''",
    "attributes.isResource ? attributes.namespace : 'shop'",
  ),
  fault(
    'the trace names another rule',
    'rbac/rbac-authorizer.ts',
    'traceGrant(allowedBy.grant, allowedBy.rule)',
    'traceGrant(allowedBy.grant, 0)',
  ),
  fault(
    'masters are known by the beginning of their group',
    'privileged-groups.ts',
    'user.groups.includes(g)',
    'user.groups.some((own) => own.startsWith(g))',
  ),
  fault(
    'whoever has the name of a node is one',
    'node/node-identity.ts',
    ' || !user.groups.includes(nodesGroup)',
    '',
  ),
  fault(
    'mirror pods give their node what they name',
    'node/node-graph.ts',
    'isMirrorPod(pod) ? [] : podReferences(pod)',
    'podReferences(pod)',
  ),
  fault(
    'a pod that is gone leaves its Secrets to the node',
    'node/node-graph.ts',
    'for (const key of owned.keys) owners.change(key, owned.nodeName, -1);',
    '',
  ),
  fault(
    'a selector of several nodes is as good as one',
    'node/node-authorizer.ts',
    'values.length === 1 && values[0] === nodeName',
    'values.includes(nodeName)',
  ),
  fault(
    "leases of other nodes are the node's own",
    'node/node-authorizer.ts',
    "return refuse('can only access node lease with the same name as the requesting node');",
    'return allow;',
  ),
  fault(
    'anonymous callers may proxy',
    'browser-safe.ts',
    "!user.groups.includes('system:authenticated')",
    'user.groups.length === 0',
  ),
];
