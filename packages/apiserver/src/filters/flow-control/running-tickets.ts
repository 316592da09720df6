// The requests of a priority level that run. The list is of their own making: a Set would cost each
// request more than all the rest of its way through the level.

import type { Seating } from './ticket.ts';

export interface RunningTickets<Details> {
  add(ticket: Seating<Details>): void;
  remove(ticket: Seating<Details>): void;
  /** Oldest first. */
  list(): Seating<Details>[];
}

export function createRunningTickets<Details>(): RunningTickets<Details> {
  let newest: Seating<Details> | undefined;
  return {
    add(ticket) {
      ticket.older = newest;
      if (newest !== undefined) newest.newer = ticket;
      newest = ticket;
    },
    remove(ticket) {
      if (ticket.newer === undefined) newest = ticket.older;
      else ticket.newer.older = ticket.older;
      if (ticket.older !== undefined) ticket.older.newer = ticket.newer;
      ticket.newer = ticket.older = undefined;
    },
    list() {
      const all: Seating<Details>[] = [];
      for (let at = newest; at !== undefined; at = at.older) all.push(at);
      return all.toReversed();
    },
  };
}
