// The match conditions of webhooks: expressions that say which requests a webhook is about.

import type { Environment } from '@keelson/cel';
import type { MatchCondition } from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { Authorizer } from '../../authorization/authorizer.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { JudgeConditions } from '../webhook/invocation.ts';
import type { WebhookPhase } from '../webhook/webhook-metrics.ts';
import { createPolicyCompiler, type PolicyCompiler } from './compile-policy.ts';
import type { ConditionMetrics } from './condition-metrics.ts';
import { createPolicyRequest, settled } from './policy-requests.ts';
import { matchConditions } from './validating-policy.ts';

export interface ConditionOptions {
  readonly metrics: ConditionMetrics;
  readonly namespaces: ObjectSource;
  readonly authorizer: Authorizer;
  /** For expressions that are stored. */
  readonly environment: Environment;
}

export function createConditionJudge(
  options: ConditionOptions,
): (phase: WebhookPhase) => JudgeConditions {
  const compiled = new WeakMap<readonly MatchCondition[], PolicyCompiler>();
  const compile = (conditions: readonly MatchCondition[]): PolicyCompiler => {
    let known = compiled.get(conditions);
    if (known === undefined) {
      known = createPolicyCompiler(options.environment, {
        hasParams: false,
        matchConditions: conditions,
        variables: [],
      });
      compiled.set(conditions, known);
    }
    return known;
  };
  return (type) =>
    async ({ webhook, gvr, gvk }, attributes, objects) => {
      const compiler = compile(webhook.conditions);
      const request = createPolicyRequest(options, attributes);
      const inputs = request.inputs({ gvr, gvk }, objects);
      // COMPAT: conditions do not see the namespace.
      const bindings = { ...inputs.request, ...inputs.authorizer, namespaceObject: null };
      const { name, ignoresFailure } = webhook;
      const { operation } = attributes;
      const watch = options.metrics.watch({ name, kind: 'webhook', type, operation });
      const verdict = await settled(request, () => matchConditions(compiler, bindings, { watch }));
      watch.publish();
      if (verdict === false || (verdict !== true && ignoresFailure)) watch.excluded();
      return typeof verdict === 'string'
        ? { matches: false, error: verdict }
        : { matches: verdict };
    };
}
