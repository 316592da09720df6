// Lets the event loop go round once. Work inside one process that never waits for a socket or a
// disk runs on promises alone, and would keep everyone else waiting for as long as there is some.

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
