// The Node object of a simulated node, as a kubelet registers it and keeps its status.

import { findCondition, formatTime, transitionTime } from '@keelson/apimachinery';
import type { Node, NodeCondition, NodeStatus, Taint } from '@keelson/apimachinery/types/core.v1';
import { cloudAnnotations, cloudTaints, keepsAddresses } from './external-cloud.ts';
import type { NodeAbilities } from './node-abilities.ts';

export interface NodeShape {
  readonly capacity: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** A cloud-controller-manager completes the node. */
  readonly cloudProvider?: 'external';
}

export const defaultNodeShape: NodeShape = {
  capacity: { cpu: '8', memory: '32Gi', 'ephemeral-storage': '100Gi', pods: '110' },
  labels: {},
  taints: [],
};

export interface NodeIdentity {
  readonly name: string;
  readonly address: string;
  /** Where its kubelet listens. */
  readonly kubeletPort: number;
  /** The release: 36 for 1.36. */
  readonly minor: number;
  readonly shape: NodeShape;
  readonly abilities: NodeAbilities;
}

/** Of which every machine could have some. */
const hugePages = { 'hugepages-1Gi': '0', 'hugepages-2Mi': '0' };

/** On a Node: `stopped` is a machine without power, `shutdown` one that goes off in order. */
const stateAnnotation = 'keelson.dev/simulate';
/** Any of `memory`, `disk` and `pid`. */
const pressureAnnotation = 'keelson.dev/simulate-pressure';

export function nodeObject(identity: NodeIdentity, now: number): Node {
  const { name, shape } = identity;
  const taints = [...shape.taints, ...cloudTaints(shape)];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'beta.kubernetes.io/arch': 'amd64',
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        ...shape.labels,
      },
      annotations: {
        'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
        ...cloudAnnotations(identity),
      },
    },
    spec: taints.length === 0 ? {} : { taints },
    status: nodeStatus(identity, {
      now,
      pressures: new Set(),
      isShuttingDown: false,
      before: undefined,
    }),
  };
}

export interface StatusMoment {
  readonly now: number;
  readonly pressures: ReadonlySet<string>;
  readonly isShuttingDown: boolean;
  readonly before: NodeStatus | undefined;
}

export function nodeStatus(identity: NodeIdentity, moment: StatusMoment): NodeStatus {
  const { name, address, kubeletPort, minor, shape, abilities } = identity;
  const resources = { ...hugePages, ...shape.capacity };
  const version = `v1.${minor}.0`;
  return {
    capacity: resources,
    allocatable: { ...resources },
    conditions: conditionsOf(moment),
    ...(!keepsAddresses(shape, moment.before) && {
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
    }),
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: {
      machineID: idOf(name, 'machine').replaceAll('-', ''),
      systemUUID: idOf(name, 'system'),
      bootID: idOf(name, 'boot'),
      kernelVersion: '0.0.0-simulated',
      osImage: 'Keelson simulated node',
      containerRuntimeVersion: 'simulated://0.1.0',
      kubeletVersion: version,
      // Nobody fills it in any more from 1.33 on.
      kubeProxyVersion: minor < proxyVersionEmptySince ? version : '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
    ...abilities,
  };
}

const proxyVersionEmptySince = 33;

interface ConditionTexts {
  readonly type: string;
  readonly pressure: string;
  readonly fine: readonly [reason: string, message: string];
  readonly bad: readonly [reason: string, message: string];
}

const pressureConditions: readonly ConditionTexts[] = [
  {
    type: 'MemoryPressure',
    pressure: 'memory',
    fine: ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    bad: ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
  },
  {
    type: 'DiskPressure',
    pressure: 'disk',
    fine: ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    bad: ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
  },
  {
    type: 'PIDPressure',
    pressure: 'pid',
    fine: ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    bad: ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
  },
];

function conditionsOf({ now, pressures, isShuttingDown, before }: StatusMoment): NodeCondition[] {
  const heartbeat = formatTime(now);
  const condition = (
    type: string,
    status: 'True' | 'False',
    [reason, message]: readonly [string, string],
  ): NodeCondition => {
    const known = findCondition(before?.conditions, type);
    return {
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: heartbeat,
      lastTransitionTime: transitionTime(known, status, heartbeat),
    };
  };
  return [
    ...pressureConditions.map(({ type, pressure, fine, bad }) =>
      pressures.has(pressure) ? condition(type, 'True', bad) : condition(type, 'False', fine),
    ),
    isShuttingDown
      ? condition('Ready', 'False', ['KubeletNotReady', 'node is shutting down'])
      : condition('Ready', 'True', ['KubeletReady', 'kubelet is posting ready status']),
  ];
}

export function pressuresOf({ metadata }: Node): ReadonlySet<string> {
  const written = metadata?.annotations?.[pressureAnnotation] ?? '';
  return new Set(written.split(',').map((one) => one.trim()));
}
export const isStopped = ({ metadata }: Node): boolean =>
  metadata?.annotations?.[stateAnnotation] === 'stopped';

export const isShuttingDown = ({ metadata }: Node): boolean =>
  metadata?.annotations?.[stateAnnotation] === 'shutdown';

/** Always the same for a name: a machine keeps its identity. */
function idOf(name: string, what: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(`${what}/${name}`))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  const hex = hash.toString(16).padStart(16, '0').repeat(2);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return [...parts, hex.slice(20)].join('-');
}
