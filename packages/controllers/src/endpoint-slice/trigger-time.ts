// Since when the network has been waiting for what a write of endpoints tells: since the Service is
// there, later the earliest change of its pods that no earlier write told. It is written into an annotation, from
// which proxies measure how long programming the network takes.

import { findCondition, formatTime } from '@keelson/apimachinery';
import type { Pod, Service } from '@keelson/apimachinery/types/core.v1';

const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

export interface TriggerTimes {
  /** RFC 3339; undefined when nothing has changed since the last call for the key. */
  next(key: string, service: Service, pods: readonly Pod[]): string | undefined;
  forget(key: string): void;
}

interface Seen {
  readonly service: number;
  readonly pods: ReadonlyMap<string, number>;
}

export function createTriggerTimes(): TriggerTimes {
  const seen = new Map<string, Seen>();
  return {
    next(key, service, pods) {
      const before = seen.get(key);
      const created = Date.parse(service.metadata.creationTimestamp ?? '') || 0;
      const changedAt = before !== undefined && created > before.service ? [created] : [];
      const podTimes = new Map<string, number>();
      for (const pod of pods) {
        const { name = '' } = pod.metadata;
        const time = readinessChange(pod);
        podTimes.set(name, time);
        if (time > (before?.pods.get(name) ?? 0)) changedAt.push(time);
      }
      seen.set(key, { service: created, pods: podTimes });
      if (before === undefined) return created === 0 ? undefined : formatTime(created);
      return changedAt.length === 0
        ? undefined
        : formatTime(changedAt.reduce((a, b) => Math.min(a, b)));
    },
    forget: (key) => void seen.delete(key),
  };
}

/** Zero when nobody says. */
function readinessChange({ status }: Pod): number {
  const condition = findCondition(status?.conditions, 'Ready');
  return Date.parse(condition?.lastTransitionTime ?? '') || 0;
}

/** The annotations with the time, or without one when nothing changed. */
export function withTriggerTime(
  annotations: Readonly<Record<string, string>> | undefined,
  time: string | undefined,
): Record<string, string> {
  const { [triggerTimeAnnotation]: _, ...others } = annotations ?? {};
  return time === undefined ? others : { ...others, [triggerTimeAnnotation]: time };
}
