// A decision trace as it is read: stable JSON, `DecisionTrace` of `keelson.dev/v1alpha1`. Fields may
// be added; none changes its meaning.

import { formatMicroTime, type DecisionOutcome, type DecisionStep } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { RecordedTrace } from './trace-store.ts';

export interface TraceDocument {
  readonly kind: 'DecisionTrace';
  readonly apiVersion: 'keelson.dev/v1alpha1';
  readonly id: string;
  readonly auditID: string;
  readonly receivedAt: string;
  /** False while the request is still worked on; a watch is until it ends. */
  readonly complete: boolean;
  readonly request: TracedRequest;
  /** Absent when authentication failed. */
  readonly user?: TracedUser;
  readonly impersonatedUser?: TracedUser;
  readonly answer?: { readonly code: number };
  readonly steps: readonly TracedStep[];
}

export interface TracedRequest {
  readonly verb: string;
  readonly path?: string;
  readonly apiGroup?: string;
  readonly apiVersion?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Where and what it was about is not for this reader. */
  readonly withheld?: true;
}

export interface TracedUser {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}

export interface TracedStep {
  readonly stage: string;
  readonly by: string;
  readonly outcome: DecisionOutcome;
  readonly reason: string;
  readonly detail?: DecisionStep['detail'];
  /** The reason, the detail or a part of it is not for this reader. */
  readonly withheld?: true;
}

/** With everything in it; only for redaction. */
export function toTraceDocument(trace: RecordedTrace): TraceDocument {
  const { id, auditId: auditID, receivedAtMs, requester, impersonated, code } = trace;
  return {
    kind: 'DecisionTrace',
    apiVersion: 'keelson.dev/v1alpha1',
    id,
    auditID,
    receivedAt: formatMicroTime(receivedAtMs),
    complete: code !== undefined,
    request: toTracedRequest(trace),
    ...(requester === undefined ? {} : { user: toTracedUser(requester) }),
    ...(impersonated === undefined ? {} : { impersonatedUser: toTracedUser(impersonated) }),
    ...(code === undefined ? {} : { answer: { code } }),
    // SECURITY: annotations of the audit event may quote bodies; they have their own readers.
    steps: trace.steps().filter(({ stage }) => stage !== 'audit'),
  };
}

function toTracedRequest({ info }: RecordedTrace): TracedRequest {
  const { verb, path, group: apiGroup, version: apiVersion } = info;
  if (!info.isResourceRequest) return { verb, path };
  const { resource, subresource, namespace, name } = info;
  return {
    verb,
    path,
    apiGroup,
    apiVersion,
    resource,
    ...(subresource === '' ? {} : { subresource }),
    ...(namespace === '' ? {} : { namespace }),
    ...(name === '' ? {} : { name }),
  };
}

function toTracedUser({ name: username, uid, groups }: UserInfo): TracedUser {
  return { username, ...(uid === '' ? {} : { uid }), groups };
}
