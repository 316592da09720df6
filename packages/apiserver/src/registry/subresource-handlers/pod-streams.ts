// exec, attach and port-forward: the connection is joined with one to the pod's kubelet, which the
// client then talks to. The kubelet's address for each:
//
//   /exec/NAMESPACE/POD/CONTAINER?command=…&input=1&output=1&error=1&tty=1
//   /attach/NAMESPACE/POD/CONTAINER?…
//   /portForward/NAMESPACE/POD?port=…

import { isStatusError, statusErrors } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { escapePath, proxyRequest } from '../../transport/reverse-proxy.ts';
import type { HandlerRequest } from '../handlers.ts';
import { plainError } from '../storage-errors.ts';
import type { NodeConnections } from './node-connections.ts';
import { containerOf } from './pod-container.ts';
import { isGiven } from './query-values.ts';

export type StreamSubresource = 'exec' | 'attach' | 'portforward';

/** What the kubelet calls it. */
const kubeletPaths = { exec: 'exec', attach: 'attach', portforward: 'portForward' } as const;
const kubeletFlags = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const;

export async function connectStream(
  subresource: StreamSubresource,
  { pod, request, nodes }: { pod: Pod; request: HandlerRequest; nodes: NodeConnections },
): Promise<void> {
  const { query } = request.context.info;
  const { namespace = '', name = '' } = pod.metadata;
  const container =
    subresource === 'portforward' ? '' : `/${containerOf(pod, query.get('container') ?? '')}`;
  const nodeName = pod.spec?.nodeName ?? '';
  if (nodeName === '') throw statusErrors.badRequest(`pod ${name} does not have a host assigned`);
  const { client, address } = nodes.find(nodeName);
  const target = {
    client,
    address,
    protocol: 'https' as const,
    prefix: '',
    path: escapePath(`/${kubeletPaths[subresource]}/${namespace}/${name}${container}`),
    query: kubeletQuery(subresource, query),
  };
  try {
    await proxyRequest(request.context, target, { refuseRedirects: true, upgradeRequired: true });
  } catch (error) {
    if (!isStatusError(error, 'ServiceUnavailable')) throw error;
    const why = error.message.replace(/^error trying to reach service: /, '');
    throw plainError(`error dialing backend: ${why}`);
  }
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
