// What the store says in a decision trace: what validation found, and what became of the write.
// SECURITY: where fields are wrong and how, never what they hold.

import type { FieldError } from '@keelson/apimachinery';
import type { StoredEntry } from '../storage/storage.ts';
import type { StoreScope, WriteRequest } from './store-types.ts';

/** `errors` is empty for an object that may be written. */
export function recordValidation(
  { definition }: StoreScope,
  { trace }: WriteRequest,
  errors: readonly FieldError[],
): void {
  if (trace?.enabled !== true) return;
  const found = new Set(errors.map(({ path, type }) => `${path}: ${type}`));
  trace.record({
    stage: 'validation',
    by: definition.kind,
    outcome: errors.length === 0 ? 'allow' : 'deny',
    reason: [...found].join(', '),
  });
}

/** `entry` is undefined for what is gone, and for dry runs. */
export function recordWrite(
  { trace, dryRun }: WriteRequest,
  action: 'created' | 'updated' | 'deleted',
  entry: StoredEntry | undefined,
): void {
  if (trace?.enabled !== true) return;
  const at = entry === undefined ? '' : ` at revision ${entry.revision}`;
  trace.record({
    stage: 'storage',
    by: 'storage',
    outcome: dryRun ? 'unchanged' : 'changed',
    reason: dryRun ? `would be ${action}` : `${action}${at}`,
  });
}
