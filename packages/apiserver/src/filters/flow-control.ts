// Bounds how many requests run at once (`--max-requests-inflight`). Long-running requests and
// members of `system:masters` are exempt, so that an overloaded server can still be repaired.

import { statusErrors } from '@keelson/apimachinery';
import type { ServerLimits } from '../config.ts';
import type { Filter } from '../request-pipeline.ts';
import { isLongRunning } from './deadline.ts';

const readOnlyVerbs = new Set(['get', 'list', 'watch']);

export function createFlowControlFilter(limits: ServerLimits): Filter {
  let readOnly = 0;
  let mutating = 0;
  return {
    name: 'flow-control',
    async handle(context, next) {
      if (isLongRunning(context) || context.user.groups.includes('system:masters')) return next();
      if (readOnlyVerbs.has(context.info.verb)) {
        if (readOnly >= limits.readOnlyInFlightMax) throw tooMany();
        readOnly++;
        try {
          return await next();
        } finally {
          readOnly--;
        }
      }
      if (mutating >= limits.mutatingInFlightMax) throw tooMany();
      mutating++;
      try {
        return await next();
      } finally {
        mutating--;
      }
    },
  };
}

// COMPAT: the text and the second of waiting are kube-apiserver's.
function tooMany() {
  return statusErrors.tooManyRequests('Too many requests, please try again later.', 1);
}
