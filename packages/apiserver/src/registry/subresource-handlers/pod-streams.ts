// exec, attach and port-forward: the connection is joined with one to the pod's kubelet, which the
// client then talks to. The kubelet's address for each:
//
//   /exec/NAMESPACE/POD/CONTAINER?command=…&input=1&output=1&error=1&tty=1
//   /attach/NAMESPACE/POD/CONTAINER?…
//   /portForward/NAMESPACE/POD?port=…
//
// What the client speaks is handed on as it is, but for newer WebSocket protocols, which kubelets
// learned in 1.36 and declare (ExtendWebSocketsToKubelet); the others are spoken to in SPDY.
//
//   exec, attach   v5.channel.k8s.io                TranslateStreamCloseWebsocketRequests
//   port-forward   SPDY/3.1+portforward.k8s.io      PortForwardWebsockets

import { isStatusError, statusErrors, type Clock } from '@keelson/apimachinery';
import { streamCloseProtocol, tunnelledProtocols } from '@keelson/apimachinery/streaming';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { offeredSubprotocols } from '../../authentication/websocket-token.ts';
import type { Features } from '../../features/features.ts';
import type { RequestContext } from '../../request-context.ts';
import { escapePath, proxyRequest, type ProxyTarget } from '../../transport/reverse-proxy.ts';
import { isWebSocketRequest } from '../../transport/websocket.ts';
import type { HandlerRequest } from '../handlers.ts';
import { plainError } from '../storage-errors.ts';
import type { NodeConnections } from './node-connections.ts';
import { containerOf } from './pod-container.ts';
import { isGiven } from './query-values.ts';
import type { StreamMetrics } from './stream-metrics.ts';
import { translateStream } from './stream-translator.ts';
import { tunnelStream } from './stream-tunnel.ts';

export type StreamSubresource = 'exec' | 'attach' | 'portforward';

/** What the kubelet calls it. */
const kubeletPaths = { exec: 'exec', attach: 'attach', portforward: 'portForward' } as const;
const kubeletFlags = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const;

export interface StreamOptions {
  readonly nodes: NodeConnections;
  readonly features: Features;
  readonly metrics: StreamMetrics;
  readonly clock: Clock;
}

export async function connectStream(
  subresource: StreamSubresource,
  { pod, request }: { readonly pod: Pod; readonly request: HandlerRequest },
  options: StreamOptions,
): Promise<void> {
  const { context } = request;
  const { query } = context.info;
  const { namespace = '', name = '' } = pod.metadata;
  const container =
    subresource === 'portforward' ? '' : `/${containerOf(pod, query.get('container') ?? '')}`;
  const nodeName = pod.spec?.nodeName ?? '';
  if (nodeName === '') throw statusErrors.badRequest(`pod ${name} does not have a host assigned`);
  const { client, address, declaredFeatures } = options.nodes.find(nodeName);
  const target = {
    client,
    address,
    protocol: 'https' as const,
    prefix: '',
    path: escapePath(`/${kubeletPaths[subresource]}/${namespace}/${name}${container}`),
    query: kubeletQuery(subresource, query),
  };
  const carry = carrierOf(subresource, context, { ...options, declaredFeatures });
  try {
    await carry(context, target);
  } catch (error) {
    if (!isStatusError(error, 'ServiceUnavailable')) throw error;
    const why = error.message.replace(/^error trying to reach service: /, '');
    throw plainError(`error dialing backend: ${why}`);
  }
}

type Carrier = (context: RequestContext, target: ProxyTarget) => Promise<void>;

const asItIs: Carrier = (context, target) =>
  proxyRequest(context, target, { refuseRedirects: true, upgradeRequired: true });

/** Who carries the streams, by what the client speaks and what the kubelet understands. */
function carrierOf(
  subresource: StreamSubresource,
  { request }: RequestContext,
  options: StreamOptions & { readonly declaredFeatures: readonly string[] },
): Carrier {
  const { features, metrics, clock, declaredFeatures } = options;
  if (!isWebSocketRequest(request)) return asItIs;
  const offered = offeredSubprotocols(request);
  const tunnelled = subresource === 'portforward' ? tunnelledProtocols(offered) : [];
  const isNewer =
    subresource === 'portforward'
      ? tunnelled.length > 0 && features.enabled('PortForwardWebsockets')
      : offered.includes(streamCloseProtocol) &&
        features.enabled('TranslateStreamCloseWebsocketRequests');
  const isUnderstood =
    features.enabled('ExtendWebSocketsToKubelet') &&
    declaredFeatures.includes('ExtendWebSocketsToKubelet');
  const isPassedOn = !isNewer || isUnderstood;
  metrics.webSocket(subresource, isPassedOn);
  if (isPassedOn) return asItIs;
  if (subresource === 'portforward')
    return counted(metrics.tunnelled, (context, target) =>
      tunnelStream(context, target, tunnelled),
    );
  return counted(metrics.translated, (context, target) => translateStream(context, target, clock));
}

/** `carry` resolves with the status that is counted. */
function counted(
  count: (code: number) => void,
  carry: (context: RequestContext, target: ProxyTarget) => Promise<number>,
): Carrier {
  return async (context, target) => {
    let code = 500;
    try {
      code = await carry(context, target);
    } finally {
      count(code);
    }
  };
}

function kubeletQuery(subresource: StreamSubresource, query: URLSearchParams): string {
  const params = new URLSearchParams();
  if (subresource === 'portforward') {
    const ports = query.getAll('ports').filter((port) => port !== '');
    if (ports.length > 0) params.set('port', ports.join(','));
  } else {
    for (const [flag, name] of Object.entries(kubeletFlags))
      if (isGiven(query, flag)) params.set(name, '1');
    if (subresource === 'exec')
      for (const command of query.getAll('command')) params.append('command', command);
  }
  params.sort();
  return params.size === 0 ? '' : `?${params.toString()}`;
}
