// Attribute-based access control: a file with one policy a line, read once.
//
//   {"apiVersion": "abac.authorization.kubernetes.io/v1beta1", "kind": "Policy",
//    "spec": {"user": "ann", "namespace": "shop", "resource": "pods", "apiGroup": "*", "readonly": true}}
//
// A policy matches the user and the group that it names (both, when it names both; nobody, when it
// names neither), and the namespace, resource and group or the path. `*` is anything, an absent
// field is the empty value. Read-only policies allow get, list and watch. Subresources and names
// are not looked at.

import { isJsonObject, type JsonObject } from '@keelson/apimachinery';
import type { UserInfo } from '../authentication/authenticator.ts';
import type { Authorizer, RequestAttributes, RuleResolver } from './authorizer.ts';
import { AuthorizationConfigurationError } from './configuration/authorization-configuration.ts';

interface AbacPolicy {
  /** Of the file, from 1. */
  readonly line: number;
  readonly user: string;
  readonly group: string;
  readonly readonly: boolean;
  readonly apiGroup: string;
  readonly resource: string;
  readonly namespace: string;
  readonly nonResourcePath: string;
}

const apiVersion = 'abac.authorization.kubernetes.io/v1beta1';
const noMatch = 'No policy matched.';
const readVerbs = ['get', 'list', 'watch'];

/** Mode ABAC over the text of a policy file. Throws, with the line, when one cannot be read. */
export function createAbacAuthorizer(text: string): Authorizer & RuleResolver {
  const name = 'ABAC';
  const policies = parsePolicies(text);
  return {
    name,
    authorize(user, attributes, trace) {
      const matching = policies.find(
        (policy) => matchesSubject(policy, user) && matchesRequest(policy, attributes),
      );
      const decision = matching === undefined ? 'no-opinion' : 'allow';
      const reason = matching === undefined ? noMatch : '';
      if (trace.enabled)
        trace.record({
          stage: 'authorization',
          by: name,
          outcome: decision,
          reason: matching === undefined ? noMatch : `line ${matching.line} of the policy file`,
          ...(matching === undefined ? {} : { detail: { line: matching.line } }),
        });
      return { decision, reason };
    },
    async rulesFor(user, namespace) {
      const mine = policies.filter((policy) => matchesSubject(policy, user));
      const verbs = (policy: AbacPolicy) => (policy.readonly ? readVerbs : ['*']);
      const here = mine.filter((p) => p.namespace === '*' || p.namespace === namespace);
      return {
        resourceRules: here
          .filter((policy) => policy.resource !== '')
          .map((policy) => ({
            verbs: verbs(policy),
            apiGroups: [policy.apiGroup],
            resources: [policy.resource],
            resourceNames: [],
          })),
        nonResourceRules: here
          .filter((policy) => policy.nonResourcePath !== '')
          .map((policy) => ({ verbs: verbs(policy), nonResourceURLs: [policy.nonResourcePath] })),
        incomplete: false,
        evaluationError: '',
      };
    },
  };
}

function matchesSubject({ user, group }: AbacPolicy, who: UserInfo): boolean {
  if (user === '' && group === '') return false;
  if (user !== '' && user !== '*' && user !== who.name) return false;
  return group === '' || group === '*' || who.groups.includes(group);
}

function matchesRequest(policy: AbacPolicy, attributes: RequestAttributes): boolean {
  const reads = attributes.isResource ? readVerbs : ['get'];
  if (policy.readonly && !reads.includes(attributes.verb)) return false;
  const is = (wanted: string, value: string) => wanted === '*' || wanted === value;
  if (attributes.isResource)
    return (
      is(policy.namespace, attributes.namespace) &&
      is(policy.resource, attributes.resource) &&
      is(policy.apiGroup, attributes.group)
    );
  const { nonResourcePath } = policy;
  if (nonResourcePath === '') return false;
  return (
    is(nonResourcePath, attributes.path) ||
    (nonResourcePath.endsWith('*') && attributes.path.startsWith(nonResourcePath.slice(0, -1)))
  );
}

function parsePolicies(text: string): AbacPolicy[] {
  const policies: AbacPolicy[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const policy = parsePolicy(trimmed, index + 1);
    if (policy === undefined)
      throw new AuthorizationConfigurationError(
        `error reading policy file line ${index}: could not decode`,
      );
    policies.push(policy);
  }
  return policies;
}

function parsePolicy(text: string, line: number): AbacPolicy | undefined {
  const value = decode(text);
  if (value === undefined) return undefined;
  if (value['apiVersion'] === undefined && value['kind'] === undefined)
    return fromUnversioned(value, line);
  const spec = value['spec'];
  if (value['apiVersion'] !== apiVersion || value['kind'] !== 'Policy') return undefined;
  return isJsonObject(spec) ? toPolicy(spec, line) : undefined;
}

/** Lines of the oldest form: no API groups, and empty fields mean everything. */
function fromUnversioned(value: JsonObject, line: number): AbacPolicy | undefined {
  const policy = toPolicy(value, line);
  if (policy === undefined) return undefined;
  const { user, group, namespace, resource } = policy;
  const everybody = (user === '' && group === '') || user === '*' || group === '*';
  return {
    ...policy,
    ...(everybody ? { user: '', group: 'system:authenticated' } : {}),
    namespace: namespace || '*',
    resource: resource || '*',
    apiGroup: '*',
    nonResourcePath: namespace === '' && resource === '' ? '*' : '',
  };
}

function toPolicy(fields: JsonObject, line: number): AbacPolicy | undefined {
  const names = ['user', 'group', 'apiGroup', 'resource', 'namespace', 'nonResourcePath'] as const;
  const texts = names.map((name) => fields[name] ?? '');
  const readonly = fields['readonly'] ?? false;
  if (typeof readonly !== 'boolean') return undefined;
  if (!texts.every((text): text is string => typeof text === 'string')) return undefined;
  const [
    user = '',
    group = '',
    apiGroup = '',
    resource = '',
    namespace = '',
    nonResourcePath = '',
  ] = texts;
  return { line, user, group, readonly, apiGroup, resource, namespace, nonResourcePath };
}

function decode(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
