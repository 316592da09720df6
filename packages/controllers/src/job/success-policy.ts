// Whether a Job's successPolicy is met (KEP-3998): by all of the indexes that a rule names, or by as
// many of them, or of all indexes, as it asks for.

import type { Job } from '@keelson/apimachinery/types/batch.v1';
import { countCommon, countIndexes, parseIndexes, type IndexSet } from './indexes.ts';
import { completionsOf } from './job-pods.ts';

/** The message of the condition; undefined when no rule is met. */
export function metSuccessRule(job: Job, succeeded: IndexSet): string | undefined {
  const rules = job.spec.successPolicy?.rules ?? [];
  const index = rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined)
      return succeededCount !== undefined && countIndexes(succeeded) >= succeededCount;
    const wanted = parseIndexes(succeededIndexes, completionsOf(job));
    return countCommon(wanted, succeeded) >= (succeededCount ?? countIndexes(wanted));
  });
  return index < 0 ? undefined : `Matched rules at index ${index}`;
}
