// Reads at a revision that is not there yet wait a little for it, as at kube-apiserver's watch
// cache: a client may have heard of a write before this server has. Whoever waits in vain, or comes
// when too many wait already, is told that the revision is too large; that is left to the verbs.

import type { Clock } from '@keelson/apimachinery';
import type { ServerLimits } from '../config.ts';
import type { Revision, Storage } from '../storage/storage.ts';

export interface RevisionWaits {
  /** Resolves when the storage has reached the revision, or when there is no more point in waiting. */
  until(revision: Revision, signal: AbortSignal): Promise<void>;
}

export interface RevisionWaitsOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly limits: Pick<ServerLimits, 'revisionWaitMs' | 'revisionWaitersMax'>;
  /** Ends all waits. */
  readonly shutdown: AbortSignal;
}

export function createRevisionWaits(options: RevisionWaitsOptions): RevisionWaits {
  const { storage, clock, limits, shutdown } = options;
  const waiters = new Map<() => void, Revision>();
  let watch: AbortController | undefined;
  const release = (reached: Revision) => {
    for (const [leave, revision] of waiters) if (revision <= reached) leave();
  };
  const follow = () => {
    watch = new AbortController();
    storage.watch('/', {
      signal: watch.signal,
      onEvents: (_events, revision) => release(revision),
      onEnd: () => release(Infinity),
    });
  };
  const stopFollowing = () => {
    watch?.abort();
    watch = undefined;
  };
  return {
    async until(revision, signal) {
      if (revision <= storage.revision() || signal.aborted || shutdown.aborted) return;
      if (waiters.size >= limits.revisionWaitersMax) return;
      await new Promise<void>((resolve) => {
        const leave = () => {
          if (!waiters.delete(leave)) return;
          cancelTimer();
          for (const end of [signal, shutdown]) end.removeEventListener('abort', leave);
          if (waiters.size === 0) stopFollowing();
          resolve();
        };
        const cancelTimer = clock.after(limits.revisionWaitMs, leave);
        for (const end of [signal, shutdown]) end.addEventListener('abort', leave, { once: true });
        waiters.set(leave, revision);
        if (watch === undefined) follow();
      });
    },
  };
}
