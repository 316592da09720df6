// Why a container cannot run now: its status shows the reason, and the events about it are repeated
// each time the kubelet looks at the pod again.

import type { Moment, NodeEvent } from './node-surroundings.ts';
import type { ContainerRecord } from './pod-record.ts';

export interface Trouble {
  /** Of the waiting container. */
  readonly reason: string;
  readonly message: string;
  readonly events: readonly NodeEvent[];
}

/** Kubelets look again after 10 to 15 seconds. */
const lookAgainMs = 12_000;

export const warning = (reason: string, message: string): NodeEvent => ({
  type: 'Warning',
  reason,
  message,
});

function isShown({ phase }: ContainerRecord, { reason, message }: Trouble): boolean {
  return phase.is === 'waiting' && phase.reason === reason && phase.message === message;
}

/** True when the container shows it, and it is not yet time to tell of it again. */
export function isToldOf(container: ContainerRecord, trouble: Trouble, moment: Moment): boolean {
  const againAt = container.toldAt + lookAgainMs;
  if (!isShown(container, trouble) || againAt <= moment.now) return false;
  moment.wakeAt(againAt);
  return true;
}

export function tellTrouble(container: ContainerRecord, trouble: Trouble, moment: Moment): void {
  if (isToldOf(container, trouble, moment)) return;
  const { record, now, node, wakeAt } = moment;
  const { reason, message, events } = trouble;
  container.phase = { is: 'waiting', reason, message };
  container.toldAt = now;
  for (const event of events) node.emit(record, event, container);
  wakeAt(now + lookAgainMs);
}
