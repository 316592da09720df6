// How long a lease lasts and how often it is renewed, with client-go's defaults and conditions.

export interface LeaseTimes {
  /** How long others wait after the last renewal that they saw. */
  readonly leaseDurationMs: number;
  /** How long a leader leads after the last renewal that succeeded. */
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

export const defaultLeaseTimes: LeaseTimes = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
};

/** Candidates wait up to so many retry periods more, so that they do not come all at once. */
export const jitterFactor = 1.2;

/** What is wrong with the times, in client-go's words; undefined when nothing is. */
export function leaseTimesProblem(times: LeaseTimes): string | undefined {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = times;
  if (leaseDurationMs <= renewDeadlineMs) return 'leaseDuration must be greater than renewDeadline';
  if (renewDeadlineMs <= jitterFactor * retryPeriodMs)
    return 'renewDeadline must be greater than retryPeriod*JitterFactor';
  if (leaseDurationMs < 1_000) return 'leaseDuration must be at least one second';
  if (retryPeriodMs <= 0) return 'retryPeriod must be greater than zero';
  return undefined;
}
