// The flags of `keelson up` that bound requests, named and checked as kube-apiserver's.

import { InvalidArgumentError, Option, type Command } from 'commander';
import { defaultLimits, type ServerLimits } from '@keelson/apiserver';
import { parseBoolean, parseDuration } from './flag-values.ts';

export interface RequestLimitFlags {
  readonly maxRequestsInflight: number;
  readonly maxMutatingRequestsInflight: number;
  readonly enablePriorityAndFairness: boolean;
  /** Milliseconds. */
  readonly requestTimeout: number;
  /** Seconds. */
  readonly minRequestTimeout: number;
}

/** What is wrong with flags that are well-formed each. */
export class RequestLimitError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RequestLimitError';
  }
}

export function addRequestLimitFlags(command: Command): Command {
  const { readOnlyInFlightMax, mutatingInFlightMax, requestTimeoutMs, watchTimeoutMinMs } =
    defaultLimits;
  return command
    .option(
      '--max-requests-inflight <count>',
      'requests that read and run at once; with priority and fairness, a part of its seats',
      parseCount,
      readOnlyInFlightMax,
    )
    .option(
      '--max-mutating-requests-inflight <count>',
      'requests that write and run at once; with priority and fairness, a part of its seats',
      parseCount,
      mutatingInFlightMax,
    )
    .addOption(
      new Option(
        '--enable-priority-and-fairness [on]',
        'share the server by FlowSchemas and PriorityLevelConfigurations',
      )
        .argParser(parseBoolean)
        .preset('true')
        .default(true),
    )
    .addOption(
      new Option('--request-timeout <duration>', 'how long a request may take')
        .argParser(parseDuration)
        .default(requestTimeoutMs, `${requestTimeoutMs / 1000}s`),
    )
    .option(
      '--min-request-timeout <seconds>',
      'watches end after a random time between this and twice this',
      parseCount,
      watchTimeoutMinMs / 1000,
    );
}

export interface RequestBounds {
  readonly limits: ServerLimits;
  readonly priorityAndFairness: boolean;
}

/** Throws RequestLimitError. */
export function readRequestLimits(flags: RequestLimitFlags): RequestBounds {
  const { maxRequestsInflight, maxMutatingRequestsInflight } = flags;
  const mayNotBeNegative = {
    'max-requests-inflight': maxRequestsInflight,
    'max-mutating-requests-inflight': maxMutatingRequestsInflight,
    'request-timeout': flags.requestTimeout,
    'min-request-timeout': flags.minRequestTimeout,
  };
  for (const [name, value] of Object.entries(mayNotBeNegative)) {
    if (value < 0) throw new RequestLimitError(`--${name} can not be negative value`);
  }
  if (flags.enablePriorityAndFairness && maxRequestsInflight + maxMutatingRequestsInflight === 0) {
    throw new RequestLimitError(
      'invalid configuration: MaxRequestsInFlight=0 and MaxMutatingRequestsInFlight=0; they must add up to something positive',
    );
  }
  const limits = {
    ...defaultLimits,
    readOnlyInFlightMax: maxRequestsInflight,
    mutatingInFlightMax: maxMutatingRequestsInflight,
    requestTimeoutMs: flags.requestTimeout,
    watchTimeoutMinMs: flags.minRequestTimeout * 1000,
  };
  return { limits, priorityAndFairness: flags.enablePriorityAndFairness };
}

function parseCount(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is needed.');
  return Number(text);
}
