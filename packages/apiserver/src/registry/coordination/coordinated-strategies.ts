// Strategies of coordinated leader election (KEP-4355), as leases and candidates name them.

import { fieldError } from '@keelson/apimachinery';
import { conforms, type Errors } from '../validation/checks.ts';
import { qualifiedName } from '../validation/names.ts';

export const oldestEmulationVersion = 'OldestEmulationVersion';

/** Kubernetes' own strategy, or one of somebody's own under their domain. */
export function coordinatedStrategy(errors: Errors, path: string, strategy: string): void {
  if (strategy.includes('/')) conforms(errors, path, strategy, qualifiedName);
  else if (strategy !== oldestEmulationVersion)
    errors.push(fieldError.notSupported(path, strategy, [oldestEmulationVersion]));
}
