// Bounds how long a request may take. Watches and connections are long-running and set their own
// end. The answer of a request that ran out of time is Kubernetes' 504.

import { statusErrors, type Clock } from '@keelson/apimachinery';
import type { ServerLimits } from '../config.ts';
import type { RequestContext } from '../request-context.ts';
import type { Filter } from '../request-pipeline.ts';
import { parseGoDurationMs } from '../endpoints/query-options.ts';

const connectionSubresources = new Set(['proxy', 'attach', 'exec', 'portforward']);

/** Whether the request is passed on to somebody else, and its connection with it. */
export function isConnection({ info }: RequestContext): boolean {
  return info.isResourceRequest && connectionSubresources.has(info.subresource);
}

export function isLongRunning(context: RequestContext): boolean {
  const { info } = context;
  return (
    info.verb === 'watch' ||
    info.verb === 'proxy' ||
    isConnection(context) ||
    (info.isResourceRequest ? info.subresource === 'log' : info.path.startsWith('/debug/pprof/'))
  );
}

export function createDeadlineFilter(clock: Clock, limits: ServerLimits): Filter {
  return {
    name: 'deadline',
    async handle(context, next) {
      if (isLongRunning(context)) return next();
      const timeoutMs = requestedTimeoutMs(context, limits.requestTimeoutMs);
      let cancel = () => {};
      const timeout = new Promise<never>((_resolve, reject) => {
        cancel = clock.after(timeoutMs, () => {
          context.onDeadline?.();
          reject(
            statusErrors.generic(
              504,
              'Timeout',
              'Timeout: request did not complete within the allotted timeout',
              {},
            ),
          );
        });
      });
      try {
        await Promise.race([next(), timeout]);
      } finally {
        cancel();
      }
    },
  };
}

/** The time that the request has: what it asks for, at most `maxMs`. */
export function requestedTimeoutMs(context: RequestContext, maxMs: number): number {
  const text = context.info.query.get('timeout');
  if (text === null || text === '') return maxMs;
  const ms = parseGoDurationMs(text);
  if (ms === undefined)
    throw statusErrors.badRequest(
      `invalid timeout specified in the request URL - time: ${durationProblem(text)}`,
    );
  return ms <= 0 || ms > maxMs ? maxMs : ms;
}

/** COMPAT: what Go says about a text that is no duration. */
function durationProblem(text: string): string {
  const quoted = JSON.stringify(text);
  let rest = text.replace(/^[+-]/, '');
  while (rest !== '') {
    const number = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) break;
    rest = rest.slice(number.length);
    const unit = /^[^\d.]*/.exec(rest)?.[0] ?? '';
    if (unit === '') return `missing unit in duration ${quoted}`;
    if (!units.has(unit)) return `unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
    rest = rest.slice(unit.length);
  }
  return `invalid duration ${quoted}`;
}

const units = new Set(['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h']);
