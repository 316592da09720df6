// Kubernetes' `Status` and the only ways to make one. Every error that the API may answer is a
// `StatusError` made by one of the functions below, so reasons, codes and texts stand in one place.
// Texts are those of k8s.io/apimachinery/pkg/api/errors. COMPAT: clients match on them.

import {
  formatGroupKind,
  formatGroupResource,
  type GroupKind,
  type GroupResource,
} from '../meta/group-version.ts';
import { renderFieldError, renderFieldErrorBody, type FieldError } from './field-error.ts';

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}
export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string };
  status: 'Failure' | 'Success';
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code?: number;
}

export class StatusError extends Error {
  readonly status: Status;
  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? '', options);
    this.name = 'StatusError';
    this.status = status;
  }
  get code(): number {
    return this.status.code ?? 500;
  }
  get reason(): string {
    return this.status.reason ?? '';
  }
}

export function isStatusError(e: unknown, reason?: string): e is StatusError {
  return e instanceof StatusError && (reason === undefined || e.reason === reason);
}

function failure(
  code: number,
  reason: string,
  message: string,
  details?: StatusDetails,
): StatusError {
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
  };
  if (reason !== '') status.reason = reason;
  if (details) status.details = pruneDetails(details);
  status.code = code;
  return new StatusError(status);
}
function pruneDetails(d: StatusDetails): StatusDetails {
  const out: StatusDetails = {};
  if (d.name) out.name = d.name;
  if (d.group) out.group = d.group;
  if (d.kind) out.kind = d.kind;
  if (d.uid) out.uid = d.uid;
  if (d.causes && d.causes.length > 0) out.causes = d.causes;
  if (d.retryAfterSeconds) out.retryAfterSeconds = d.retryAfterSeconds;
  return out;
}
const about = (gr: GroupResource, name: string): StatusDetails => ({
  name,
  group: gr.group,
  kind: gr.resource,
});

export const statusErrors = {
  badRequest: (message: string) => failure(400, 'BadRequest', message),
  unauthorized: (message = 'Unauthorized') => failure(401, 'Unauthorized', message),
  forbidden: (gr: GroupResource, name: string, why: string) =>
    failure(
      403,
      'Forbidden',
      gr.resource === '' && gr.group === ''
        ? `forbidden: ${why}`
        : name === ''
          ? `${formatGroupResource(gr)} is forbidden: ${why}`
          : `${formatGroupResource(gr)} ${JSON.stringify(name)} is forbidden: ${why}`,
      about(gr, name),
    ),
  notFound: (gr: GroupResource, name: string) =>
    failure(
      404,
      'NotFound',
      `${formatGroupResource(gr)} ${JSON.stringify(name)} not found`,
      about(gr, name),
    ),
  /** For URLs and methods that mean nothing here. */
  pageNotFound: () =>
    failure(404, 'NotFound', 'the server could not find the requested resource', {}),
  alreadyExists: (gr: GroupResource, name: string) =>
    failure(
      409,
      'AlreadyExists',
      `${formatGroupResource(gr)} ${JSON.stringify(name)} already exists`,
      about(gr, name),
    ),
  generateNameConflict: (gr: GroupResource, name: string, retryAfterSeconds: number) =>
    failure(
      409,
      'AlreadyExists',
      `${formatGroupResource(gr)} ${JSON.stringify(name)} already exists, the server was not able to generate a unique name for the object`,
      {
        ...about(gr, name),
        retryAfterSeconds,
      },
    ),
  conflict: (gr: GroupResource, name: string, why: string) =>
    failure(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${formatGroupResource(gr)} ${JSON.stringify(name)}: ${why}`,
      about(gr, name),
    ),
  /** Server-side apply conflicts: one cause per field. */
  applyConflict: (causes: StatusCause[], message: string) =>
    failure(409, 'Conflict', message, { causes }),
  gone: (message: string) => failure(410, 'Gone', message),
  expired: (message: string) => failure(410, 'Expired', message),
  methodNotSupported: (gr: GroupResource, action: string) =>
    failure(
      405,
      'MethodNotAllowed',
      `${action} is not supported on resources of kind ${JSON.stringify(formatGroupResource(gr))}`,
      {
        group: gr.group,
        kind: gr.resource,
      },
    ),
  notAcceptable: (message: string) => failure(406, 'NotAcceptable', message),
  unsupportedMediaType: (message: string) => failure(415, 'UnsupportedMediaType', message),
  requestEntityTooLarge: (message: string) => failure(413, 'RequestEntityTooLarge', message),
  invalid: (gk: GroupKind, name: string, errors: readonly FieldError[]) => {
    const texts = [...new Set(errors.map(renderFieldError))];
    const list =
      texts.length === 0 ? '<nil>' : texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
    return failure(
      422,
      'Invalid',
      `${formatGroupKind(gk)} ${JSON.stringify(name)} is invalid: ${list}`,
      {
        name,
        group: gk.group,
        kind: gk.kind,
        causes: errors.map((e) => ({
          reason: e.type,
          message: renderFieldErrorBody(e),
          field: e.path,
        })),
      },
    );
  },
  tooManyRequests: (message: string, retryAfterSeconds: number) =>
    failure(429, 'TooManyRequests', message, { retryAfterSeconds }),
  internalError: (message: string) =>
    failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }),
  serviceUnavailable: (message: string) => failure(503, 'ServiceUnavailable', message),
  timeout: (message: string, retryAfterSeconds = 0) =>
    failure(504, 'Timeout', `Timeout: ${message}`, { retryAfterSeconds }),
  /** Any other code, reason and text; for the few answers that fit none above. */
  generic: (code: number, reason: string, message: string, details?: StatusDetails) =>
    failure(code, reason, message, details),
} as const;
