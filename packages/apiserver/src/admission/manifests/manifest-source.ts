// Static manifests while the server runs: read when it starts, which fails when they cannot be used,
// and again when their contents change. What cannot be used then is reported and counted, and the
// last good set stays in force.

import type { Clock, KubeObject } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import type { Logger } from '../../logger.ts';
import type { ObjectChange, ObjectSource } from '../../object-source.ts';
import type { ConfigurationFiles } from '../configuration-files.ts';
import type { ManifestMetrics } from './manifest-metrics.ts';
import { ManifestError, readManifests, type Manifests } from './read-manifests.ts';

export interface ManifestSourceOptions {
  readonly files: ConfigurationFiles;
  readonly features: Features;
  readonly clock: Clock;
  readonly metrics: ManifestMetrics;
  readonly logger: Logger;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

export interface ManifestSource {
  /** The objects of a kind as they are now. */
  of(kind: string): ObjectSource;
}

/** Changes that nobody told of are seen after this time. */
const pollMs = 60_000;

/** Throws ManifestError when the folder cannot be used. */
export function openManifests(
  plugin: string,
  folder: string,
  options: ManifestSourceOptions,
): ManifestSource {
  const { files, features, clock, logger, signal } = options;
  const read = (hash?: string) =>
    readManifests({ plugin, folder, files, features, nowMs: clock.now() }, hash);
  const first = read();
  if (first === undefined) throw new Error('unreachable: nothing was known before');
  let current: Manifests = first;
  const subscribers = new Map<string, Set<(change: ObjectChange) => void>>();
  const counted = options.metrics.follow(plugin, () => current.hash);
  const reload = () => {
    try {
      const next = read(current.hash);
      if (next === undefined) return;
      const before = current;
      current = next;
      counted('success');
      for (const [kind, told] of subscribers) tellChanges(kind, { before, next, told });
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      counted('failure');
      logger.warn('static manifests not usable', { plugin, error: error.message });
    }
  };
  const poll = () => {
    if (signal.aborted) return;
    reload();
    cancel = clock.after(pollMs, poll);
  };
  let cancel = clock.after(pollMs, poll);
  signal.addEventListener('abort', () => cancel(), { once: true });
  files.watch?.(folder, reload, signal);
  return {
    of: (kind) => ({
      get: (_namespace, name) =>
        current.objects.get(kind)?.find(({ metadata }) => metadata.name === name),
      list: () => current.objects.get(kind) ?? [],
      subscribe(onChange) {
        const told = subscribers.get(kind) ?? new Set();
        subscribers.set(kind, told.add(onChange));
        return () => void told.delete(onChange);
      },
    }),
  };
}

interface Changed {
  readonly before: Manifests;
  readonly next: Manifests;
  readonly told: ReadonlySet<(change: ObjectChange) => void>;
}

function tellChanges(kind: string, { before, next, told }: Changed): void {
  const named = ({ objects }: Manifests) =>
    new Map((objects.get(kind) ?? []).map((object) => [object.metadata.name ?? '', object]));
  const [old, now] = [named(before), named(next)];
  const tell = (change: ObjectChange) => told.forEach((onChange) => onChange(change));
  for (const [name, object] of now) {
    const previous: KubeObject | undefined = old.get(name);
    if (previous === undefined) tell({ type: 'ADDED', object });
    else tell({ type: 'MODIFIED', object, previous });
  }
  for (const [name, object] of old)
    if (!now.has(name)) tell({ type: 'DELETED', object, previous: object });
}
