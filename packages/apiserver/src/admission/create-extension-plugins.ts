// The plugins through which a cluster extends admission: policies over their live objects, and
// webhooks, whose conditions are judged as those of policies are.

import type { Authorizer } from '../authorization/authorizer.ts';
import type { ObjectSource } from '../object-source.ts';
import { expressionsOf } from '../registry/expressions/expressions.ts';
import type { AdmissionPlugin } from './admission.ts';
import { createMutatingAdmissionPolicy } from './plugins/mutating-admission-policy.ts';
import { createValidatingAdmissionPolicy } from './plugins/validating-admission-policy.ts';
import { createRequestVersions } from './request-versions.ts';
import { createConditionJudge } from './policy/judge-conditions.ts';
import { createParamSource } from './policy/params.ts';
import {
  createWebhookPlugins,
  type WebhookPluginsOptions,
} from './webhook/create-webhook-plugins.ts';

export interface ExtensionPluginsOptions extends Omit<WebhookPluginsOptions, 'judgeConditions'> {
  readonly sources: WebhookPluginsOptions['sources'] & {
    readonly mutatingAdmissionPolicies: ObjectSource;
    readonly mutatingAdmissionPolicyBindings: ObjectSource;
    readonly validatingAdmissionPolicies: ObjectSource;
    readonly validatingAdmissionPolicyBindings: ObjectSource;
  };
  readonly authorizer: Authorizer;
}

export function createExtensionPlugins(options: ExtensionPluginsOptions): AdmissionPlugin[] {
  const { sources, index, features, authorizer } = options;
  const { namespaces } = sources;
  const environment = expressionsOf(features).environments.storedExpressions;
  const judgeConditions = createConditionJudge({ namespaces, authorizer, environment });
  const shared = {
    namespaces,
    versions: createRequestVersions(index, features),
    params: createParamSource(() => index().list()),
    authorizer,
    environment,
  };
  return [
    createMutatingAdmissionPolicy({
      ...shared,
      policies: sources.mutatingAdmissionPolicies,
      bindings: sources.mutatingAdmissionPolicyBindings,
      typeOf: (gvr) => index().find(gvr)?.definition.type,
    }),
    createValidatingAdmissionPolicy({
      ...shared,
      policies: sources.validatingAdmissionPolicies,
      bindings: sources.validatingAdmissionPolicyBindings,
    }),
    ...createWebhookPlugins({ ...options, judgeConditions }),
  ];
}
