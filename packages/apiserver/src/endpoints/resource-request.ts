// A request for a resource, resolved: which endpoint, which object, what the verbs need. Made by
// the router, used by every verb.

import type { Clock, KubeObject } from '@keelson/apimachinery';
import type {
  AdmissionAttributes,
  AdmissionChain,
  AdmissionOperation,
} from '../admission/admission.ts';
import type { ServerLimits } from '../config.ts';
import type { Features } from '../features/features.ts';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import type { RequestContext } from '../request-context.ts';
import type { StoredEntry } from '../storage/storage.ts';
import type { RevisionWaits } from './revision-waits.ts';

export interface EndpointServices {
  readonly admission: AdmissionChain;
  readonly clock: Clock;
  readonly features: Features;
  readonly limits: ServerLimits;
  readonly revisionWaits: RevisionWaits;
  /** Aborted when the server shuts down; watches end then. */
  readonly shutdown: AbortSignal;
  /** Random number in [0, 1), to spread the ends of watches. */
  readonly jitter: () => number;
}

export interface ResourceRequest {
  readonly context: RequestContext;
  readonly endpoint: ResourceEndpoint;
  readonly services: EndpointServices;
  readonly namespace: string;
  /** Empty for collections. */
  readonly name: string;
  readonly subresource: string;
}

/** Waits for the revision that a client wants to see, if it is one, for as long as one does. */
export function untilRevision(
  { context, services }: ResourceRequest,
  resourceVersion: string,
): Promise<void> {
  const revision = /^\d+$/.test(resourceVersion) ? Number(resourceVersion) : 0;
  return services.revisionWaits.until(revision, context.signal);
}

/** The object in the served version. */
export function toServed(
  endpoint: ResourceEndpoint,
  object: KubeObject,
): KubeObject | Promise<KubeObject> {
  return endpoint.conversion === undefined ? object : endpoint.conversion.fromStored(object);
}
export function toStored(
  endpoint: ResourceEndpoint,
  object: KubeObject,
): KubeObject | Promise<KubeObject> {
  return endpoint.conversion === undefined ? object : endpoint.conversion.toStored(object);
}

export interface AdmissionSubject {
  readonly operation: AdmissionOperation;
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  readonly dryRun: boolean;
  readonly options: KubeObject | undefined;
}

export function admissionAttributes(
  request: ResourceRequest,
  subject: AdmissionSubject,
): AdmissionAttributes {
  const { context, endpoint } = request;
  const definition = endpoint.definition;
  const sub = definition.subresources.find((s) => s.name === request.subresource);
  return {
    operation: subject.operation,
    gvr: definition,
    gvk: sub === undefined || sub.gvk.kind === definition.kind ? definition : sub.gvk,
    subresource: request.subresource,
    namespace: request.namespace,
    name: request.name !== '' ? request.name : (subject.object?.metadata?.name ?? ''),
    user: context.user,
    dryRun: subject.dryRun,
    options: subject.options,
    object: subject.object,
    oldObject: subject.oldObject,
    trace: context.trace,
    signal: context.signal,
    warn: (text) => context.warn(text),
    annotate: (key, value) => context.annotate(key, value),
  };
}

/** The entry of an object, when its bytes can be sent as they are. */
export function sendableEntry(
  endpoint: ResourceEndpoint,
  entry: StoredEntry | undefined,
): StoredEntry | undefined {
  return endpoint.conversion === undefined ? entry : undefined;
}
