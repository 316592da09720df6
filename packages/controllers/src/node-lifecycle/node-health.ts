// Whether a node is heard of: it renews its Lease or changes its status. One that was silent for
// the grace period has nothing to say about its conditions any more. Times are those of this
// controller: clocks of nodes are not believed.

import { findCondition, formatTime } from '@keelson/apimachinery';
import type { Lease } from '@keelson/apimachinery/types/coordination.k8s.io.v1';
import type { Node, NodeCondition } from '@keelson/apimachinery/types/core.v1';

/** Nodes are looked at that often. */
export const monitorPeriodMs = 5_000;
/** Silence after which a node counts as gone; a kubelet renews its Lease every ten seconds. */
export const gracePeriodMs = 50_000;
/** For a node that never said anything. */
const startupGracePeriodMs = 60_000;

const watchedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

export interface NodeHealth {
  readonly uid: string;
  /** When the node was last heard of, by this controller's clock. */
  readonly heardAt: number;
  /** What it said then. */
  readonly heartbeat: string;
}

/** `before` is of the same node name, and may be of another node. */
export function nextHealth(
  before: NodeHealth | undefined,
  node: Node,
  { lease, now }: { readonly lease: Lease | undefined; readonly now: number },
): NodeHealth {
  const { uid = '', creationTimestamp = '' } = node.metadata;
  const ready = readyConditionOf(node);
  const heartbeat = JSON.stringify([
    lease?.spec?.renewTime ?? '',
    ready?.lastHeartbeatTime ?? '',
    ready !== undefined,
  ]);
  if (before?.uid === uid)
    return before.heartbeat === heartbeat ? before : { uid, heardAt: now, heartbeat };
  const created = Date.parse(creationTimestamp);
  const wasHeard = ready !== undefined || lease !== undefined || Number.isNaN(created);
  return { uid, heardAt: wasHeard ? now : created, heartbeat };
}

export function isSilent({ heardAt }: NodeHealth, node: Node, now: number): boolean {
  const grace = readyConditionOf(node) === undefined ? startupGracePeriodMs : gracePeriodMs;
  return now > heardAt + grace;
}

/** Undefined when they are unknown already. */
export function unknownConditions(node: Node, now: number): NodeCondition[] | undefined {
  const conditions = [...(node.status?.conditions ?? [])];
  const lastTransitionTime = formatTime(now);
  let isChanged = false;
  for (const type of watchedConditions) {
    const index = conditions.findIndex((condition) => condition.type === type);
    const before = conditions[index];
    if (before?.status === 'Unknown') continue;
    isChanged = true;
    if (before === undefined) {
      conditions.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp ?? null,
        lastTransitionTime,
      });
      continue;
    }
    conditions[index] = {
      ...before,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime,
    };
  }
  return isChanged ? conditions : undefined;
}

export function readyConditionOf({ status }: Node): NodeCondition | undefined {
  return findCondition(status?.conditions, 'Ready');
}
