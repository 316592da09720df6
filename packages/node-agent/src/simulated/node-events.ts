// What a node tells of itself, as events about its Node object.

import { findCondition } from '@keelson/apimachinery';
import type { Node, NodeStatus } from '@keelson/apimachinery/types/core.v1';
import type { EventRecorder } from '@keelson/controllers';

export interface NodeEvents {
  begin(): void;
  /** Conditions that are not as they were. */
  conditions(before: Conditions | undefined, now: Conditions): void;
  /** It has been told to shut down, or not to after all. */
  shutdown(isOrdered: boolean): void;
  /** Whether pods are placed on it. `isTold` false: only remembers it. */
  schedulable(node: Node, isTold: boolean): void;
}

type Conditions = Pick<NodeStatus, 'conditions'>;

export function createNodeEvents(recorder: EventRecorder, name: string): NodeEvents {
  // COMPAT: a kubelet names its node by its name where others have a uid.
  const about = { apiVersion: 'v1', kind: 'Node', namespace: '', name, uid: name };
  const tell = (reason: string, message: string) =>
    recorder.record(about, { type: 'Normal', reason, message });
  const say = (state: string) => tell(state, `Node ${name} status is now: ${state}`);
  let isSchedulable = true;
  return {
    begin() {
      tell('Starting', 'Starting kubelet.');
      tell('NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods');
    },
    conditions(before, { conditions = [] }) {
      for (const { type, status, reason = '' } of conditions)
        if (findCondition(before?.conditions, type)?.status !== status)
          say(reason.replace(/^Kubelet/, 'Node'));
    },
    shutdown(isOrdered) {
      const what = isOrdered ? 'event' : 'cancellation';
      tell('Shutdown', `Shutdown manager detected shutdown ${what}`);
    },
    schedulable({ spec }, isTold) {
      const was = isSchedulable;
      isSchedulable = spec?.unschedulable !== true;
      if (isTold && was !== isSchedulable)
        say(isSchedulable ? 'NodeSchedulable' : 'NodeNotSchedulable');
    },
  };
}
