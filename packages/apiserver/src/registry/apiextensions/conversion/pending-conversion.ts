// Conversions that take time, for code that cannot wait: field management compares objects in the
// versions of all their managers, in one go. It is run again whenever a conversion that it needed has
// come back, until it needs no other.

class PendingConversion extends Error {
  readonly key: string;
  readonly start: () => Promise<unknown>;
  constructor(key: string, start: () => Promise<unknown>) {
    super('a conversion by webhook was needed where nobody waits for it');
    this.name = 'PendingConversion';
    this.key = key;
    this.start = start;
  }
}

/** Results of the work that runs now; work is synchronous, so there is one at a time. */
let results: Map<string, unknown> | undefined;

/** `work` may run several times and must change nothing until it is through. */
export async function withConversions<T>(work: () => T): Promise<T> {
  const known = new Map<string, unknown>();
  for (;;) {
    const outer = results;
    results = known;
    let pending: PendingConversion;
    try {
      return work();
    } catch (error) {
      if (!(error instanceof PendingConversion)) throw error;
      pending = error;
    } finally {
      results = outer;
    }
    known.set(pending.key, await pending.start());
  }
}

/** The result of a conversion of the running work; throws `PendingConversion` when it has none yet. */
export function conversionResult<T>(key: string, start: () => Promise<T>): T {
  if (results?.has(key)) return results.get(key) as T;
  throw new PendingConversion(key, start);
}
