// One simulated node: registers itself, renews its lease, keeps its status, and leads its pods. All
// that it writes, it writes as `system:node:NAME`, so that the Node authorizer and NodeRestriction
// judge it as they judge a kubelet.

import type { Clock, JsonValue, Random } from '@keelson/apimachinery';
import type { Node, NodeStatus } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import { createEventRecorder, type EventRecorder } from '@keelson/controllers';
import type { CrashBackoff } from './crash-backoff.ts';
import type { KubeletTexts } from './kubelet-texts.ts';
import { createNodeEvents } from './node-events.ts';
import { createImageStore, type ImageStore } from './node-images.ts';
import { createNodeLease, leaseRenewMs } from './node-lease.ts';
import {
  isShuttingDown,
  isStopped,
  nodeObject,
  nodeStatus,
  pressuresOf,
  type NodeIdentity,
} from './node-object.ts';
import { createNodePods, hasEnded, type NodePods } from './node-pods.ts';
import { registerNode } from './node-registration.ts';
import type { NodeRules } from './node-rules.ts';
import { createNodeShutdown, type NodeShutdown } from './node-shutdown.ts';
import { createPodAddresses } from './pod-addresses.ts';
import { unattachedVolumesOf, type StorageLookup } from './node-storage.ts';
import type { ContainerRecord, PodRecord } from './pod-record.ts';
import { createReferenceReader } from './pod-references.ts';
import { createPreparedDevices, type PreparedDevices } from './prepared-devices.ts';
import type { StatusSettings } from './pod-status.ts';
import type { Timetable } from './timetable.ts';
import { createVolumeExpansion } from './volume-expansion.ts';
import { createVolumesInUse, type VolumesInUse } from './volumes-in-use.ts';

