// How many streams of exec, attach and port-forward there were, by what became of them (KEP-4006).

import type { Metrics } from '../../metrics.ts';

export interface StreamMetrics {
  /** exec or attach was translated; `code` is how that ended. */
  translated(code: number): void;
  /** SPDY was tunnelled for port-forward. */
  tunnelled(code: number): void;
  /** A WebSocket was handed to the kubelet as it was, or not. */
  webSocket(subresource: string, isPassedOn: boolean): void;
}

export function createStreamMetrics(metrics: Metrics): StreamMetrics {
  const translator = metrics.counter(
    'apiserver_stream_translator_requests_total',
    'Total number of requests that were handled by the StreamTranslatorProxy, which processes streaming RemoteCommand/V5',
  );
  const tunnel = metrics.counter(
    'apiserver_stream_tunnel_requests_total',
    'Total number of requests that were handled by the StreamTunnelProxy, which processes streaming PortForward/V2',
  );
  const webSockets = metrics.counter(
    'apiserver_websocket_streaming_requests_total',
    'Total number of WebSocket streaming requests (exec/attach/portforward) routed by the API server, labeled by subresource and proxy_type. proxy_type is proxied_to_kubelet when the kubelet handles the request directly; otherwise translated_at_apiserver.',
  );
  return {
    translated: (code) => translator.add({ code: String(code) }),
    tunnelled: (code) => tunnel.add({ code: String(code) }),
    webSocket: (subresource, isPassedOn) =>
      webSockets.add({
        subresource,
        proxy_type: isPassedOn ? 'proxied_to_kubelet' : 'translated_at_apiserver',
      }),
  };
}
