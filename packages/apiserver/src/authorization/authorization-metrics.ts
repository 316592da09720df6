// Which configured authorizer decided how often. Counted where it happens, without making a text;
// members of `system:masters` are decided about before and not counted.

import type { CollectedFamily, Metrics } from '../metrics.ts';
import type { AuthorizationResult, Authorizer } from './authorizer.ts';
import type { AuthorizerType } from './configuration/authorization-configuration.ts';

export interface DecisionMetrics {
  /** The same authorizer, counted. One of a name that is known goes on counting. */
  counted(type: AuthorizerType, authorizer: Authorizer, name: string): Authorizer;
}

interface Counts {
  readonly type: AuthorizerType;
  readonly name: string;
  allowed: number;
  denied: number;
}

export function createDecisionMetrics(metrics: Metrics): DecisionMetrics {
  const byName = new Map<string, Counts>();
  metrics.collect(decisionsOf(byName));
  return {
    counted(type, authorizer, name) {
      const key = `${type} ${name}`;
      const counts = byName.get(key) ?? { type, name, allowed: 0, denied: 0 };
      byName.set(key, counts);
      const count = (result: AuthorizationResult): AuthorizationResult => {
        if (result.decision === 'allow') counts.allowed++;
        else if (result.decision === 'deny') counts.denied++;
        return result;
      };
      return {
        name: authorizer.name,
        authorize(user, attributes, trace) {
          const answer = authorizer.authorize(user, attributes, trace);
          return answer instanceof Promise ? answer.then(count) : count(answer);
        },
      };
    },
  };
}

function decisionsOf(byName: ReadonlyMap<string, Counts>): CollectedFamily {
  return {
    name: 'apiserver_authorization_decisions_total',
    help: 'Total number of terminal decisions made by an authorizer split by authorizer type, name, and decision.',
    type: 'counter',
    read: () =>
      [...byName.values()].flatMap(({ type, name, allowed, denied }) =>
        (
          [
            ['allowed', allowed],
            ['denied', denied],
          ] as const
        ).flatMap(([decision, value]) =>
          value === 0 ? [] : [[{ type, name, decision }, value] as const],
        ),
      ),
  };
}
