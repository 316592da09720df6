// What the scheduler believes the cluster to be: nodes with the pods that are on them, and those
// that it has placed there itself and whose binding is under way (assumed). A cycle reads it without
// a copy, since nothing changes it before the cycle ends.

import type { Node } from '@keelson/apimachinery/types/core.v1';
import { createAffinityTerms, type AffinityTerms } from './affinity-terms.ts';
import { addPodTo, createNodeState, removePodFrom, setNode, type NodeState } from './node-state.ts';
import { createPodGroups, type PodGroups } from './pod-groups.ts';
import type { PodSummary } from './pod-summary.ts';

export interface ClusterState {
  /** Those that exist, in the order in which they came. */
  readonly nodes: readonly NodeState[];
  node(name: string): NodeState | undefined;
  readonly groups: PodGroups;
  readonly terms: AffinityTerms;
  /** Nodes by value of a label. */
  valuesOf(topologyKey: string): ReadonlyMap<string, number>;
  /** Nodes that have the image. */
  nodesWithImage(name: string): number;
  /** Pods that use the claim, on all nodes. */
  podsWithClaim(namespace: string, name: string): number;
  /** The node where the pod is, or is assumed to be. */
  nodeOf(uid: string): string | undefined;
  /** Grows with every change. */
  readonly generation: number;
}

export interface MutableClusterState extends ClusterState {
  putNode(node: Node): void;
  removeNode(name: string): void;
  /** New or changed; a pod that was assumed is assumed no more. */
  putPod(pod: PodSummary, nodeName: string): void;
  removePod(uid: string): void;
  assume(pod: PodSummary, nodeName: string): void;
  /** The binding failed. A pod that was seen on its node stays. */
  forget(uid: string): void;
  isAssumed(uid: string): boolean;
}

export function createClusterState(): MutableClusterState {
  const places = createPlaces();
  const { groups, terms, claims } = places;
  const registry = createNodeRegistry(places);
  const assumed = new Set<string>();
  let generation = 0;
  const changed = () => void generation++;
  const place = (pod: PodSummary, nodeName: string) => {
    changed();
    assumed.delete(pod.uid);
    places.put(pod, nodeName);
  };
  const take = (uid: string) => {
    changed();
    assumed.delete(uid);
    const state = places.take(uid);
    if (state?.pods.size === 0 && registry.get(state.name) === undefined)
      places.states.delete(state.name);
  };
  return {
    get nodes() {
      return registry.nodes;
    },
    get generation() {
      return generation;
    },
    node: (name) => registry.get(name),
    groups,
    terms,
    valuesOf: (topologyKey) => registry.valuesOf(topologyKey),
    nodesWithImage: (name) => registry.nodesWithImage(name),
    podsWithClaim: (namespace, name) => claims.get(`${namespace}/${name}`) ?? 0,
    nodeOf: (uid) => places.nodeOf(uid),
    putNode(node) {
      changed();
      registry.put(node);
    },
    removeNode(name) {
      changed();
      registry.remove(name);
    },
    putPod: place,
    removePod: take,
    assume(pod, nodeName) {
      place(pod, nodeName);
      assumed.add(pod.uid);
    },
    forget(uid) {
      if (assumed.has(uid)) take(uid);
    },
    isAssumed: (uid) => assumed.has(uid),
  };
}

/** Which pod is where, and all sums over pods. */
interface Places {
  /** Also of nodes that only pods speak of. */
  readonly states: Map<string, NodeState>;
  readonly groups: PodGroups;
  readonly terms: AffinityTerms;
  /** Pods by `namespace/claim`. */
  readonly claims: ReadonlyMap<string, number>;
  stateFor(nodeName: string): NodeState;
  nodeOf(uid: string): string | undefined;
  put(pod: PodSummary, nodeName: string): void;
  /** The node where it was. */
  take(uid: string): NodeState | undefined;
}

function createPlaces(): Places {
  const states = new Map<string, NodeState>();
  const places = new Map<string, string>();
  const claims = new Map<string, number>();
  const groups = createPodGroups(() => states.values());
  const terms = createAffinityTerms();
  const stateFor = (name: string): NodeState => {
    let state = states.get(name);
    if (state === undefined) {
      state = createNodeState({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
      states.set(name, state);
    }
    return state;
  };
  const take = (uid: string) => {
    const state = states.get(places.get(uid) ?? '');
    places.delete(uid);
    if (state === undefined) return undefined;
    const pod = removePodFrom(state, uid);
    if (pod === undefined) return undefined;
    countClaims(claims, pod, -1);
    groups.podRemoved(pod, state);
    terms.podRemoved(pod);
    return state;
  };
  return {
    states,
    groups,
    terms,
    claims,
    stateFor,
    nodeOf: (uid) => places.get(uid),
    put(pod, nodeName) {
      take(pod.uid);
      const state = stateFor(nodeName);
      addPodTo(state, pod);
      places.set(pod.uid, nodeName);
      countClaims(claims, pod, 1);
      groups.podAdded(pod, state);
      terms.podAdded(pod);
    },
    take,
  };
}

interface NodeRegistry {
  readonly nodes: readonly NodeState[];
  get(name: string): NodeState | undefined;
  put(node: Node): void;
  remove(name: string): void;
  valuesOf(topologyKey: string): ReadonlyMap<string, number>;
  nodesWithImage(name: string): number;
}

/** The nodes that exist, and what they have in common. */
function createNodeRegistry({ states, groups, stateFor }: Places): NodeRegistry {
  let nodes: NodeState[] = [];
  const existing = new Set<string>();
  const valueCounts = new Map<string, ReadonlyMap<string, number>>();
  const imageCounts = new Map<string, number>();
  const countImages = (state: NodeState, sign: 1 | -1) => {
    for (const name of state.images.keys()) addTo(imageCounts, name, sign);
  };
  const forgetLabels = (state: NodeState) => {
    valueCounts.clear();
    if (state.pods.size > 0) groups.forget();
  };
  return {
    get nodes() {
      return nodes;
    },
    get: (name) => (existing.has(name) ? states.get(name) : undefined),
    put(node) {
      const name = node.metadata.name ?? '';
      const state = stateFor(name);
      const before = state.labels;
      countImages(state, -1);
      setNode(state, node);
      countImages(state, 1);
      const isNew = !existing.has(name);
      if (isNew) {
        existing.add(name);
        nodes.push(state);
      }
      if (isNew || !hasSameLabels(before, state.labels)) forgetLabels(state);
    },
    remove(name) {
      const state = states.get(name);
      if (state === undefined || !existing.delete(name)) return;
      nodes = nodes.filter((other) => other !== state);
      countImages(state, -1);
      // Its pods are there until somebody deletes them, but in no topology any more.
      setNode(state, { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
      forgetLabels(state);
      if (state.pods.size === 0) states.delete(name);
    },
    valuesOf(topologyKey) {
      const known = valueCounts.get(topologyKey);
      if (known !== undefined) return known;
      const counts = new Map<string, number>();
      for (const { labels } of nodes) {
        const value = labels[topologyKey];
        if (value !== undefined) addTo(counts, value, 1);
      }
      valueCounts.set(topologyKey, counts);
      return counts;
    },
    nodesWithImage: (name) => imageCounts.get(name) ?? 0,
  };
}

function countClaims(claims: Map<string, number>, pod: PodSummary, sign: 1 | -1): void {
  for (const name of pod.claimNames) addTo(claims, `${pod.namespace}/${name}`, sign);
}

function addTo(counts: Map<string, number>, key: string, by: number): void {
  const sum = (counts.get(key) ?? 0) + by;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}

export function hasSameLabels(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
