// exec, attach, port-forward, log and proxy: the request is checked, the node or pod that serves it
// is found, and the two are joined.
//
// SECURITY: whoever upgrades a connection may write to it, whatever the method. A WebSocket begins
// with GET, so the verb `get` alone must not be enough (AuthorizePodWebsocketUpgradeCreatePermission;
// for nodes, where it runs commands in every pod, in every release).

import { statusErrors, type Clock, type Random } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { KeyPairPem } from '../../authentication/certificates/certificate-authority.ts';
import { attributesOf } from '../../authorization/attributes.ts';
import type { Authorizer } from '../../authorization/authorizer.ts';
import type { Features } from '../../features/features.ts';
import type { Metrics } from '../../metrics.ts';
import type { ObjectSources } from '../../object-sources.ts';
import { isUpgradeRequest } from '../../transport/forwarded-headers.ts';
import type { Route } from '../../transport/outbound.ts';
import type { ConnectHandler, HandlerRequest } from '../handlers.ts';
import { plainError } from '../storage-errors.ts';
import { createNodeConnections } from './node-connections.ts';
import { answerLog, checkLogOptions } from './pod-log.ts';
import { connectStream, type StreamSubresource } from './pod-streams.ts';
import { createProxyHandlers } from './proxies.ts';
import { createStreamMetrics } from './stream-metrics.ts';

export interface ConnectOptions {
  readonly sources: Pick<ObjectSources, 'pods' | 'nodes' | 'services' | 'endpointSlices'>;
  readonly random: Random;
  readonly features: Features;
  /** Asked a second time, for `create`. */
  readonly authorizer: Authorizer;
  /** What kubelets know the server by. */
  readonly kubeletClient?: () => KeyPairPem;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Where addresses of nodes and pods are reached, if not there. */
  readonly route?: Route;
}

const pods = { group: '', resource: 'pods' };

export function createConnectHandlers(options: ConnectOptions): readonly ConnectHandler[] {
  const { sources, features } = options;
  const nodes = createNodeConnections({ ...options, nodes: sources.nodes });
  const streams = { ...options, nodes, metrics: createStreamMetrics(options.metrics) };
  const podOf = ({ namespace, name }: HandlerRequest): Pod => {
    const pod = sources.pods.get(namespace, name) as unknown as Pod | undefined;
    if (pod === undefined) throw statusErrors.notFound(pods, name);
    return pod;
  };
  const stream = (subresource: StreamSubresource): ConnectHandler => ({
    resource: pods,
    subresource,
    authorize: (request) => requireCreate(request, options),
    async connect(request) {
      await request.validateAdmission({ metadata: {} });
      await connectStream(subresource, { pod: podOf(request), request }, streams);
    },
  });
  const log: ConnectHandler = {
    resource: pods,
    subresource: 'log',
    async connect(request) {
      checkLogOptions(request.context.info.query, request.name, features);
      await answerLog(podOf(request), request, nodes);
    },
  };
  const proxies = createProxyHandlers({ ...options, ...sources, nodes });
  return [
    stream('exec'),
    stream('attach'),
    stream('portforward'),
    log,
    ...proxies.map((proxy): ConnectHandler => ({
      ...proxy,
      async authorize(request) {
        if (!isUpgradeRequest(request.context.request)) return;
        await requireCreate(request, options, proxy.resource.resource === 'nodes');
      },
    })),
  ];
}

async function requireCreate(
  { context, name }: HandlerRequest,
  { authorizer, features }: ConnectOptions,
  inEveryRelease = false,
): Promise<void> {
  const { info, user, trace } = context;
  if (!inEveryRelease && !features.enabled('AuthorizePodWebsocketUpgradeCreatePermission')) return;
  if (info.verb === 'create') return;
  const attributes = attributesOf({ info: { ...info, verb: 'create' } });
  const { decision, reason, evaluationError } = await authorizer.authorize(user, attributes, trace);
  if (decision === 'allow') return;
  if (evaluationError !== undefined) throw plainError(evaluationError);
  const { group, resource } = info;
  throw statusErrors.forbidden({ group, resource }, name, reason);
}
