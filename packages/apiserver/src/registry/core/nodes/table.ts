// `kubectl get nodes`.

import type { Node } from '@keelson/apimachinery/types/core.v1';
import { age, noneText, unknownText } from '../../printing/cells.ts';

const rolePrefix = 'node-role.kubernetes.io/';
const roleLabel = 'kubernetes.io/role';

export function nodeCells(node: Node, nowMs: number): unknown[] {
  const { nodeInfo } = node.status ?? {};
  const architecture = nodeInfo?.architecture;
  const kernel = nodeInfo?.kernelVersion || unknownText;
  return [
    node.metadata.name,
    readiness(node),
    roles(node),
    age(node, nowMs),
    nodeInfo?.kubeletVersion ?? '',
    addressOf(node, 'InternalIP'),
    addressOf(node, 'ExternalIP'),
    nodeInfo?.osImage || unknownText,
    architecture && nodeInfo?.kernelVersion ? `${kernel} (${architecture})` : kernel,
    nodeInfo?.containerRuntimeVersion || unknownText,
  ];
}

function readiness(node: Node): string {
  const ready = node.status?.conditions?.findLast(({ type }) => type === 'Ready');
  const status = !ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec.unschedulable ? `${status},SchedulingDisabled` : status;
}

function roles(node: Node): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix)) found.add(key.slice(rolePrefix.length));
    else if (key === roleLabel) found.add(value);
  }
  found.delete('');
  return [...found].sort().join(',') || noneText;
}

function addressOf(node: Node, wanted: string): string {
  return node.status?.addresses?.find(({ type }) => type === wanted)?.address ?? noneText;
}
