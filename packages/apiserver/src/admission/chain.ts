// Runs the plugins in their order: all mutating ones, then (after validation) all validating ones.

import type { AdmissionChain, AdmissionOperation, AdmissionPlugin } from './admission.ts';

const operations: readonly AdmissionOperation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

/** `plugins` in the order of kube-apiserver's `AllOrderedPlugins`, only those that are on. */
export function createAdmissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  const byOperation = new Map(operations.map((op) => [op, plugins.filter((p) => p.handles(op))]));
  return {
    handles: (operation) => (byOperation.get(operation)?.length ?? 0) > 0,
    async mutate(attributes) {
      for (const plugin of byOperation.get(attributes.operation) ?? []) await plugin.mutate?.(attributes);
    },
    async validate(attributes) {
      for (const plugin of byOperation.get(attributes.operation) ?? []) await plugin.validate?.(attributes);
    },
  };
}
