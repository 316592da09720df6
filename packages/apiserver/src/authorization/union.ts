// Asks authorizers in order. The first allow or deny decides, with its own reason and error only.
// When none has an opinion, the answer is no opinion with all reasons, one per line, and all
// errors.
//
// Stays synchronous as long as the authorizers do, so that a request decided from memory costs no
// promise.

import type { AuthorizationResult, Authorizer, RuleResolver } from './authorizer.ts';

type Question = Parameters<Authorizer['authorize']>;
type Answer = AuthorizationResult | Promise<AuthorizationResult>;

/** One authorizer that asks each of `authorizers` in turn. */
export function createUnionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  function ask(start: number, opinions: AuthorizationResult[], question: Question): Answer {
    for (let i = start; i < authorizers.length; i++) {
      const answer = authorizers[i]?.authorize(...question);
      if (answer === undefined) continue;
      if (answer instanceof Promise) {
        return answer.then((result) => {
          if (result.decision !== 'no-opinion') return result;
          opinions.push(result);
          return ask(i + 1, opinions, question);
        });
      }
      if (answer.decision !== 'no-opinion') return answer;
      opinions.push(answer);
    }
    return joinOpinions(opinions);
  }
  return {
    name: 'union',
    authorize: (...question) => ask(0, [], question),
  };
}

function joinOpinions(opinions: readonly AuthorizationResult[]): AuthorizationResult {
  const reason = opinions
    .map((o) => o.reason)
    .filter((text) => text !== '')
    .join('\n');
  const errors = new Set(opinions.flatMap((o) => o.evaluationError ?? []));
  if (errors.size === 0) return { decision: 'no-opinion', reason };
  const texts = [...errors];
  const evaluationError = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return { decision: 'no-opinion', reason, evaluationError };
}

/** What a user may do according to all resolvers together. */
export function createUnionRuleResolver(resolvers: readonly RuleResolver[]): RuleResolver {
  return {
    async rulesFor(user, namespace) {
      const answers = await Promise.all(resolvers.map((r) => r.rulesFor(user, namespace)));
      const errors = answers.map((a) => a.evaluationError).filter((text) => text !== '');
      return {
        resourceRules: answers.flatMap((a) => a.resourceRules),
        nonResourceRules: answers.flatMap((a) => a.nonResourceRules),
        incomplete: answers.some((a) => a.incomplete),
        evaluationError: errors.length > 1 ? `[${errors.join(', ')}]` : (errors[0] ?? ''),
      };
    },
  };
}
