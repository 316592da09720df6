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
import { traceMutations } from './mutation-trace.ts';
import { tracedReason } from './traced-reason.ts';
import { runWithReinvocation } from './reinvocation.ts';

const operations: readonly AdmissionOperation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

/** `plugins` in the order of kube-apiserver's `AllOrderedPlugins`, only those that are on. */
export function createAdmissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  const links = plugins.map((plugin) => ({ plugin, steps: stepsOf(plugin) }));
  const byOperation = new Map(
    operations.map((op) => [op, links.filter(({ plugin }) => plugin.handles(op))]),
  );
  return {
    handles: (operation) => (byOperation.get(operation)?.length ?? 0) > 0,
    mutate(attributes) {
      const { trace, operation } = attributes;
      const traced = trace.enabled ? traceMutations(attributes) : undefined;
      const shown = traced?.attributes ?? attributes;
      return runWithReinvocation(async (reinvocation) => {
        for (const { plugin, steps } of byOperation.get(operation) ?? []) {
          if (plugin.mutate === undefined) continue;
          try {
            const pending = plugin.mutate(shown, reinvocation);
            if (pending !== undefined) await pending;
          } catch (error) {
            recordRefusal('admission/mutating', plugin, attributes, error);
            throw error;
          }
          if (traced !== undefined)
            trace.record(traced.hasChanged() ? steps.changed : steps.unchanged);
        }
      });
    },
    async validate(attributes) {
      const { trace, operation } = attributes;
      for (const { plugin, steps } of byOperation.get(operation) ?? []) {
        if (plugin.validate === undefined) continue;
        try {
          const pending = plugin.validate(attributes);
          if (pending !== undefined) await pending;
        } catch (error) {
          recordRefusal('admission/validating', plugin, attributes, error);
          throw error;
        }
        trace.record(steps.allowed);
      }
    },
  };
}

/** What most plugins do to most requests; the same step for all of them. */
function stepsOf({ name: by }: AdmissionPlugin) {
  const mutating = { stage: 'admission/mutating', by, reason: '' } as const;
  return {
    changed: { ...mutating, outcome: 'changed' },
    unchanged: { ...mutating, outcome: 'unchanged' },
    allowed: { stage: 'admission/validating', by, outcome: 'allow', reason: '' },
  } as const;
}

function recordRefusal(
  stage: 'admission/mutating' | 'admission/validating',
  { name: by }: AdmissionPlugin,
  attributes: AdmissionAttributes,
  error: unknown,
): void {
  const { trace } = attributes;
  if (!trace.enabled) return;
  trace.record({ stage, by, outcome: 'deny', reason: tracedReason(attributes, error) });
}
