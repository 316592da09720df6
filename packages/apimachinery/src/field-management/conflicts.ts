// Conflicts of an apply: fields that the configuration would change and another manager owns.

import { compareGoStrings } from '../go-string.ts';
import { quoteGo } from '../status/field-error.ts';
import { statusErrors, type StatusCause, type StatusError } from '../status/status.ts';
import { forEachPath, formatPath, type FieldSet } from './field-set.ts';
import type { Manager } from './managed-entries.ts';

export interface Conflict {
  readonly id: string;
  readonly manager: Manager;
  /** The fields in dispute. */
  readonly fields: FieldSet;
}

/** The apply would change fields of others; nothing was done. */
export class ConflictError extends Error {
  readonly conflicts: readonly Conflict[];
  constructor(conflicts: readonly Conflict[]) {
    super('apply conflicts');
    this.name = 'ConflictError';
    this.conflicts = conflicts;
  }
}

/** The answer to the request: one cause for each field. */
export function conflictStatus({ conflicts }: ConflictError): StatusError {
  const causes: StatusCause[] = [];
  const lines: string[] = [];
  const ordered = [...conflicts].sort((a, b) => compareGoStrings(a.id, b.id));
  for (const { manager, fields } of ordered) {
    const who = describeManager(manager);
    lines.push(`conflicts with ${who}:`);
    forEachPath(fields, (path) => {
      const field = formatPath(path);
      causes.push({ reason: 'FieldManagerConflict', message: `conflict with ${who}`, field });
      lines.push(`- ${field}`);
    });
  }
  const [only] = causes;
  const message =
    causes.length === 1 && only
      ? `Apply failed with 1 conflict: ${only.message}: ${only.field}`
      : `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`;
  return statusErrors.applyConflict(causes, message);
}

function describeManager({ name, operation, subresource, apiVersion }: Manager): string {
  const base =
    subresource === ''
      ? quoteGo(name)
      : `${quoteGo(name)} with subresource ${quoteGo(subresource)}`;
  return operation === 'Update' ? `${base} using ${apiVersion}` : base;
}
