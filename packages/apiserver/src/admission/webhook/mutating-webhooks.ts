// The plugin MutatingAdmissionWebhook: asks the webhooks one after the other, each of which sees what
// those before it made of the object, and applies their patches. In the second pass only those are
// asked that want to see what others changed after them.

import {
  applyJsonPatch,
  asJson,
  copyJson,
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
import type { Reinvocation } from '../reinvocation.ts';
import type { WebhookCaller } from './call.ts';
import {
  findInvocation,
  isExempt,
  type Invocation,
  type InvocationDependencies,
} from './invocation.ts';
import type { Webhook, WebhookList } from './webhook-list.ts';

export interface MutatingWebhooksOptions extends InvocationDependencies {
  readonly webhooks: WebhookList;
  readonly caller: WebhookCaller;
}

const pluginName = 'MutatingAdmissionWebhook';

/** What the plugin keeps from the first pass to the second. */
interface Passes {
  /** Webhooks that were asked and want to see later changes. */
  readonly asked: Set<string>;
  /** Those of them that there are later changes for. */
  readonly again: Set<string>;
  output: KubeObject | undefined;
}

export function createMutatingWebhooks(options: MutatingWebhooksOptions): AdmissionPlugin {
  const { webhooks, versions, caller } = options;

  /** Whether the webhook changed the object. */
  async function ask(
    invocation: Invocation,
    attributes: AdmissionAttributes,
    annotations: Annotations,
  ): Promise<boolean> {
    const { webhook, gvr } = invocation;
    const objects = await versions.show(attributes, gvr);
    const verdict = await caller.ask(invocation, attributes, objects);
    if (verdict === undefined) {
      annotations.failedOpen(webhook);
      return false;
    }
    const patched = applyPatch(webhook, objects.object, verdict.patch);
    if (patched !== undefined) {
      const changed = await takePatched(attributes, gvr, patched);
      if (!isSemanticallyEqual(changed, attributes.object)) {
        attributes.object = changed;
        annotations.asked(webhook, true, verdict.patch);
        return true;
      }
    }
    annotations.asked(webhook, false, verdict.patch);
    return false;
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
      const all = webhooks.all();
      if (all.length === 0 || isExempt(attributes)) return;
      const passes = passesOf(reinvocation);
      const isLater = reinvocation?.isSecond === true;
      if (
        isLater &&
        passes.output !== undefined &&
        !isSemanticallyEqual(passes.output, attributes.object)
      )
        askAgain(passes);
      for (const [index, webhook] of all.entries()) {
        const invocation = await findInvocation(webhook, attributes, options);
        if (invocation === undefined) continue;
        if (isLater && !passes.again.has(webhook.id)) continue;
        const annotations = annotationsOf(attributes, isLater ? 1 : 0, index);
        if (await ask(invocation, attributes, annotations)) {
          askAgain(passes);
          reinvocation?.require();
        }
        if (webhook.isReinvoked) passes.asked.add(webhook.id);
      }
      passes.output = copyJson(attributes.object);
    },
  };
}

function passesOf(reinvocation: Reinvocation | undefined): Passes {
  const kept = reinvocation?.kept.get(pluginName) as Passes | undefined;
  if (kept !== undefined) return kept;
  const passes: Passes = { asked: new Set(), again: new Set(), output: undefined };
  reinvocation?.kept.set(pluginName, passes);
  return passes;
}

function askAgain({ asked, again }: Passes): void {
  for (const id of asked) again.add(id);
  asked.clear();
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
  asked(webhook: Webhook, mutated: boolean, patch: readonly JsonObject[] | undefined): void;
  failedOpen(webhook: Webhook): void;
}

/** For the audit event; keys as kube-apiserver's, with the pass and the place in the list. */
function annotationsOf(attributes: AdmissionAttributes, round: number, index: number): Annotations {
  const place = `round_${round}_index_${index}`;
  return {
    asked({ configuration, name: webhook }, mutated, patch) {
      const subject = { configuration, webhook };
      attributes.annotate(
        `mutation.webhook.admission.k8s.io/${place}`,
        JSON.stringify({ ...subject, mutated }),
      );
      if (mutated && patch !== undefined)
        attributes.annotate(
          `patch.webhook.admission.k8s.io/${place}`,
          encodeJsonText({ ...subject, patch: [...patch], patchType: 'JSONPatch' }),
        );
    },
    failedOpen: ({ name }) =>
      attributes.annotate(`failed-open.mutation.webhook.admission.k8s.io/${place}`, name),
  };
}
