// Endpoints that are not plain stored objects: reviews, bindings, evictions, tokens, scale and
// connect subresources. A handler gets the decoded, defaulted object after authorization and
// admission have run, and returns what is answered. The tables of handlers are explicit lists put
// together in the composition root.

import type { GroupResource, KubeObject } from '@keelson/apimachinery';
import type { RequestContext } from '../request-context.ts';

export interface HandlerRequest {
  readonly context: RequestContext;
  readonly namespace: string;
  /** Name of the object for subresources; empty for reviews. */
  readonly name: string;
  readonly dryRun: boolean;
  /** CreateOptions as given. */
  readonly options: KubeObject | undefined;
  /** Runs validating admission on the object; a handler calls it right before it takes effect. */
  readonly validateAdmission: (object: KubeObject, oldObject?: KubeObject) => Promise<void>;
}

/** `POST` of an object that is answered but not (itself) stored. */
export interface CreateHandler {
  readonly resource: GroupResource;
  /** Empty for a resource of its own (`subjectaccessreviews`). */
  readonly subresource: string;
  /** Further apiVersions of the body that are taken for the expected one. */
  readonly acceptedVersions?: readonly string[];
  /** Defaults of the body. */
  applyDefaults?(object: KubeObject): void;
  /** 201 unless `status` says otherwise. A returned `Status` object is answered as such. */
  create(
    object: KubeObject,
    request: HandlerRequest,
  ): Promise<{ readonly object: KubeObject; readonly status?: number }>;
}

/** A subresource of another kind that is read and written (`scale`). */
export interface ProjectionHandler {
  readonly resource: GroupResource;
  readonly subresource: string;
  /** The projection of the parent (`Scale` of a Deployment). */
  project(parent: KubeObject): KubeObject;
  /**
   * Writes a changed projection into a copy of the parent; throws StatusError when it is invalid.
   */
  merge(projection: KubeObject, parent: KubeObject): KubeObject;
}

/** A resource that is made when somebody reads it, and never stored. */
export interface ReadHandler {
  readonly resource: GroupResource;
  list(): Promise<readonly KubeObject[]>;
  /** Throws when there is no such object. */
  get(name: string): Promise<KubeObject>;
}

/** A subresource that takes over the connection or proxies (`exec`, `log`, `proxy`). */
export interface ConnectHandler {
  readonly resource: GroupResource;
  readonly subresource: string;
  /** What the caller must be allowed besides the verb of the request; throws. Runs first. */
  authorize?(request: HandlerRequest): Promise<void>;
  connect(request: HandlerRequest): Promise<void>;
}
