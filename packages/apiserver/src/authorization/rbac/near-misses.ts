// For a refused request: which rules that the caller holds came close, and what each lacked. Only
// computed when somebody asks for the decision trace.

import type { RequestAttributes } from '../authorizer.ts';
import { traceGrant, type TracedGrant } from './traced-grant.ts';
import type { ResolvedGrant } from './compiled-roles.ts';
import {
  coversResource,
  matches,
  toResourceQuestion,
  urlCovers,
  type CompiledRule,
  type PolicyRule,
} from './policy-rule.ts';

export interface NearMiss extends TracedGrant {
  readonly policyRule: PolicyRule;
  /** What would have to be different: `verb`, `apiGroup`, `resource` or `resourceName`. */
  readonly lacks: string;
}

const nearMissesMax = 10;

/** Rules that fail in exactly one respect, in the order in which they were looked at. */
export function findNearMisses(
  grants: readonly ResolvedGrant[],
  attributes: RequestAttributes,
): NearMiss[] {
  const found: NearMiss[] = [];
  for (const resolved of grants) {
    for (const [index, compiled] of resolved.rules?.entries() ?? []) {
      const lacking = attributes.isResource
        ? lackingForResource(compiled, attributes)
        : lackingForUrl(compiled, attributes);
      const [lacks, ...more] = lacking;
      if (lacks === undefined || more.length > 0) continue;
      found.push({ ...traceGrant(resolved, index), policyRule: compiled.rule, lacks });
      if (found.length === nearMissesMax) return found;
    }
  }
  return found;
}

function lackingForResource(
  rule: CompiledRule,
  attributes: Extract<RequestAttributes, { isResource: true }>,
): string[] {
  if (!rule.hasResources) return ['verb', 'resource'];
  const { verb, group, name } = attributes;
  const checks: [what: string, holds: boolean][] = [
    ['verb', matches(rule.verbs, verb)],
    ['apiGroup', matches(rule.groups, group)],
    ['resource', coversResource(rule, toResourceQuestion(attributes))],
    ['resourceName', rule.names === undefined || rule.names.has(name)],
  ];
  return checks.filter(([, holds]) => !holds).map(([what]) => what);
}

function lackingForUrl(
  rule: CompiledRule,
  attributes: Extract<RequestAttributes, { isResource: false }>,
): string[] {
  if (rule.urls.length === 0) return ['verb', 'nonResourceURL'];
  const checks: [what: string, holds: boolean][] = [
    ['verb', matches(rule.verbs, attributes.verb)],
    ['nonResourceURL', rule.urls.some((pattern) => urlCovers(pattern, attributes.path))],
  ];
  return checks.filter(([, holds]) => !holds).map(([what]) => what);
}
