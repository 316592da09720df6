// A node that shuts down in order (KEP-2000): it is not ready, takes no pods and ends those that it
// has. It goes on when somebody has taken the order back.

import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { NodeEvents } from './node-events.ts';
import { isShuttingDown } from './node-object.ts';

export interface NodeShutdown {
  since(): number | undefined;
  look(node: Node): void;
}

export function createNodeShutdown(events: NodeEvents, now: () => number): NodeShutdown {
  let since: number | undefined;
  return {
    since: () => since,
    look(node) {
      const wasOrdered = since !== undefined;
      const isOrdered = isShuttingDown(node);
      if (wasOrdered === isOrdered) return;
      since = isOrdered ? now() : undefined;
      events.shutdown(isOrdered);
    },
  };
}
