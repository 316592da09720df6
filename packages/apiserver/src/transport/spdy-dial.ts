// Asks a server behind to speak SPDY, whatever the client speaks that is to be joined with it.

import { protocolVersionHeader, spdyUpgrade } from '@keelson/apimachinery/streaming';
import type { RequestContext } from '../request-context.ts';
import { forwardedRequestHeaders } from './forwarded-headers.ts';
import { formatAddress, type OutboundAnswer } from './outbound.ts';
import { callBehind, type ProxyTarget } from './reverse-proxy.ts';

/**
 * With the first of these protocols that the server knows. Rejects with a StatusError when the
 * server cannot be reached (503).
 */
export function dialSpdy(
  context: RequestContext,
  target: ProxyTarget,
  protocols: readonly string[],
): Promise<OutboundAnswer> {
  const headers = Object.entries(forwardedRequestHeaders(context.request)).filter(
    ([name]) => !name.startsWith('sec-websocket-') && !bodyHeaders.has(name),
  );
  return callBehind(context, target, {
    method: 'POST',
    headers: {
      ...Object.fromEntries(headers),
      host: formatAddress(target.address),
      connection: 'Upgrade',
      upgrade: spdyUpgrade,
      [protocolVersionHeader.toLowerCase()]: [...protocols],
      'content-length': '0',
    },
  });
}
const bodyHeaders: ReadonlySet<string> = new Set(['content-length', 'content-type']);

export function speaksSpdy({ message }: OutboundAnswer): boolean {
  return (message.headers.upgrade ?? '').toLowerCase() === spdyUpgrade.toLowerCase();
}

/** The protocol that the server chose, if it named one. */
export function chosenProtocol({ message }: OutboundAnswer): string | undefined {
  const chosen = message.headers[protocolVersionHeader.toLowerCase()];
  return typeof chosen === 'string' ? chosen : undefined;
}
