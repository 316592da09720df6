// Explanations and rights as JSON for programs. Fields may be added; none changes its meaning.

import type { JsonObject } from '@keelson/apimachinery';
import type { Identity } from '../rbac/identities.ts';
import type { Grant } from '../rbac/policy.ts';
import { describeScoped } from '../rbac/rights-diff.ts';
import type { HeldRule } from '../rbac/state.ts';
import type { Explanation } from './explanation.ts';

export function toExplanationJson(explanation: Explanation): JsonObject {
  const { question, isAuthorized, authorizer, reason, answer } = explanation;
  return {
    question: { ...question },
    caller: identityJson(explanation.who),
    authorized: isAuthorized,
    authorizer,
    reason,
    rules: explanation.matches.map(heldRuleJson),
    ...(answer === undefined ? {} : { answer: { ...answer } }),
    refusals: explanation.refusals.map(({ stage, by, reason: why }) => ({
      stage,
      by,
      reason: why,
    })),
    nearMisses: explanation.nearMisses.map(({ grant, why }) => ({ ...grantJson(grant), why })),
    changes: explanation.changes.map(({ kind, summary, objects, opens, confirmed }) => ({
      kind,
      summary,
      confirmed,
      objects: objects.map((object) => object as unknown as JsonObject),
      opens: opens.map((right) => ({
        who: identityJson(right.identity),
        right: describeScoped(right),
      })),
    })),
  };
}

export function identityJson({ name, groups }: Identity): JsonObject {
  return { ...(name === '' ? {} : { user: name }), groups: [...groups] };
}

export function heldRuleJson({ grant, index, rule }: HeldRule): JsonObject {
  return { ...grantJson(grant), index, rule: { ...rule } as JsonObject };
}

function grantJson({ binding, namespace, subject, roleRef }: Grant): JsonObject {
  const place = namespace === '' ? {} : { namespace };
  return {
    binding: { kind: binding.kind ?? '', ...place, name: binding.metadata.name ?? '' },
    role: {
      kind: roleRef.kind,
      ...(roleRef.kind === 'Role' ? place : {}),
      name: roleRef.name,
    },
    subject: { ...subject } as JsonObject,
  };
}
