// Streams over one connection, as exec, attach and port-forward use them: SPDY/3.1, and the names
// of the protocols that are spoken over it and over WebSockets.

export { createSpdyConnection } from './spdy-connection.ts';
export type { SpdyConnection, SpdyConnectionOptions } from './spdy-connection.ts';
export type { SpdyStream } from './spdy-stream.ts';
export type { SpdyHeaders } from './header-block.ts';
export {
  commandChannels,
  negotiateProtocol,
  portForwardProtocol,
  protocolVersionHeader,
  remoteCommandProtocols,
  spdyUpgrade,
  streamCloseProtocol,
  tellsSizes,
  tellsStatus,
  tunnelledProtocols,
  tunnelProtocolOf,
} from './stream-protocols.ts';
