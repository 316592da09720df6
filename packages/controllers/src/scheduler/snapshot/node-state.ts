// A node and the sum of what its pods use, kept up to date pod by pod.

import type { Node, Taint } from '@keelson/apimachinery/types/core.v1';
import { addAmounts, amountsOf, copyAmounts, createAmounts, type Amounts } from './amounts.ts';
import type { PodSummary } from './pod-summary.ts';

export interface NodeState {
  readonly name: string;
  node: Node;
  labels: Readonly<Record<string, string>>;
  /** Those that keep pods away: NoSchedule and NoExecute. */
  hardTaints: readonly Taint[];
  softTaints: readonly Taint[];
  allocatable: Amounts;
  podsMax: number;
  requested: Amounts;
  nonZeroMilliCpu: number;
  nonZeroMemory: number;
  /** By uid. */
  pods: Map<string, PodSummary>;
  /** `protocol/port` → addresses in use. */
  ports: Map<string, string[]>;
  /** Bytes by name of the image. */
  images: ReadonlyMap<string, number>;
  /** Pods by `namespace/claim`. */
  claims: Map<string, number>;
}

export function createNodeState(node: Node): NodeState {
  const state: NodeState = {
    name: node.metadata.name ?? '',
    node,
    labels: {},
    hardTaints: [],
    softTaints: [],
    allocatable: createAmounts(),
    podsMax: 0,
    requested: createAmounts(),
    nonZeroMilliCpu: 0,
    nonZeroMemory: 0,
    pods: new Map(),
    ports: new Map(),
    images: new Map(),
    claims: new Map(),
  };
  setNode(state, node);
  return state;
}

export function setNode(state: NodeState, node: Node): void {
  const { allocatable, capacity, images = [] } = node.status ?? {};
  const taints = node.spec?.taints ?? [];
  state.node = node;
  state.labels = node.metadata.labels ?? {};
  state.hardTaints = taints.filter(({ effect }) => effect !== 'PreferNoSchedule');
  state.softTaints = taints.filter(({ effect }) => effect === 'PreferNoSchedule');
  state.allocatable = amountsOf(Object.entries(allocatable ?? capacity ?? {}));
  state.podsMax = state.allocatable.scalars.get('pods') ?? 0;
  state.images = new Map(
    images.flatMap(({ names, sizeBytes = 0 }) =>
      (names ?? []).map((name): [string, number] => [name, Number(sizeBytes)]),
    ),
  );
}

export function addPodTo(state: NodeState, pod: PodSummary): void {
  state.pods.set(pod.uid, pod);
  count(state, pod, 1);
  for (const { protocol, port, ip } of pod.hostPorts) {
    const key = `${protocol}/${port}`;
    state.ports.set(key, [...(state.ports.get(key) ?? []), ip]);
  }
}

export function removePodFrom(state: NodeState, uid: string): PodSummary | undefined {
  const pod = state.pods.get(uid);
  if (pod === undefined) return undefined;
  state.pods.delete(uid);
  count(state, pod, -1);
  for (const { protocol, port, ip } of pod.hostPorts) {
    const key = `${protocol}/${port}`;
    const left = [...(state.ports.get(key) ?? [])];
    left.splice(left.indexOf(ip), 1);
    if (left.length === 0) state.ports.delete(key);
    else state.ports.set(key, left);
  }
  return pod;
}

/** For asking what would be if pods left: changes to the copy leave the state as it is. */
export function copyNodeState(state: NodeState): NodeState {
  return {
    ...state,
    requested: copyAmounts(state.requested),
    pods: new Map(state.pods),
    ports: new Map(state.ports),
    claims: new Map(state.claims),
  };
}

function count(state: NodeState, pod: PodSummary, sign: 1 | -1): void {
  addAmounts(state.requested, pod.requests, sign);
  state.nonZeroMilliCpu += sign * pod.nonZeroMilliCpu;
  state.nonZeroMemory += sign * pod.nonZeroMemory;
  for (const name of pod.claimNames) {
    const key = `${pod.namespace}/${name}`;
    const left = (state.claims.get(key) ?? 0) + sign;
    if (left === 0) state.claims.delete(key);
    else state.claims.set(key, left);
  }
}
