// The plugin ValidatingAdmissionWebhook: asks all webhooks that are concerned at the same time. All
// are heard; the refusal that came first is the answer.

import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import type { WebhookCaller } from './call.ts';
import {
  findInvocation,
  type Invocation,
  type InvocationDependencies,
  webhooksFor,
} from './invocation.ts';
import type { WebhookSets } from './webhook-list.ts';

export interface ValidatingWebhooksOptions extends InvocationDependencies, WebhookSets {
  readonly caller: WebhookCaller;
}

export function createValidatingWebhooks(options: ValidatingWebhooksOptions): AdmissionPlugin {
  const { versions, caller } = options;

  async function ask(
    invocation: Invocation,
    attributes: AdmissionAttributes,
    index: number,
  ): Promise<void> {
    const objects = await versions.show(attributes, invocation.gvr);
    const isAllowed = await caller.ask({ invocation, attributes, objects }, () => true);
    if (isAllowed === true) return;
    const key = `failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`;
    attributes.annotate(key, invocation.webhook.name);
  }

  return {
    name: 'ValidatingAdmissionWebhook',
    handles: () => true,
    async validate(attributes) {
      const all = webhooksFor(options, attributes);
      if (all.length === 0) return;
      const invocations: Invocation[] = [];
      for (const webhook of all) {
        const invocation = await findInvocation(webhook, attributes, options);
        if (invocation !== undefined) invocations.push(invocation);
      }
      const errors: unknown[] = [];
      await Promise.all(
        invocations.map((invocation, index) =>
          ask(invocation, attributes, index).catch((error: unknown) => errors.push(error)),
        ),
      );
      if (errors.length > 0) throw errors[0];
    },
  };
}
