// The names under which exec, attach and port-forward agree on how they speak, over SPDY (header
// `X-Stream-Protocol-Version`) and over WebSockets (subprotocols; KEP-4006), and how they agree.

/** In `Upgrade`. */
export const spdyUpgrade = 'SPDY/3.1';
export const protocolVersionHeader = 'X-Stream-Protocol-Version';
const acceptedVersionsHeader = 'X-Accepted-Stream-Protocol-Versions';

/** Of exec and attach. With v5 a channel of a WebSocket can be closed. */
export const remoteCommandProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
] as const;
/** Whether the end is told as a Status; before v4 it is the message of what failed. */
export const tellsStatus = (protocol: string): boolean => /^v[45]\./.test(protocol);
/** Whether there is a stream for the sizes of a terminal. */
export const tellsSizes = (protocol: string): boolean => /^v[345]\./.test(protocol);
export const streamCloseProtocol = 'v5.channel.k8s.io';
export const portForwardProtocol = 'portforward.k8s.io';
/** Of a WebSocket that carries a SPDY connection, before the protocol of that. */
const tunnelPrefix = `${spdyUpgrade}+`;

/** First byte of a WebSocket's messages of exec and attach; after `close` (v5) comes a channel. */
export const commandChannels = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  error: 3,
  resize: 4,
  close: 255,
} as const;

/** The subprotocol of a WebSocket that carries SPDY of this protocol. */
export const tunnelProtocolOf = (spdyProtocol: string): string => `${tunnelPrefix}${spdyProtocol}`;

/** Protocols of SPDY that a WebSocket's client would carry over it. */
export function tunnelledProtocols(offered: readonly string[]): string[] {
  return offered
    .filter((text) => text.startsWith(tunnelPrefix) && text.endsWith('.k8s.io'))
    .map((text) => text.slice(tunnelPrefix.length));
}

export interface NegotiationProblem {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The first that the client offers and the server knows. */
export function negotiateProtocol(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  known: readonly string[],
): string | NegotiationProblem {
  const lines = headers[protocolVersionHeader.toLowerCase()];
  const refused = (status: number, why: string, more = {}): NegotiationProblem => ({
    status,
    text: `unable to upgrade: ${why}`,
    headers: more,
  });
  if (lines === undefined) {
    const { host: _host, ...counted } = headers;
    const count = Object.keys(counted).length;
    return refused(
      400,
      `header ${protocolVersionHeader} does not exist in request with ${count} headers`,
    );
  }
  const offered = [lines]
    .flat()
    .flatMap((line) => line.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (offered.length === 0) return refused(400, `header ${protocolVersionHeader} is empty`);
  const chosen = offered.find((one) => known.includes(one));
  if (chosen !== undefined) return chosen;
  const lists = `client supports [${offered.join(' ')}], server accepts [${known.join(' ')}]`;
  return refused(403, `unable to negotiate protocol: ${lists}`, {
    [acceptedVersionsHeader]: known.join(', '),
  });
}