export interface SimulatedNodeOptions {
  readonly identity: NodeIdentity;
  /** Counts from 1; addresses follow from it. */
  readonly index: number;
  /** Acts as the node. Closed by whoever made it. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly timetable: Timetable;
  readonly rules: NodeRules;
  readonly texts: KubeletTexts;
  readonly crashBackoff: CrashBackoff;
  readonly gates: Omit<StatusSettings, 'hostIp' | 'images'>;
  /** The Node object as the informer has it. */
  readonly current: () => Node | undefined;
  readonly storage: StorageLookup;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface SimulatedNode {
  readonly name: string;
  readonly address: string;
  readonly pods: NodePods;
  readonly devices: Pick<PreparedDevices, 'calls' | 'inUse'>;
  /** Resolves when the Node object is there; rejects when the server refuses it. */
  register(): Promise<void>;
  /** Its object has changed. */
  update(node: Node): void;
  /** Its object is gone, and with it the machine. */
  remove(): void;
}

/** A status that has not changed is written again after that time, as kubelets do. */
const reportMs = 300_000;

export function createSimulatedNode(options: SimulatedNodeOptions): SimulatedNode {
  const { identity, index, client, clock, timetable } = options;
  const { name } = identity;
  const { events, shutdown, pods, ...parts } = createParts(options, () => isUp && report());
  const watchAttached = createAttachedWatch(() => pods.updateAttached());
  const lease = createNodeLease(client, name, () => clock.now());
  const keys = { lease: {}, status: {} };
  let isUp = false;
  let shown = '';

  const renew = () => {
    timetable.set(keys.lease, clock.now() + leaseRenewMs, renew);
    lease.renew(options.current()).catch(failing('a node cannot renew its lease', options));
  };
  const report = () => {
    timetable.set(keys.status, clock.now() + reportMs, report);
    const node = options.current();
    if (node === undefined) return;
    writeStatus(node, parts, options)
      .then((status) => events.conditions(node.status, status))
      .catch(failing('a node cannot write its status', options));
  };
  const setUp = (up: boolean) => {
    if (isUp === up) return;
    isUp = up;
    pods.pause(!up);
    if (up) {
      events.begin();
      return renew();
    }
    for (const key of Object.values(keys)) timetable.set(key, undefined, () => {});
  };

  return {
    name,
    address: identity.address,
    pods,
    devices: parts.devices,
    async register() {
      const node = await registerNode(client, nodeObject(identity, clock.now()));
      shown = stateOf(node);
      shutdown.look(node);
      events.schedulable(node, false);
      isUp = !isStopped(node);
      if (!isUp) return pods.pause(true);
      events.begin();
      await lease.renew(node);
      events.conditions(undefined, await writeStatus(node, parts, options));
      // Not all nodes in the same moment.
      const part = (index * golden) % 1;
      timetable.set(keys.lease, clock.now() + leaseRenewMs * part, renew);
      timetable.set(keys.status, clock.now() + reportMs * part, report);
    },
    update(node) {
      watchAttached(node);
      events.schedulable(node, isUp);
      const state = stateOf(node);
      if (state === shown) return;
      shown = state;
      shutdown.look(node);
      setUp(!isStopped(node));
      if (!isUp) return;
      pods.stepAll();
      report();
    },
    remove: () => setUp(false),
  };
}

/** Spreads numbers that count up evenly over a period. */
const golden = 0.618_033_988_75;

const attachedTo = (node: Node | undefined): ReadonlySet<string> =>
  new Set((node?.status?.volumesAttached ?? []).map(({ name }) => name));

function createAttachedWatch(onChange: () => void): (node: Node) => void {
  let before = '';
  return (node) => {
    const attached = [...attachedTo(node)].join();
    if (attached !== before) onChange();
    before = attached;
  };
}

/** What of a Node object changes how it behaves. */
const stateOf = (node: Node): string =>
  `${isStopped(node)} ${isShuttingDown(node)} ${[...pressuresOf(node)].join()}`;

function createParts(options: SimulatedNodeOptions, onVolumes: () => void) {
  const { clock, identity, storage } = options;
  const images = createImageStore();
  const recorder = recorderOf(options);
  const events = createNodeEvents(recorder, identity.name);
  const shutdown = createNodeShutdown(events, () => clock.now());
  const volumesInUse = createVolumesInUse(storage, onVolumes);
  const devices = createPreparedDevices();
  const pods = createPodsOf(options, { images, recorder, volumesInUse, shutdown, devices });
  return { images, volumesInUse, devices, events, shutdown, pods };
}

function recorderOf(options: SimulatedNodeOptions): EventRecorder {
  const { client, clock, identity } = options;
  const onError = failing('a node cannot write an event', options);
  return createEventRecorder({ client, clock, component: 'kubelet', host: identity.name, onError });
}

function failing(message: string, { identity, warn }: SimulatedNodeOptions) {
  return (error: unknown) => warn(message, { node: identity.name, error: textOf(error) });
}
const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

interface NodeParts {
  readonly images: ImageStore;
  readonly recorder: EventRecorder;
  readonly volumesInUse: VolumesInUse;
  readonly shutdown: NodeShutdown;
  readonly devices: PreparedDevices;
}

function createPodsOf(
  options: SimulatedNodeOptions,
  { images, recorder, volumesInUse, shutdown, devices }: NodeParts,
): NodePods {
  const { client, clock, identity, warn } = options;
  const now = () => clock.now();
  const expansion = createVolumeExpansion({
    ...options,
    nodeName: identity.name,
    recorder,
    onError: failing('a node cannot expand a volume', options),
  });
  return createNodePods({
    ...options,
    now,
    surroundings: {
      ...options,
      images,
      shutdownSince: shutdown.since,
      emit: (record, event, container) => recorder.record(aboutPod(record, container), event),
    },
    references: createReferenceReader({
      client,
      now,
      unattached: (pod) => unattachedVolumesOf(pod, options.storage, attachedTo(options.current())),
    }),
    addresses: createPodAddresses(options.index),
    devices,
    status: { ...options.gates, hostIp: identity.address, images },
    node: options.current,
    onStep(record) {
      volumesInUse.update(record);
      expansion.look(record);
      if (hasEnded(record)) devices.release(record.uid);
    },
    onRemoved(record) {
      volumesInUse.remove(record);
      devices.release(record.uid);
    },
    onError: (error, { metadata }) =>
      warn('a node cannot lead a pod', {
        node: identity.name,
        pod: `${metadata?.namespace}/${metadata?.name}`,
        error: textOf(error),
      }),
  });
}

async function writeStatus(
  node: Node,
  { images, volumesInUse }: Pick<NodeParts, 'images' | 'volumesInUse'>,
  { client, clock, identity }: SimulatedNodeOptions,
): Promise<Pick<NodeStatus, 'conditions'>> {
  const moment = {
    now: clock.now(),
    pressures: pressuresOf(node),
    isShuttingDown: isShuttingDown(node),
    before: node.status,
  };
  const inUse = volumesInUse.names();
  const status = {
    ...nodeStatus(identity, moment),
    images: images.listed(),
    ...(inUse.length + (node.status?.volumesInUse?.length ?? 0) > 0 && { volumesInUse: inUse }),
  };
  const nodes = client.resource({ group: '', version: 'v1', resource: 'nodes' });
  const patch = { status } as unknown as JsonValue;
  await nodes.patch(identity.name, 'strategic', patch, { subresource: 'status' });
  return status;
}

const containerLists = {
  init: 'initContainers',
  sidecar: 'initContainers',
  main: 'containers',
  ephemeral: 'ephemeralContainers',
} as const;

function aboutPod({ pod, uid }: PodRecord, container: ContainerRecord | undefined) {
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const about = { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
  if (container === undefined) return about;
  const fieldPath = `spec.${containerLists[container.role]}{${container.spec.name}}`;
  return { ...about, fieldPath };
}
