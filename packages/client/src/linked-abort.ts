// An AbortController that also follows another signal, until it is released. Long-lived signals
// (a controller's) would otherwise collect a listener for every request ever made.

export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
  /** Stops following; must be called when the work is over. */
  release(): void;
}

export function linkAbort(parent: AbortSignal | undefined): LinkedAbort {
  const controller = new AbortController();
  const follow = () => controller.abort(parent?.reason);
  if (parent?.aborted === true) follow();
  else parent?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    release: () => parent?.removeEventListener('abort', follow),
  };
}

/** Rejects with the signal's reason as soon as it is aborted, whatever the promise does. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** `untilAborted` for promises one after the other, with one listener for all of them. */
export interface AbortGuard {
  until<T>(promise: Promise<T>): Promise<T>;
  /** Stops listening; must be called when the work is over. */
  release(): void;
}

export function guardAgainstAbort(signal: AbortSignal): AbortGuard {
  let fail: ((reason: unknown) => void) | undefined;
  const onAbort = () => fail?.(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    until: (promise) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) reject(signal.reason as Error);
        fail = reject;
        promise.then(resolve, reject);
      }),
    release: () => signal.removeEventListener('abort', onAbort),
  };
}
