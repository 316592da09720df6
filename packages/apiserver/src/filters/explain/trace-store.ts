// The decision traces that may still be read: the newest ones, in memory. Requests that did not get
// past authentication have a place of their own.
// SECURITY: anybody can send such requests, and must not be able to push out what others asked for.
// A trace holds no header, query or body, and nothing of the connection.

import { createUid, type DecisionStep, type Random } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { ServerLimits } from '../../config.ts';
import type { RequestContext, RequestInfo } from '../../request-context.ts';

export interface RecordedTrace {
  readonly id: string;
  readonly auditId: string;
  readonly receivedAtMs: number;
  readonly info: Omit<RequestInfo, 'query' | 'parts'>;
  /** Who sent the request; undefined when authentication did not find out. */
  requester: UserInfo | undefined;
  /** Who it acted as, if as another. */
  impersonated: UserInfo | undefined;
  /** Of the answer; undefined while there is none, or while a watch goes on. */
  code: number | undefined;
  steps(): readonly DecisionStep[];
}

export interface TraceStore {
  /** A trace that nobody can read yet. */
  open(context: RequestContext): RecordedTrace;
  /** From now on it can be read. */
  keep(trace: RecordedTrace): void;
  find(id: string): RecordedTrace | undefined;
}

type TraceLimits = Pick<ServerLimits, 'tracesMax' | 'unauthenticatedTracesMax'>;

export function createTraceStore(limits: TraceLimits, random: Random): TraceStore {
  const authenticated = createRing(limits.tracesMax);
  const unauthenticated = createRing(limits.unauthenticatedTracesMax);
  // Another one after each start, so that an old id never means a new trace. Nothing is protected by
  // ids being hard to guess: whoever reads has the permission to.
  const prefix = `${createUid(random).slice(0, 8)}-`;
  let opened = 0;
  return {
    open({ auditId, receivedAtMs, info, trace }) {
      const { query: _query, parts: _parts, ...target } = info;
      return {
        id: `${prefix}${(++opened).toString(36)}`,
        auditId,
        receivedAtMs,
        info: target,
        requester: undefined,
        impersonated: undefined,
        code: undefined,
        steps: () => trace.steps(),
      };
    },
    keep: (trace) => (trace.requester === undefined ? unauthenticated : authenticated).add(trace),
    find: (id) => authenticated.find(id) ?? unauthenticated.find(id),
  };
}

/** A map remembers the order in which its entries came. */
function createRing(tracesMax: number) {
  const traces = new Map<string, RecordedTrace>();
  return {
    add(trace: RecordedTrace) {
      traces.set(trace.id, trace);
      for (const oldest of traces.keys()) {
        if (traces.size <= tracesMax) return;
        traces.delete(oldest);
      }
    },
    find: (id: string) => traces.get(id),
  };
}
