// All simulated nodes of a process: one set of informers tells every node of its pods, one
// timetable wakes them, and each writes as itself.

import type { Clock, KubeObject, Random } from '@keelson/apimachinery';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { CSIDriver } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Client, Informer, Informers } from '@keelson/client';
import { isFileSystemResizePending, usesClaim } from '@keelson/controllers';
import { crashBackoffs } from './crash-backoff.ts';
import type { DescribedNode } from './described-node.ts';
import { kubeletTexts } from './kubelet-texts.ts';
import type { NodeRules } from './node-rules.ts';
import type { StorageLookup } from './node-storage.ts';
import { annotationProblems } from './node-rules.ts';
import { nodeAbilities } from './node-abilities.ts';
import { nodeAddress, nodeIndexOf, nodesMax } from './pod-addresses.ts';
import type { PodRecord } from './pod-record.ts';
import { createSimulatedNode, type SimulatedNode } from './simulated-node.ts';
import { createTimetable } from './timetable.ts';

export interface SimulatedNodesOptions {
  /** In the order of their addresses. */
  readonly described: readonly DescribedNode[];
  readonly rules: NodeRules;
  /** Acts as this node. Closed with the nodes. */
  readonly clientOf: (nodeName: string) => Client;
  /** Reads pods, nodes, claims, volumes and CSI drivers. */
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  /** What the release can do. */
  readonly features: {
    readonly emulated: { readonly minor: number };
    enabled(gate: string): boolean;
  };
  readonly kubeletPort: number;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface SimulatedNodes {
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  /** As the informer has it. */
  nodeObject(name: string): Node | undefined;
  /** Whether pods of these nodes have such an address, and which one has it now. */
  podAt(address: string): { readonly record: PodRecord | undefined } | undefined;
  /** Resolves when every node is registered. Rejects when one cannot be. */
  readonly registered: Promise<void>;
  close(): void;
}

/** Nodes that register at the same time. */
const registrationsMax = 32;

export function startSimulatedNodes(options: SimulatedNodesOptions): SimulatedNodes {
  const { described, informers, clock } = options;
  if (described.length > nodesMax)
    throw new RangeError(`from 0 to ${nodesMax} nodes can be simulated`);
  const timetable = createTimetable(clock);
  const podObjects = informers.informer<KubeObject>(core('pods'));
  const nodeObjects = informers.informer<KubeObject>(core('nodes'));
  const claims = informers.informer<PersistentVolumeClaim>(core('persistentvolumeclaims'));
  const volumes = informers.informer<PersistentVolume>(core('persistentvolumes'));
  const drivers = informers.informer<CSIDriver>({
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'csidrivers',
  });
  const storage: StorageLookup = {
    claim: (namespace, name) => claims.store.get(namespace, name),
    volume: (name) => volumes.store.get('', name),
    driver: (name) => drivers.store.get('', name),
  };
  const nodeObject = (name: string) =>
    nodeObjects.store.get('', name) as unknown as Node | undefined;
  const clients: Client[] = [];
  const nodes = new Map<string, SimulatedNode>();
  for (const [at, { name, shape }] of described.entries()) {
    const client = options.clientOf(name);
    clients.push(client);
    const current = () => nodeObject(name);
    const one = { name, shape, index: at + 1, client, current, timetable, storage };
    nodes.set(name, createNode(options, one));
  }
  const registered = registerAll(options, nodes).then(() => {
    nodeObjects.addHandler({
      onUpdate: (node) => nodes.get(node.metadata.name ?? '')?.update(node as unknown as Node),
      onDelete: (node) => nodes.get(node.metadata.name ?? '')?.remove(),
    });
    podObjects.addHandler(podHandler(nodes, options));
    claims.addHandler(claimHandler(nodes, podObjects));
  });
  return {
    nodes,
    nodeObject,
    podAt(address) {
      const name = described[(nodeIndexOf(address) ?? 0) - 1]?.name ?? '';
      const pods = nodes.get(name)?.pods.list();
      return pods && { record: pods.find(({ podIp }) => podIp === address) };
    },
    registered,
    close() {
      timetable.close();
      for (const client of clients) client.close();
    },
  };
}

const core = (resource: string) => ({ group: '', version: 'v1', resource });

interface OneNode extends DescribedNode {
  readonly index: number;
  readonly client: Client;
  readonly current: () => Node | undefined;
  readonly timetable: ReturnType<typeof createTimetable>;
  readonly storage: StorageLookup;
}

function createNode(options: SimulatedNodesOptions, one: OneNode): SimulatedNode {
  const { features, clock, random, rules, kubeletPort, warn } = options;
  const { minor } = features.emulated;
  const { name, shape, index } = one;
  const abilities = nodeAbilities((gate) => features.enabled(gate));
  return createSimulatedNode({
    ...one,
    identity: { name, address: nodeAddress(index), kubeletPort, minor, shape, abilities },
    clock,
    random,
    rules,
    warn,
    texts: kubeletTexts(minor),
    crashBackoff: features.enabled('ReduceDefaultCrashLoopBackOffDecay')
      ? crashBackoffs.reduced
      : crashBackoffs.usual,
    gates: {
      hasReadyToStart: features.enabled('PodReadyToStartContainersCondition'),
      hasObservedGeneration: features.enabled('PodObservedGenerationTracking'),
      hasResize: features.enabled('InPlacePodVerticalScaling'),
      hasMounts: features.enabled('RecursiveReadOnlyMounts'),
      hasUser: features.enabled('SupplementalGroupsPolicy'),
    },
  });
}

async function registerAll(
  { informers }: SimulatedNodesOptions,
  nodes: ReadonlyMap<string, SimulatedNode>,
): Promise<void> {
  await informers.synced();
  const waiting = nodes.values();
  const worker = async () => {
    for (const node of waiting) await node.register();
  };
  await Promise.all(Array.from({ length: registrationsMax }, worker));
}

/** A pod belongs to the node that it names, from the moment on when it names one. */
function podHandler(
  nodes: ReadonlyMap<string, SimulatedNode>,
  { warn }: Pick<SimulatedNodesOptions, 'warn'>,
) {
  const nodeOf = (object: KubeObject) => nodes.get((object as unknown as Pod).spec?.nodeName ?? '');
  const update = (object: KubeObject, old?: KubeObject) => {
    const node = nodeOf(object);
    if (node === undefined) return;
    const pod = object as unknown as Pod;
    const isNew = old === undefined || nodeOf(old) === undefined;
    for (const problem of isNew ? annotationProblems(pod) : [])
      warn('an annotation of a pod is not understood', {
        pod: `${pod.metadata?.namespace}/${pod.metadata?.name}`,
        problem,
      });
    node.pods.update(pod);
  };
  return {
    onAdd: (object: KubeObject) => update(object),
    onUpdate: update,
    onDelete: (object: KubeObject) => nodeOf(object)?.pods.remove(object as unknown as Pod),
  };
}

/** The nodes of its pods have to finish what was begun with the volume of a claim. */
function claimHandler(
  nodes: ReadonlyMap<string, SimulatedNode>,
  pods: Pick<Informer<KubeObject>, 'store'>,
) {
  const update = (claim: PersistentVolumeClaim) => {
    if (!isFileSystemResizePending(claim)) return;
    const { namespace = '', name = '' } = claim.metadata;
    for (const object of pods.store.list(namespace)) {
      const pod = object as unknown as Pod;
      const node = nodes.get(pod.spec?.nodeName ?? '');
      if (node !== undefined && usesClaim(pod, name)) node.pods.updateClaim(pod);
    }
  };
  return { onAdd: update, onUpdate: update };
}
