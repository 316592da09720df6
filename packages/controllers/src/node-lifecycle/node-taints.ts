// The taints that a node's conditions ask for. Those of this controller are replaced, others are
// left alone; a taint that stays keeps the time since when it is there.

import { formatTime } from '@keelson/apimachinery';
import type { Node, Taint } from '@keelson/apimachinery/types/core.v1';

export const notReadyKey = 'node.kubernetes.io/not-ready';
export const unreachableKey = 'node.kubernetes.io/unreachable';
const unschedulableKey = 'node.kubernetes.io/unschedulable';

const noScheduleKeys: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: notReadyKey, Unknown: unreachableKey },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
};
const ownNoSchedule = new Set([
  ...Object.values(noScheduleKeys).flatMap((byStatus) => Object.values(byStatus)),
  unschedulableKey,
]);
const ownNoExecute = new Set([notReadyKey, unreachableKey]);

/** With those that its conditions and `unschedulable` ask for; undefined when so already. */
export function withNoScheduleTaints(node: Node, now: number): Taint[] | undefined {
  const keys = (node.status?.conditions ?? []).flatMap(
    ({ type, status }) => noScheduleKeys[type]?.[status] ?? [],
  );
  if (node.spec?.unschedulable === true) keys.push(unschedulableKey);
  return replaced(node, { effect: 'NoSchedule', own: ownNoSchedule, keys }, now);
}

/** With this taint for eviction, or with none; undefined when so already. */
export function withNoExecuteTaint(
  node: Node,
  key: string | undefined,
  now: number,
): Taint[] | undefined {
  const keys = key === undefined ? [] : [key];
  return replaced(node, { effect: 'NoExecute', own: ownNoExecute, keys }, now);
}
export function hasNoExecuteTaint({ spec }: Node): boolean {
  return (spec?.taints ?? []).some((t) => t.effect === 'NoExecute' && ownNoExecute.has(t.key));
}

interface OwnTaints {
  readonly effect: string;
  readonly own: ReadonlySet<string>;
  readonly keys: readonly string[];
}

function replaced({ spec }: Node, { effect, own, keys }: OwnTaints, now: number) {
  const { taints = [] } = spec ?? {};
  const isOwn = (taint: Taint) => taint.effect === effect && own.has(taint.key);
  const kept = taints.filter((taint) => !isOwn(taint) || keys.includes(taint.key));
  const added = keys
    .filter((key) => !kept.some((taint) => isOwn(taint) && taint.key === key))
    .map((key) => ({ key, effect, timeAdded: formatTime(now) }));
  return added.length === 0 && kept.length === taints.length ? undefined : [...kept, ...added];
}
