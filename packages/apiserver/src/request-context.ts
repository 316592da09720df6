// What the pipeline knows about one request; created by the first filter and handed down. Filters
// fill in what they find out; nothing else is shared between them.

import type { DecisionTrace } from '@keelson/apimachinery';
import type { UserInfo } from './authentication/authenticator.ts';
import type { ApiRequest, ApiResponse } from './http.ts';

/** Where a URL points (k8s.io/apiserver/pkg/endpoints/request RequestInfo). */
export interface RequestInfo {
  readonly isResourceRequest: boolean;
  /** Path without query, always with a leading slash. */
  readonly path: string;
  /**
   * API verb for resources (`get list watch create update patch delete deletecollection`),
   * lower-case method otherwise.
   */
  readonly verb: string;
  /** `api`, `apis` or empty. */
  readonly apiPrefix: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** Path segments after the resource: `[name, subresource, …rest]`. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

export interface RequestContext {
  /** From authentication on without credentials. */
  request: ApiRequest;
  readonly response: ApiResponse;
  /** Whether CBOR is spoken, as the gate CBORServingAndStorage says. */
  readonly cbor?: boolean;
  readonly info: RequestInfo;
  /** The `Audit-ID` of the answer; passed on to servers behind this one. */
  readonly auditId: string;
  /** The caller; after impersonation, the impersonated user. */
  user: UserInfo;
  /** The real caller while another user is impersonated. */
  impersonator?: UserInfo;
  /** `impersonate:user-info` and the like, for the audit event; absent for legacy impersonation. */
  impersonationConstraint?: string;
  /** How the request is decided; given up when the caller may not have it. */
  trace: DecisionTrace;
  /** Aborted on deadline, client disconnect and shutdown. */
  readonly signal: AbortSignal;
  /** Called when the time of the request is up; for work that would go on without its answer. */
  onDeadline?: () => void;
  readonly receivedAtMs: number;
  /**
   * Adds a `Warning: 299 - "…"` header to the answer; duplicates are dropped, all together are
   * bounded.
   */
  warn(text: string): void;
  readonly warnings: readonly string[];
  /** Annotation of the audit event; a second value for the same key is ignored. */
  annotate(key: string, value: string): void;
  readonly auditAnnotations: ReadonlyMap<string, string>;
  /** Set by flow control; a watch calls it when it has sent what was there at its start. */
  onWatchStarted?: () => void;
}
