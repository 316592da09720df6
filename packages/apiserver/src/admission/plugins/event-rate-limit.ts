// EventRateLimit (off): how many events may be written, by token buckets.
//
// - Limits are of the types Server (one bucket for all), Namespace, User and SourceAndObject, each
//   with a rate, a burst and (but for Server) how many buckets are remembered.
// - Every limit takes its token, also when another one has refused already; a request that any
//   limit refuses is answered 429.
// - Looks at events of the core group, created or updated. A dry run takes no token.

import { statusErrors, type Clock } from '@keelson/apimachinery';
import type { Event } from '@keelson/apimachinery/types/core.v1';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import { asKind, handling } from '../request-match.ts';
import { createTokenBuckets } from './token-buckets.ts';

export const eventLimitTypes = ['Server', 'Namespace', 'User', 'SourceAndObject'] as const;
export type EventLimitType = (typeof eventLimitTypes)[number];

export interface EventLimit {
  readonly type: EventLimitType;
  /** Events a second, on average. */
  readonly qps: number;
  /** Events at once. */
  readonly burst: number;
  /** Buckets that are remembered, the least recently used is forgotten. 4096 when absent or 0. */
  readonly cacheSize?: number;
}

export interface EventRateLimitConfiguration {
  readonly limits: readonly EventLimit[];
}

const defaultCacheSize = 4096;

export function createEventRateLimit(
  configuration: EventRateLimitConfiguration,
  clock: Clock,
): AdmissionPlugin {
  const enforcers = configuration.limits.map((limit) => {
    const bucketsMax = limit.type === 'Server' ? 1 : limit.cacheSize || defaultCacheSize;
    const { qps, burst } = limit;
    return { type: limit.type, buckets: createTokenBuckets({ qps, burst, bucketsMax }, clock) };
  });
  return {
    name: 'EventRateLimit',
    handles: handling('CREATE', 'UPDATE'),
    validate(attributes) {
      if (attributes.gvk.kind !== 'Event' || attributes.gvk.group !== '') return;
      if (attributes.dryRun) return;
      const refused = enforcers.flatMap(({ type, buckets }) => {
        const key = keysByType[type](attributes);
        return buckets.take(key) ? [] : [`limit reached on type ${type} for key ${key}`];
      });
      if (refused.length === 0) return;
      const why = refused.length === 1 ? refused[0] : `[${refused.join(', ')}]`;
      throw statusErrors.generic(429, 'TooManyRequests', `Too many requests: ${why}`);
    },
  };
}

const keysByType: Readonly<Record<EventLimitType, (attributes: AdmissionAttributes) => string>> = {
  Server: () => '',
  Namespace: (attributes) => attributes.namespace,
  User: (attributes) => attributes.user.name,
  SourceAndObject({ object }) {
    if (object === undefined) return '';
    const { source = {}, involvedObject = {} } = asKind<Partial<Event>>(object);
    const { kind, namespace, name, uid, apiVersion } = involvedObject;
    return [source.component, source.host, kind, namespace, name, uid, apiVersion].join('');
  },
};
