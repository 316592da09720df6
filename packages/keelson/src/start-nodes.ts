// Starts simulated nodes beside a server: what they write, each writes as itself, and they learn of
// their pods from one watch for all.
//
// SECURITY: that watch reads pods and nodes with the rights of the scheduler, which may read no
// secrets; ConfigMaps and Secrets a node reads as itself, and gets those of its own pods only.

import { formatGroupResource, type Clock, type Random } from '@keelson/apimachinery';
import type { Features, Logger, ServeRequest } from '@keelson/apiserver';
import { createInformers } from '@keelson/client';
import {
  defaultNodeShape,
  noNodeRules,
  startSimulatedNodes,
  type NodeRules,
} from '@keelson/node-agent';
import { createInProcessClient, type UserSpec } from './in-process-client.ts';

/** Which nodes a cluster simulates. */
export interface NodesSettings {
  readonly count: number;
  readonly rules?: NodeRules;
}

export interface StartNodesOptions extends NodesSettings {
  readonly serve: ServeRequest;
  readonly features: Features;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface RunningNodes {
  stop(): void;
}

const namePrefix = 'node';
const reader: UserSpec = { name: 'system:kube-scheduler' };
const nodeUser = (name: string): UserSpec => ({
  name: `system:node:${name}`,
  groups: ['system:nodes'],
});
/** COMPAT: its first word is the field manager of what kubelets write. */
const userAgent = 'kubelet';
const kubeletPort = 10_250;

/** Resolves when the nodes are registered; a cluster whose nodes cannot be goes on without. */
export async function startNodes(options: StartNodesOptions): Promise<RunningNodes> {
  const { serve, clock, random, logger, features, count, rules = noNodeRules } = options;
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
    count,
    namePrefix,
    shape: defaultNodeShape,
    rules,
    clientOf: (name) => clientOf(nodeUser(name)),
    informers,
    clock,
    random,
    features,
    kubeletPort,
    warn: (message, fields) => logger.warn(message, fields),
  });
  await nodes.registered.catch((error: unknown) =>
    logger.error('nodes cannot be registered', { error: textOf(error) }),
  );
  return {
    stop() {
      stop.abort(new Error('the nodes are being stopped'));
      nodes.close();
      readingClient.close();
    },
  };
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
