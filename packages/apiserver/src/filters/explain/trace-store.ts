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
      return {
        id: `${prefix}${(++opened).toString(36)}`,
        auditId,
        receivedAtMs,
        info: targetOf(info),
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

/** Without what may hold values. Member by member: the rest of an object costs more than all of them. */
function targetOf(info: RequestInfo): RecordedTrace['info'] {
  const { isResourceRequest, path, verb, apiPrefix, group, version } = info;
  const { namespace, resource, subresource, name } = info;
  return {
    isResourceRequest,
    path,
    verb,
    apiPrefix,
    group,
    version,
    namespace,
    resource,
    subresource,
    name,
  };
}

/** The order in which they came is kept apart: to find its first key, a map walks over removed ones. */
function createRing(tracesMax: number) {
  const traces = new Map<string, RecordedTrace>();
  const ids: string[] = [];
  let next = 0;
  return {
    add(trace: RecordedTrace) {
      if (tracesMax === 0) return;
      const oldest = ids[next];
      if (oldest !== undefined) traces.delete(oldest);
      traces.set(trace.id, trace);
      ids[next] = trace.id;
      next = (next + 1) % tracesMax;
    },
    find: (id: string) => traces.get(id),
  };
}
