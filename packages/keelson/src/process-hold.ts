// Keeps the process alive while somebody waits for a cluster that has no socket. Timers of the
// cluster never do (a forgotten one should not hang a program), so without this a program that only
// awaits an in-process request would end in the middle of it.

import { MessageChannel } from 'node:worker_threads';

export interface ProcessHold {
  /** Holds until the returned function is called. */
  acquire(): () => void;
  /** Lets go for good. */
  close(): void;
}

export function createProcessHold(): ProcessHold {
  const { port1: port } = new MessageChannel();
  port.unref();
  let holders = 0;
  return {
    acquire() {
      if (holders++ === 0) port.ref();
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        if (--holders === 0) port.unref();
      };
    },
    close: () => port.close(),
  };
}
