// What becomes of a webhook that refuses, and of one that could not be asked.
//
//   refused        the webhook's own status, its message behind "admission webhook … denied the request"
//   not asked      500, unless its failure policy is Ignore
//   broken patch   500, whatever its failure policy is

import { StatusError, statusErrors, type Status } from '@keelson/apimachinery';
import type { AdmissionResponse } from '@keelson/apimachinery/types/admission.k8s.io.v1';

const unavailable = 503;

/** The webhook gave no answer that can be used; its failure policy decides. */
export class WebhookCallError extends Error {
  /** HTTP status of what went wrong; only metrics tell it. */
  readonly code: number;
  constructor(message: string, options: { readonly cause?: unknown; readonly code?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = 'WebhookCallError';
    this.code = options.code || unavailable;
  }
}

/** The webhook refuses; `answer` is what the client is told. */
export class WebhookDenial extends Error {
  readonly answer: StatusError;
  constructor(answer: StatusError) {
    super(answer.message);
    this.name = 'WebhookDenial';
    this.answer = answer;
  }
}

/** COMPAT: a refusal is never below 400 and never a success, whatever the webhook says. */
export function deniedBy(webhook: string, given: AdmissionResponse['status']): StatusError {
  const status: Partial<NonNullable<typeof given>> = given ?? {};
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const why = status.message || status.reason;
  const code = status.code ?? 0;
  return new StatusError({
    ...status,
    kind: 'Status',
    apiVersion: 'v1',
    metadata: status.metadata ?? {},
    status: !status.status || status.status === 'Success' ? 'Failure' : status.status,
    message: why ? `${denied}: ${why}` : `${denied} without explanation`,
    code: code < 400 ? 400 : code,
  } as Status);
}

export function callFailed(webhook: string, error: WebhookCallError): StatusError {
  return statusErrors.internalError(
    `failed calling webhook ${JSON.stringify(webhook)}: ${error.message}`,
  );
}

/** The whole request ran out of time while a webhook was being asked. */
export function requestTimedOut(): StatusError {
  return statusErrors.timeout('request did not complete within requested timeout');
}
