// RuntimeClasses: which handler of the container runtime runs a pod, what it costs and where it can
// run.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { RuntimeClass, Scheduling } from '@keelson/apimachinery/types/node.k8s.io.v1';
import { roundUpResources } from '../../core/pod-spec/defaults.ts';
import { tolerations as checkTolerations } from '../../core/pod-spec/scheduling.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { conforms, immutable, required } from '../../validation/checks.ts';
import { labels } from '../../validation/labels.ts';
import { dns1123Label } from '../../validation/names.ts';
import { containerResourceName, resourceQuantity } from '../../validation/resource-names.ts';

export const runtimeClassStrategy: Strategy<RuntimeClass> = {
  applyDefaults({ overhead }) {
    if (overhead?.podFixed) roundUpResources(overhead.podFixed);
  },
  validate: validateRuntimeClass,
  validateUpdate(runtimeClass, old) {
    const errors = validateRuntimeClass(runtimeClass);
    immutable(errors, 'handler', [runtimeClass.handler, old.handler]);
    return errors;
  },
  allowUnconditionalUpdate: false,
  tableCells: (runtimeClass, nowMs) => [
    runtimeClass.metadata.name,
    runtimeClass.handler,
    age(runtimeClass, nowMs),
  ],
};

function validateRuntimeClass({ handler, overhead, scheduling }: RuntimeClass): FieldError[] {
  const errors: FieldError[] = [];
  if (required(errors, 'handler', handler)) conforms(errors, 'handler', handler, dns1123Label);
  for (const entry of Object.entries(overhead?.podFixed ?? {})) {
    const path = `overhead.limits[${entry[0]}]`;
    containerResourceName(errors, path, entry[0]);
    resourceQuantity(errors, path, entry);
  }
  if (scheduling) checkScheduling(errors, scheduling);
  return errors;
}

function checkScheduling(errors: FieldError[], { nodeSelector, tolerations }: Scheduling): void {
  labels(errors, 'scheduling.nodeSelector', nodeSelector);
  const path = 'scheduling.tolerations';
  checkTolerations(errors, path, tolerations, { options: { allowTolerationComparison: false } });
  const seen = new Set<string>();
  tolerations?.forEach((toleration, i) => {
    const { key = '', operator = '', value = '', effect = '' } = toleration;
    const identity = JSON.stringify([key, operator, value, effect]);
    if (seen.has(identity)) {
      const shown = internalValue('Toleration', toleration);
      errors.push(fieldError.duplicate(`${path}[${i}]`, shown));
    }
    seen.add(identity);
  });
}
