// Whether mutating plugins run a second time. A plugin that was shown an object which others changed
// afterwards may ask for it; then all of them run once more, and each remembers from the first pass
// what it wants to do in the second (KEP-1024's reinvocation; at most twice for everyone).

export interface Reinvocation {
  /** False in the first pass. */
  readonly isSecond: boolean;
  /** Asks for a second pass; without effect in it. */
  require(): void;
  /** What a plugin keeps from the first pass to the second, by its name. */
  readonly kept: Map<string, unknown>;
}

/** Runs the pass once, or twice when somebody asked for it. */
export async function runWithReinvocation(
  pass: (reinvocation: Reinvocation) => Promise<void>,
): Promise<void> {
  const kept = new Map<string, unknown>();
  let isRequired = false;
  await pass({ isSecond: false, require: () => void (isRequired = true), kept });
  if (isRequired) await pass({ isSecond: true, require: () => {}, kept });
}
