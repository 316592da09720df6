// Starts simulated nodes beside a server: what they write, each writes as itself, and they learn of
// their pods from one watch for all.
//
// SECURITY: that watch reads pods, nodes and what says where storage is with the rights of the
// scheduler, which may read no secrets; ConfigMaps and Secrets a node reads as itself, and gets
// those of its own pods only.

import { formatGroupResource, type Clock, type Random } from '@keelson/apimachinery';
import type { Features, Logger, ServeRequest } from '@keelson/apiserver';
import { createInformers, type Client } from '@keelson/client';
import {
  createPodPorts,
  defaultNodeShape,
  noNodeRules,
  openKubeletServer,
  startSimulatedNodes,
  type DescribedNode,
  type KubeletServer,
  type NodeRules,
  type SimulatedNodes,
} from '@keelson/node-agent';
import { createInProcessClient, type UserSpec } from './in-process-client.ts';
import { createKubeletGate } from './kubelet-gate.ts';
import {
  metricsAddress,
  metricsServerName,
  registerMetricsApi,
  unregisterMetricsApi,
} from './metrics-api.ts';
import type { NodeRoute } from './node-route.ts';
import type { Pki } from './pki.ts';

/** Which nodes a cluster simulates. */
export interface NodesSettings {
  /** `node-1`, `node-2` … */
  readonly count: number;
  /** Further ones, of any form. */
  readonly described?: readonly DescribedNode[];
  readonly rules?: NodeRules;
}

export interface StartNodesOptions extends NodesSettings {
  readonly serve: ServeRequest;
  readonly features: Features;
  readonly pki: Pki;
  /** Told where the addresses of the nodes are reached. */
  readonly route: NodeRoute;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface RunningNodes {
  stop(): void;
}

const namePrefix = 'node';
const reader: UserSpec = { name: 'system:kube-scheduler' };
/** Writes what the metrics API is registered with, and nothing else. */
const administrator: UserSpec = { name: 'system:apiserver', groups: ['system:masters'] };
const nodeUser = (name: string): UserSpec => ({
  name: `system:node:${name}`,
  groups: ['system:nodes'],
});
/** COMPAT: its first word is the field manager of what kubelets write. */
const userAgent = 'kubelet';
const kubeletPort = 10_250;
/** Of the one server for all nodes, and of who asks for reviews there. */
const kubeletName = 'simulated';

/** All that are to be simulated. A described one may take the place of a numbered one. */
export function allNodes({ count, described = [] }: NodesSettings): DescribedNode[] {
  if (!Number.isInteger(count) || count < 0)
    throw new RangeError('the number of nodes is a whole one, from 0 on');
  const numbered = Array.from({ length: count }, (_, at) => ({
    name: `${namePrefix}-${at + 1}`,
    shape: defaultNodeShape,
  }));
  return [...new Map([...numbered, ...described].map((node) => [node.name, node])).values()];
}

/** What an earlier run with nodes left behind that needs one of them to answer. */
export async function cleanUpAfterNodes({
  serve,
  clock,
  random,
}: Pick<StartNodesOptions, 'serve' | 'clock' | 'random'>): Promise<void> {
  const client = createInProcessClient({ serve, user: administrator, userAgent, clock, random });
  await unregisterMetricsApi(client);
  client.close();
}

/** Resolves when the nodes are registered; a cluster whose nodes cannot be goes on without. */
export async function startNodes(options: StartNodesOptions): Promise<RunningNodes> {
  const { serve, clock, random, logger, features, rules = noNodeRules } = options;
  const stop = new AbortController();
  const clientOf = (user: UserSpec) =>
    createInProcessClient({ serve, user, userAgent, clock, random });
  const readingClient = clientOf(reader);
  const informers = createInformers(
    {
      client: readingClient,
      clock,
      random,
      onError: (error, resource) =>
        logger.warn('nodes cannot watch', {
          resource: formatGroupResource(resource),
          error: textOf(error),
        }),
    },
    stop.signal,
  );
  const nodes = startSimulatedNodes({
    described: allNodes(options),
    rules,
    clientOf: (name) => clientOf(nodeUser(name)),
    informers,
    clock,
    random,
    features,
    kubeletPort,
    warn: (message, fields) => logger.warn(message, fields),
  });
  const reviewing = clientOf(nodeUser(kubeletName));
  const kubelet = await openKubelet(options, nodes, reviewing);
  await nodes.registered
    .then(() => registerMetricsApi(clientOf(administrator), options.pki.authority.certificatePem))
    .catch((error: unknown) =>
      logger.error('nodes cannot be registered', { error: textOf(error) }),
    );
  return {
    stop() {
      kubelet.close();
      reviewing.close();
      stop.abort(new Error('the nodes are being stopped'));
      nodes.close();
      readingClient.close();
    },
  };
}

async function openKubelet(
  { pki, route, clock, features, logger }: StartNodesOptions,
  { nodes, nodeObject, podAt }: SimulatedNodes,
  client: Client,
): Promise<KubeletServer> {
  const ports = createPodPorts();
  const serving = pki.authority.issueServing({
    commonName: nodeUser(kubeletName).name,
    dnsNames: [metricsServerName],
    ipAddresses: ['127.0.0.1'],
  });
  const server = await openKubeletServer({
    nodes,
    nodeObject,
    ports,
    clock,
    identity: { certificate: serving.certificatePem, key: serving.privateKeyPem },
    clientAuthorities: [pki.authority.certificatePem, pki.frontProxy.authorityPem],
    refusalOf: createKubeletGate({ pki, client, features, clock }),
    onError: (error) => logger.warn('a kubelet cannot answer', { error: textOf(error) }),
  });
  const hosts = [...nodes.values()].flatMap(({ name, address }) => [name, address]);
  route.leadToPods((address) => {
    const pod = podAt(address.host);
    const { record } = pod ?? {};
    const open = () => record && ports.connect(record, address.port);
    return pod && { ...address, open };
  });
  route.lead([...hosts, metricsAddress], kubeletPort, { host: '127.0.0.1', port: server.port });
  return server;
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
