// port-forward for a client that carries SPDY through a WebSocket and a kubelet that speaks SPDY
// (KEP-4006): the kubelet is asked first, then the client gets its WebSocket, with the protocol
// that the kubelet chose, and from there on bytes are carried both ways, unread.

import { statusErrors } from '@keelson/apimachinery';
import { tunnelProtocolOf } from '@keelson/apimachinery/streaming';
import type { RequestContext } from '../../request-context.ts';
import { passRefusal, type ProxyTarget } from '../../transport/reverse-proxy.ts';
import { chosenProtocol, dialSpdy, speaksSpdy } from '../../transport/spdy-dial.ts';
import { joinStreams } from '../../transport/splice-connections.ts';
import { acceptStreamSocket, loadWebSockets, streamOfSocket } from '../../transport/websocket.ts';

/**
 * Resolves with the status that the client got, when the connection is over. Rejects with a
 * StatusError when nothing was answered.
 */
export async function tunnelStream(
  context: RequestContext,
  target: ProxyTarget,
  protocols: readonly string[],
): Promise<number> {
  await loadWebSockets();
  const answer = await dialSpdy(context, target, protocols);
  if (answer.upgraded === undefined) {
    await passRefusal(context, target, answer);
    return context.response.status;
  }
  const { socket: behind, head } = answer.upgraded;
  behind.on('error', () => {});
  if (!speaksSpdy(answer)) {
    behind.destroy();
    const why = 'unable to upgrade: missing upgrade headers in response';
    throw statusErrors.generic(500, '', why);
  }
  const chosen = chosenProtocol(answer);
  const client = acceptStreamSocket(context, chosen && tunnelProtocolOf(chosen));
  if (client === undefined) {
    behind.destroy();
    return context.response.status;
  }
  const front = streamOfSocket(client);
  if (head.byteLength > 0) front.write(head);
  await joinStreams(front, behind);
  return 101;
}
