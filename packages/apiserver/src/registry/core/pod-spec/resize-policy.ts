// Whether a container must be restarted when its resources change in place (KEP-1287).

import { fieldError } from '@keelson/apimachinery';
import type { ContainerResizePolicy, PodSpec } from '@keelson/apimachinery/types/core.v1';
import { requiredOneOf, type Errors } from '../../validation/checks.ts';

export function resizePolicy(
  errors: Errors,
  path: string,
  policies: readonly ContainerResizePolicy[] | undefined,
  spec: Pick<PodSpec, 'restartPolicy'>,
): void {
  const seen = new Set<string>();
  policies?.forEach(({ resourceName, restartPolicy }, i) => {
    if (seen.has(resourceName)) errors.push(fieldError.duplicate(`${path}[${i}]`, resourceName));
    seen.add(resourceName);
    // COMPAT: the other problems are reported at the list.
    requiredOneOf(errors, path, resourceName, ['cpu', 'memory']);
    requiredOneOf(errors, path, restartPolicy, ['NotRequired', 'RestartContainer']);
    if (spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      const why = "must be 'NotRequired' when `restartPolicy` is 'Never'";
      errors.push(fieldError.invalid(path, restartPolicy, why));
    }
  });
}
