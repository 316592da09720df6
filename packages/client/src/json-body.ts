// Bodies to values and back. Integers beyond 2^53 stay exact, as bigints, so that what was read can
// be written back.

import {
  encodeJson,
  isJsonObject,
  parseJson,
  StatusError,
  statusErrors,
  type Status,
  type StatusDetails,
} from '@keelson/apimachinery';
import type { TransportResponse } from './transport.ts';

// An integer that a number may not hold exactly has at least as many digits as 2^53.
const longInteger = /\d{16}/;

/** Throws a SyntaxError or DecodeError when it is no JSON. */
export function decodeJsonBody(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return longInteger.test(text) ? parseJson(text) : JSON.parse(text);
}

export function encodeJsonBody(value: unknown): Uint8Array {
  return encodeJson(value);
}

/** Whether a decoded value is a `Status`, which endpoints answer in place of an object. */
export function isStatus(value: unknown): value is Status {
  return isJsonObject(value) && value['kind'] === 'Status' && value['apiVersion'] === 'v1';
}

/** The error that an answer with a status of 300 or more stands for. */
export function toStatusError(response: TransportResponse, body: Uint8Array): StatusError {
  const status = decodeStatus(body);
  if (status !== undefined)
    return new StatusError({ ...status, code: status.code ?? response.status });
  const text = Buffer.from(body).toString('utf8').trim();
  const { reason, message } = unexpected[response.status] ?? {
    reason: 'Unknown',
    message: 'the server responded with an unknown status',
  };
  const details: StatusDetails =
    text === ''
      ? {}
      : { causes: [{ reason: 'UnexpectedServerResponse', message: text.slice(0, 2048) }] };
  return statusErrors.generic(response.status, reason, message, details);
}

function decodeStatus(body: Uint8Array): Status | undefined {
  try {
    const value = decodeJsonBody(body);
    return isStatus(value) ? value : undefined;
  } catch {
    // Proxies answer with pages of text; the HTTP status is what is left.
    return undefined;
  }
}

/** What client-go makes of answers without a Status, by HTTP status. */
const unexpected: Readonly<Record<number, { reason: string; message: string }>> = {
  400: { reason: 'BadRequest', message: 'the server rejected our request for an unknown reason' },
  401: {
    reason: 'Unauthorized',
    message: 'the server has asked for the client to provide credentials',
  },
  403: { reason: 'Forbidden', message: 'the server has refused the request' },
  404: { reason: 'NotFound', message: 'the server could not find the requested resource' },
  405: {
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
  },
  406: {
    reason: 'NotAcceptable',
    message: 'the server was unable to respond with a content type that the client supports',
  },
  409: { reason: 'Conflict', message: 'the server reported a conflict' },
  410: { reason: 'Gone', message: 'the requested version of the resource is gone' },
  413: { reason: 'RequestEntityTooLarge', message: 'the request entity is too large' },
  415: {
    reason: 'UnsupportedMediaType',
    message: 'the server does not support the media type of the request',
  },
  422: {
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
  },
  429: {
    reason: 'TooManyRequests',
    message: 'the server has received too many requests and has asked us to try again later',
  },
  500: {
    reason: 'InternalError',
    message: 'an error on the server has prevented the request from succeeding',
  },
  503: {
    reason: 'ServiceUnavailable',
    message: 'the server is currently unable to handle the request',
  },
  504: {
    reason: 'Timeout',
    message:
      'the server was unable to return a response in the time allotted, but may still be processing the request',
  },
};
