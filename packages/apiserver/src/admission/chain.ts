// Runs the plugins in their order: all mutating ones, then (after validation) all validating ones.
// The first that refuses ends the request. Each step goes into the request's trace: who changed the
// object, who refused and why. Most plugins have their answer at once and are not waited for: there
// are dozens, and each turn of the microtask queue would cost more than they do.

import type {
  AdmissionAttributes,
  AdmissionChain,
  AdmissionOperation,
  AdmissionPlugin,
} from './admission.ts';
import { takeSnapshot, type ObjectSnapshot } from './object-snapshot.ts';
import { tracedReason } from './traced-reason.ts';
import { runWithReinvocation, type Reinvocation } from './reinvocation.ts';

const operations: readonly AdmissionOperation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

/** `plugins` in the order of kube-apiserver's `AllOrderedPlugins`, only those that are on. */
export function createAdmissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  const byOperation = new Map(operations.map((op) => [op, plugins.filter((p) => p.handles(op))]));
  return {
    handles: (operation) => (byOperation.get(operation)?.length ?? 0) > 0,
    mutate(attributes) {
      const { trace } = attributes;
      const seen: SeenObject = { snapshot: undefined };
      return runWithReinvocation(async (reinvocation) => {
        for (const plugin of byOperation.get(attributes.operation) ?? []) {
          if (plugin.mutate === undefined) continue;
          const pending = trace.enabled
            ? mutateTraced(plugin, attributes, { reinvocation, seen })
            : plugin.mutate(attributes, reinvocation);
          if (pending !== undefined) await pending;
        }
      });
    },
    async validate(attributes) {
      const { trace } = attributes;
      for (const plugin of byOperation.get(attributes.operation) ?? []) {
        if (plugin.validate === undefined) continue;
        const pending = trace.enabled
          ? validateTraced(plugin, attributes)
          : plugin.validate(attributes);
        if (pending !== undefined) await pending;
      }
    },
  };
}

/** The object as the last plugin that changed it left it; most change nothing. */
interface SeenObject {
  snapshot: ObjectSnapshot | undefined;
}

async function mutateTraced(
  plugin: AdmissionPlugin,
  attributes: AdmissionAttributes,
  { reinvocation, seen }: { readonly reinvocation: Reinvocation; readonly seen: SeenObject },
): Promise<void> {
  const step = { stage: 'admission/mutating', by: plugin.name } as const;
  const before = (seen.snapshot ??= takeSnapshot(attributes.object));
  try {
    await plugin.mutate?.(attributes, reinvocation);
  } catch (error) {
    attributes.trace.record({ ...step, outcome: 'deny', reason: tracedReason(attributes, error) });
    throw error;
  }
  const isUnchanged = before.isUnchanged(attributes.object);
  if (!isUnchanged) seen.snapshot = undefined;
  const outcome = isUnchanged ? 'unchanged' : 'changed';
  attributes.trace.record({ ...step, outcome, reason: '' });
}

async function validateTraced(
  plugin: AdmissionPlugin,
  attributes: AdmissionAttributes,
): Promise<void> {
  const step = { stage: 'admission/validating', by: plugin.name } as const;
  try {
    await plugin.validate?.(attributes);
  } catch (error) {
    attributes.trace.record({ ...step, outcome: 'deny', reason: tracedReason(attributes, error) });
    throw error;
  }
  attributes.trace.record({ ...step, outcome: 'allow', reason: '' });
}
