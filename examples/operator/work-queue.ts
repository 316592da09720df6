// Keys that are to be worked on: each once however often it is added, never twice at a time, and
// again after a while, longer each time, when the work fails.

export interface WorkQueueOptions {
  readonly workers: number;
  /** After the first failure; twice as long after each further one. */
  readonly retryDelayMs: number;
  readonly retryDelayMsMax: number;
  readonly onFailure: (key: string, error: unknown) => void;
}

export interface WorkQueue {
  add(key: string): void;
  /** Resolves when no work is being done any more. */
  stop(): Promise<void>;
}

export function createWorkQueue(
  work: (key: string) => Promise<void>,
  options: WorkQueueOptions,
): WorkQueue {
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const failures = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();
  let isStopped = false;

  const add = (key: string) => {
    if (isStopped) return;
    waiting.add(key);
    startWork();
  };
  const startWork = () => {
    for (const key of waiting) {
      if (running.size >= options.workers) return;
      if (running.has(key)) continue;
      waiting.delete(key);
      running.set(key, run(key));
    }
  };
  const run = async (key: string) => {
    try {
      await work(key);
      failures.delete(key);
    } catch (error) {
      if (!isStopped) retryLater(key, error);
    } finally {
      running.delete(key);
      startWork();
    }
  };
  const retryLater = (key: string, error: unknown) => {
    options.onFailure(key, error);
    const times = failures.get(key) ?? 0;
    failures.set(key, times + 1);
    clearTimeout(timers.get(key));
    const delayMs = Math.min(options.retryDelayMs * 2 ** times, options.retryDelayMsMax);
    timers.set(
      key,
      setTimeout(() => {
        timers.delete(key);
        add(key);
      }, delayMs),
    );
  };
  return {
    add,
    async stop() {
      isStopped = true;
      waiting.clear();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}
