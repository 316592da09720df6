// The versions of reviews that a webhook says it understands, best first. At least one must be of
// those in which the API server asks, unless an object has been stored without.

import { fieldError } from '@keelson/apimachinery';
import type { Errors } from './checks.ts';
import { dns1035Label } from './names.ts';

const asked: readonly string[] = ['v1', 'v1beta1'];
/** In the order in which they are preferred, as messages list them. */
export const askedReviewVersions = asked.join(', ');

export function hasAskedReviewVersion(versions: readonly string[]): boolean {
  return versions.some((version) => asked.includes(version));
}

export interface ReviewVersionsOptions {
  /** At least one that is asked for. */
  readonly requireAsked: boolean;
  /** What is said when there is none. */
  readonly missingDetail?: string;
}

export function reviewVersions(
  errors: Errors,
  path: string,
  versions: readonly string[],
  { requireAsked, missingDetail }: ReviewVersionsOptions,
): void {
  if (versions.length === 0) {
    errors.push(fieldError.required(path, missingDetail));
    return;
  }
  versions.forEach((version, i) => {
    const at = `${path}[${i}]`;
    if (versions.indexOf(version) < i) {
      errors.push(fieldError.invalid(at, version, 'duplicate version'));
      return;
    }
    for (const why of dns1035Label(version)) errors.push(fieldError.invalid(at, version, why));
  });
  if (requireAsked && !hasAskedReviewVersion(versions)) {
    const why = `must include at least one of ${askedReviewVersions}`;
    errors.push(fieldError.invalid(path, versions, why));
  }
}
