// Which pod, and which of its containers, the path of a kubelet's request means:
// `/what/NAMESPACE/POD` or `/what/NAMESPACE/POD/CONTAINER`. A text says what is wrong with it.

import type { ContainerRecord, PodRecord } from '../simulated/pod-record.ts';
import type { SimulatedNode } from '../simulated/simulated-node.ts';

interface Found {
  readonly record: PodRecord;
  readonly container: ContainerRecord;
}

export function findPod({ pods }: SimulatedNode, path: string): PodRecord | string {
  const [, namespace = '', pod = ''] = partsOf(path);
  return pods.find(namespace, pod) ?? `pod "${pod}" does not exist`;
}

export function findContainer(node: SimulatedNode, path: string): Found | string {
  const [, , pod = '', name = ''] = partsOf(path);
  const record = findPod(node, path);
  if (typeof record === 'string') return record;
  const container = record.containers.find(({ spec }) => spec.name === name);
  if (container === undefined) return `container "${name}" not found in pod "${pod}"`;
  return { record, container };
}

const partsOf = (path: string) => path.split('/').slice(1).map(decodeURIComponent);
