// The node whose victims are missed least.

import { startedAt, type Candidate } from './select-victims.ts';

/** Each decides only between those that all before it find equal; smaller is better. */
const criteria: readonly ((candidate: Candidate) => number)[] = [
  ({ budgetViolations }) => budgetViolations,
  ({ victims }) => victims[0]?.priority ?? -Infinity,
  // COMPAT: shifted, so that many victims of negative priority do not look better than few.
  ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
  ({ victims }) => victims.length,
  // Whose most important victims have run for the shortest time.
  ({ victims }) => {
    const highest = victims[0]?.priority;
    const starts = victims.filter(({ priority }) => priority === highest).map(startedAt);
    return -Math.min(...starts);
  },
];

export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let best = candidates;
  for (const criterion of criteria) {
    if (best.length <= 1) break;
    const values = best.map(criterion);
    const least = values.reduce((a, b) => Math.min(a, b), Infinity);
    best = best.filter((_, i) => values[i] === least);
  }
  return best[0];
}
