// Bounds how many requests run at once when API Priority and Fairness is off: one number for those that
// read, one for those that write; 0 is no bound. Long-running requests are not counted, and when all places
// are taken members of `system:masters` are let through, so that an overloaded server can be repaired.

import type { ServerLimits } from '../config.ts';
import type { Filter } from '../request-pipeline.ts';
import { isLongRunning } from './deadline.ts';
import { refuseTooMany } from './flow-control/refusal.ts';

const readOnlyVerbs = new Set(['get', 'list', 'watch']);

export function createMaxInFlightFilter(limits: ServerLimits): Filter {
  const readOnly = { running: 0, max: limits.readOnlyInFlightMax };
  const mutating = { running: 0, max: limits.mutatingInFlightMax };
  return {
    name: 'flow-control',
    async handle(context, next) {
      if (isLongRunning(context)) return next();
      const kind = readOnlyVerbs.has(context.info.verb) ? readOnly : mutating;
      if (kind.max === 0) return next();
      if (kind.running >= kind.max) {
        if (context.user.groups.includes('system:masters')) return next();
        return refuseTooMany(context, 1, {
          stage: 'flow-control',
          by: 'max in flight',
          outcome: 'deny',
          reason: `${kind.max} requests of the kind are under way`,
        });
      }
      kind.running++;
      try {
        await next();
      } finally {
        kind.running--;
      }
    },
  };
}
