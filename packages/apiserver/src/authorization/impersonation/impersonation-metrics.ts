// What is measured of impersonation, with the gate ConstrainedImpersonation. COMPAT: names and
// labels are kube-apiserver's; an attempt that was refused has no mode.

import type { Clock } from '@keelson/apimachinery';
import type { Metrics } from '../../metrics.ts';

export interface ImpersonationMetrics {
  /** One request that wants to act as another user; `run` answers the mode or throws. */
  attempted<T>(run: () => Promise<T>, modeOf: (result: T) => string): Promise<T>;
  /** One question of a mode to the authorizer; `run` answers whether it was allowed. */
  asked<T>(mode: string, run: () => Promise<T>, isAllowed: (result: T) => boolean): Promise<T>;
}

/** For servers that measure nothing. */
export const noImpersonationMetrics: ImpersonationMetrics = {
  attempted: (run) => run(),
  asked: (_mode, run) => run(),
};

const prefix = 'apiserver_impersonation_';
const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createImpersonationMetrics(metrics: Metrics, clock: Clock): ImpersonationMetrics {
  const pair = (name: string, what: string) => {
    const total = metrics.counter(
      `${prefix}${name}_total`,
      `Total number of ${what} split by mode and decision.`,
    );
    const duration = metrics.histogram(
      `${prefix}${name}_duration_seconds`,
      `Duration of ${what} in seconds split by mode and decision.`,
      buckets,
    );
    return (mode: string, isAllowed: boolean, startMs: number) => {
      const labels = { mode, decision: isAllowed ? 'allowed' : 'denied' };
      total.add(labels);
      duration.observe(labels, (clock.monotonic() - startMs) / 1000);
    };
  };
  const attempt = pair('attempts', 'impersonation attempts');
  const question = pair('authorization_attempts', 'impersonation authorization attempts');
  return {
    async attempted(run, modeOf) {
      const startMs = clock.monotonic();
      try {
        const result = await run();
        attempt(modeOf(result), true, startMs);
        return result;
      } catch (error) {
        attempt('', false, startMs);
        throw error;
      }
    },
    async asked(mode, run, isAllowed) {
      const startMs = clock.monotonic();
      const result = await run();
      question(mode, isAllowed(result), startMs);
      return result;
    },
  };
}
