// Conditions in the status of an object: at most one of each type, and each says since when it has
// had its status. What is in them, and when it is written, is for whoever writes them.

/** What the conditions of all kinds share; some kinds let it all be left out. */
interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly lastTransitionTime?: string | null;
}

export function findCondition<T extends Pick<Condition, 'type'>>(
  conditions: readonly T[] | null | undefined,
  type: string,
): T | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** It is there and true. Of several of one type, which validation may let pass, any counts. */
export function isConditionTrue(
  conditions: readonly Pick<Condition, 'type' | 'status'>[] | null | undefined,
  type: string,
): boolean {
  return (conditions ?? []).some((c) => c.type === type && c.status === 'True');
}

/** Since when a condition has the status that it is given: it changes with the status alone. */
export function transitionTime(
  before: Pick<Condition, 'status' | 'lastTransitionTime'> | undefined,
  status: string,
  now: string,
): string {
  return (before?.status === status && before.lastTransitionTime) || now;
}

/** The conditions with this one in the place of its type, or at the end. */
export function withCondition<T extends Pick<Condition, 'type'>>(
  conditions: readonly T[],
  next: T,
): T[] {
  const at = conditions.findIndex(({ type }) => type === next.type);
  return at < 0 ? [...conditions, next] : conditions.with(at, next);
}

/** The conditions with this one at the end, wherever its type stood. */
export function withConditionLast<T extends Pick<Condition, 'type'>>(
  conditions: readonly T[],
  next: T,
): T[] {
  return [...conditions.filter(({ type }) => type !== next.type), next];
}
