// The one place that writes answers: objects, lists, tables and `Status`. Stored objects are
// written from bytes that were encoded once.

import { encodeJson, type KubeObject, type Status } from '@keelson/apimachinery';
import type { RequestContext } from '../request-context.ts';
import type { OutputFormat } from './negotiation.ts';
import { negotiateStatus } from './negotiation.ts';
import { encodeOutput } from './encoding.ts';

export function respondStatus(context: RequestContext, status: Status): void {
  const code = status.code ?? 200;
  const retryAfter = status.details?.retryAfterSeconds;
  if (retryAfter !== undefined) context.response.setHeader('retry-after', String(retryAfter));
  respondObject(context, status as unknown as KubeObject, code, negotiateStatus(context));
}

/** Writes a whole object in the negotiated form. */
export function respondObject(
  context: RequestContext,
  object: KubeObject,
  code: number,
  format: OutputFormat,
): void {
  if (format.mediaType === 'application/json' && !format.pretty)
    return respondBytes(context, encodeJson(object), code, 'application/json');
  respondBytes(context, encodeOutput(object, format), code, format.mediaType);
}

export function respondBytes(
  context: RequestContext,
  body: Uint8Array,
  code: number,
  contentType: string,
): void {
  const { response } = context;
  startResponse(context, code, contentType);
  // Go's JSON encoder ends every document with a line feed.
  const whole =
    contentType.startsWith('application/json') && body.at(-1) !== lineFeed
      ? Buffer.concat([body, lineFeedBytes])
      : body;
  response.setHeader('content-length', String(whole.byteLength));
  if (context.request.method === 'HEAD') response.end();
  else response.end(whole);
}

const lineFeed = 0x0a;
const lineFeedBytes = Buffer.from([lineFeed]);

export function respondText(context: RequestContext, text: string, code = 200): void {
  const { response } = context;
  startResponse(context, code, 'text/plain; charset=utf-8');
  response.setHeader('x-content-type-options', 'nosniff');
  if (context.request.method === 'HEAD') response.end();
  else response.end(text);
}

/** Status line and the headers that every answer has. */
export function startResponse(context: RequestContext, code: number, contentType: string): void {
  const { response } = context;
  response.status = code;
  if (contentType !== '') response.setHeader('content-type', contentType);
  response.setHeader('cache-control', 'no-cache, private');
  if (context.warnings.length > 0)
    response.setHeader('warning', context.warnings.map(warningHeader));
}

/** RFC 7234 §5.5: code 299, no agent, quoted text. */
function warningHeader(text: string): string {
  return `299 - "${text.replaceAll(/[\\"]/g, '\\$&')}"`;
}
