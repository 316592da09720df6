// Many calls of the same kind, a few at first: what fails for one will mostly fail for all (a
// quota, a webhook), so each batch is twice as large as the one before and none follows a failure.

/** Resolves with how many calls succeeded and the first error. Never rejects. */
export async function runInBatches(
  count: number,
  call: (index: number) => Promise<void>,
): Promise<{ readonly done: number; readonly error?: unknown }> {
  let done = 0;
  let next = 0;
  for (let size = 1; next < count; size *= 2) {
    const batch = Array.from({ length: Math.min(size, count - next) }, (_, i) => call(next + i));
    next += batch.length;
    const failures: unknown[] = [];
    for (const result of await Promise.allSettled(batch)) {
      if (result.status === 'fulfilled') done++;
      else failures.push(result.reason);
    }
    if (failures.length > 0) return { done, error: failures[0] };
  }
  return { done };
}
