// The one comparison of secrets: it takes the same time wherever they differ.

import { timingSafeEqual } from 'node:crypto';

/** Whether two secrets are equal. Only their lengths can be learnt from the time it takes. */
export function equalSecrets(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
