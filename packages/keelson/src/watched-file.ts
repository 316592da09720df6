// Files that are followed while the server runs: configuration and authorities. The folder is
// watched, because editors and mounted volumes replace files rather than write into them; and the
// file is looked at once a minute, because watches can miss changes.

import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Clock } from '@keelson/apimachinery';
import type { CaBundle, Logger, WatchedFile } from '@keelson/apiserver';

const pollMs = 60_000;
/** Files are often replaced as a whole, which only their folder sees, and in several steps. */
const settleMs = 100;

export function watchedFile(path: string, clock: Clock): WatchedFile {
  return {
    read: () => readFile(path),
    watch(check) {
      const unwatch = watchForChanges(path, check, clock);
      let cancel = () => {};
      const poll = () => {
        cancel = clock.after(pollMs, () => {
          check();
          poll();
        });
      };
      poll();
      return () => {
        cancel();
        unwatch();
      };
    },
  };
}

/** Calls back when the file may have changed, as far as its folder notices. */
export function watchForChanges(path: string, onChange: () => void, clock: Clock): () => void {
  let cancel = () => {};
  const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
    if (name !== null && name !== basename(path) && !name.startsWith('..')) return;
    cancel();
    cancel = clock.after(settleMs, onChange);
  });
  // The file is still looked at every minute.
  watcher.on('error', () => watcher.close());
  return () => {
    cancel();
    watcher.close();
  };
}

export interface FollowedAuthorities extends CaBundle {
  /** Calls back after each change. */
  onChange(changed: () => void): void;
  close(): void;
}

/** The authorities of a file as they are now; what cannot be read leaves the last ones in force. */
export function followAuthorities(
  path: string,
  initial: string,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): FollowedAuthorities {
  const file = watchedFile(path, clock);
  let current = initial;
  const listeners: (() => void)[] = [];
  const check = async (): Promise<void> => {
    try {
      const text = Buffer.from(await file.read()).toString('utf8');
      if (text === current || text.trim() === '') return;
      current = text;
      for (const changed of listeners) changed();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      logger.warn('authorities could not be read again', { path, error: why });
    }
  };
  const close = file.watch(() => void check());
  return { current: () => current, onChange: (changed) => void listeners.push(changed), close };
}
