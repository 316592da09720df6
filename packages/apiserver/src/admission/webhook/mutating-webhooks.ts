// The plugin MutatingAdmissionWebhook: asks the webhooks one after the other, each of which sees what
// those before it made of the object, and applies their patches. In the second pass only those are
// asked that want to see what others changed after them.

import {
  applyJsonPatch,
  asJson,
  DecodeError,
  encodeJsonText,
  PatchError,
  statusErrors,
  type GroupVersionResource,
  type JsonObject,
  type KubeObject,
} from '@keelson/apimachinery';
import { isSemanticallyEqual } from '../../registry/validation/equality.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import { beginPass } from '../reinvocation-passes.ts';
import type { WebhookCaller } from './call.ts';
import {
  findInvocation,
  type Invocation,
  type InvocationDependencies,
  webhooksFor,
} from './invocation.ts';
import type { Webhook, WebhookSets } from './webhook-list.ts';

export interface MutatingWebhooksOptions extends InvocationDependencies, WebhookSets {
  readonly caller: WebhookCaller;
}

const pluginName = 'MutatingAdmissionWebhook';

export function createMutatingWebhooks(options: MutatingWebhooksOptions): AdmissionPlugin {
  const { versions, caller } = options;

  /** Whether the webhook changed the object. */
  async function ask(
    invocation: Invocation,
    attributes: AdmissionAttributes,
    annotations: Annotations,
  ): Promise<boolean> {
    const { webhook, gvr } = invocation;
    const objects = await versions.show(attributes, gvr);
    const question = { invocation, attributes, objects };
    let isChanged = false;
    try {
      const asked = await caller.ask(question, async ({ patch }) => {
        const patched = applyPatch(webhook, objects.object, patch);
        if (patched === undefined) return true;
        const changed = await takePatched(attributes, gvr, patched);
        annotations.patched(webhook, patch);
        isChanged = !isSemanticallyEqual(changed, attributes.object);
        if (isChanged) attributes.object = changed;
        return true;
      });
      if (asked === undefined) annotations.failedOpen(webhook);
    } finally {
      annotations.asked(webhook, isChanged);
    }
    return isChanged;
  }

  async function takePatched(
    attributes: AdmissionAttributes,
    gvr: GroupVersionResource,
    patched: JsonObject,
  ): Promise<KubeObject> {
    try {
      return await versions.take(attributes, gvr, patched);
    } catch (error) {
      if (error instanceof DecodeError) throw statusErrors.internalError(error.message);
      throw error;
    }
  }

  return {
    name: pluginName,
    handles: () => true,
    async mutate(attributes, reinvocation) {
      const all = webhooksFor(options, attributes);
      if (all.length === 0) return;
      const passes = beginPass(pluginName, reinvocation, attributes.object);
      for (const [index, webhook] of all.entries()) {
        const invocation = await findInvocation(webhook, attributes, options);
        if (invocation === undefined) continue;
        if (!passes.isAsked(webhook.id)) continue;
        const annotations = annotationsOf(attributes, passes.isSecond ? 1 : 0, index);
        if (await ask(invocation, attributes, annotations)) passes.changed();
        if (webhook.isReinvoked) passes.asked(webhook.id);
      }
      passes.finish(attributes.object);
    },
  };
}

/** Undefined when there is nothing to change. COMPAT: no failure policy covers what goes wrong here. */
function applyPatch(
  { name }: Webhook,
  object: KubeObject | undefined,
  patch: readonly JsonObject[] | undefined,
): JsonObject | undefined {
  if (patch === undefined || patch.length === 0) return undefined;
  if (object === undefined)
    throw statusErrors.internalError(
      `admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`,
    );
  try {
    return applyJsonPatch(asJson(object), [...patch]) as JsonObject;
  } catch (error) {
    if (error instanceof PatchError) throw statusErrors.internalError(error.message);
    throw error;
  }
}

interface Annotations {
  /** Also of a webhook that refused or could not be asked. */
  asked(webhook: Webhook, mutated: boolean): void;
  patched(webhook: Webhook, patch: readonly JsonObject[] | undefined): void;
  failedOpen(webhook: Webhook): void;
}

/** For the audit event; keys as kube-apiserver's, with the pass and the place in the list. */
function annotationsOf(attributes: AdmissionAttributes, round: number, index: number): Annotations {
  const place = `round_${round}_index_${index}`;
  return {
    asked: ({ configuration, name: webhook }, mutated) =>
      attributes.annotate(
        `mutation.webhook.admission.k8s.io/${place}`,
        JSON.stringify({ configuration, webhook, mutated }),
      ),
    patched: ({ configuration, name: webhook }, patch = []) =>
      attributes.annotate(
        `patch.webhook.admission.k8s.io/${place}`,
        encodeJsonText({ configuration, webhook, patch: [...patch], patchType: 'JSONPatch' }),
      ),
    failedOpen: ({ name }) =>
      attributes.annotate(`failed-open.mutation.webhook.admission.k8s.io/${place}`, name),
  };
}
