// The metrics of API Priority and Fairness, under Kubernetes' names (`apiserver_flowcontrol_…`).

import type { Clock } from '@keelson/apimachinery';
import type { CollectedFamily, Labels, Metrics, Sample } from '../../metrics.ts';
import type { FlowController } from './flow-controller.ts';
import type { FlowCounts } from './flow-counts.ts';
import type { PriorityLevel } from './priority-level.ts';
import { phases, requestKinds, type ReadWriteMeter } from './read-write-meter.ts';

export interface FlowMetricsOptions {
  readonly metrics: Metrics;
  readonly controller: FlowController;
  readonly readWrite: ReadWriteMeter;
  readonly clock: Clock;
}

type Row<T> = readonly [
  name: string,
  type: CollectedFamily['type'],
  help: string,
  read: (of: T, nowMs: number) => readonly Sample[],
];

export function registerFlowMetrics(options: FlowMetricsOptions): void {
  const { metrics, controller, clock } = options;
  for (const [name, type, help, read] of flowRows) {
    const all = () => [...controller.counts()].filter(isUsed).flatMap((flow) => read(flow, 0));
    metrics.collect({ name: prefix + name, type, help, read: () => all().filter(isObserved) });
  }
  for (const [name, type, help, read] of levelRows) {
    const all = () => controller.levels().flatMap((level) => read(level, clock.monotonic()));
    metrics.collect({ name: prefix + name, type, help, read: all });
  }
  for (const [name, type, help, read] of serverRows) {
    metrics.collect({ name, type, help, read: () => read(options, clock.monotonic()) });
  }
}

const isUsed = (flow: FlowCounts) => flow.estimatedSeats.read().count > 0;
const isObserved = ([, value]: Sample) => typeof value === 'number' || value.count > 0;

const prefix = 'apiserver_flowcontrol_';

const flowLabels = ({ priorityLevel, flowSchema }: FlowCounts): Labels => ({
  flow_schema: flowSchema,
  priority_level: priorityLevel,
});
const levelLabels = ({ name }: PriorityLevel): Labels => ({ priority_level: name });

const ofFlow =
  (value: (counts: FlowCounts) => Sample[1]) =>
  (counts: FlowCounts): Sample[] => [[flowLabels(counts), value(counts)]];
const ofLevel =
  (value: (level: PriorityLevel, nowMs: number) => Sample[1]) =>
  (level: PriorityLevel, nowMs: number): Sample[] => [[levelLabels(level), value(level, nowMs)]];

const flowRows: readonly Row<FlowCounts>[] = [
  [
    'rejected_requests_total',
    'counter',
    'Number of requests rejected by API Priority and Fairness subsystem',
    (counts) =>
      Object.entries(counts.rejected)
        .filter(([, count]) => count > 0)
        .map(([reason, count]) => [{ ...flowLabels(counts), reason }, count]),
  ],
  [
    'dispatched_requests_total',
    'counter',
    'Number of requests executed by API Priority and Fairness subsystem',
    ofFlow(({ dispatched }) => dispatched),
  ],
  [
    'current_inqueue_requests',
    'gauge',
    'Number of requests currently pending in queues of the API Priority and Fairness subsystem',
    ofFlow(({ waiting }) => waiting),
  ],
  [
    'current_inqueue_seats',
    'gauge',
    'Number of seats currently pending in queues of the API Priority and Fairness subsystem',
    ofFlow(({ seatsWaiting }) => seatsWaiting),
  ],
  [
    'request_queue_length_after_enqueue',
    'histogram',
    'Length of queue in the API Priority and Fairness subsystem, as seen by each request after it is enqueued',
    ofFlow(({ queueLength }) => queueLength.read()),
  ],
  [
    'current_executing_requests',
    'gauge',
    'Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem',
    ofFlow(({ executing }) => executing),
  ],
  [
    'current_executing_seats',
    'gauge',
    'Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any stage otherwise) requests in the API Priority and Fairness subsystem',
    ofFlow(({ seatsInUse }) => seatsInUse),
  ],
  [
    'request_wait_duration_seconds',
    'histogram',
    'Length of time a request spent waiting in its queue',
    (counts) => [
      [{ execute: 'true', ...flowLabels(counts) }, counts.waitSeconds.executed.read()],
      [{ execute: 'false', ...flowLabels(counts) }, counts.waitSeconds.refused.read()],
    ],
  ],
  [
    'request_execution_seconds',
    'histogram',
    'Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution in the API Priority and Fairness subsystem',
    (counts) =>
      (['regular', 'watch'] as const).map((type) => [
        { ...flowLabels(counts), type },
        counts.executionSeconds[type].read(),
      ]),
  ],
  [
    'watch_count_samples',
    'histogram',
    'count of watchers for mutating requests in API Priority and Fairness',
    ofFlow(({ watchCount }) => watchCount.read()),
  ],
  [
    'work_estimated_seats',
    'histogram',
    'Number of estimated seats (maximum of initial and final seats) associated with requests in API Priority and Fairness',
    ofFlow(({ estimatedSeats }) => estimatedSeats.read()),
  ],
  [
    'request_dispatch_no_accommodation_total',
    'counter',
    'Number of times a dispatch attempt resulted in a non accommodation due to lack of available seats',
    ofFlow(({ withoutAccommodation }) => withoutAccommodation),
  ],
];

const levelRows: readonly Row<PriorityLevel>[] = [
  [
    'priority_level_seat_utilization',
    'histogram',
    'Observations, at the end of every nanosecond, of utilization of seats for any stage of execution (but only initial stage for WATCHes); denominator is current seat limit or max(1, round(server seat limit/10))',
    (level, nowMs) => [
      [{ phase: 'executing', ...levelLabels(level) }, level.meter.seatUtilization.read(nowMs)],
    ],
  ],
  [
    'priority_level_request_utilization',
    'histogram',
    'Observations, at the end of every nanosecond, of number of requests waiting or in any stage of execution (but only initial stage for WATCHes); denominator for waiting is max(1, QueueLengthLimit) X max(1, DesiredNumQueues), for executing is current seat limit if that is not zero otherwise max(1, round(server seat limit/10))',
    (level, nowMs) => [
      [{ phase: 'executing', ...levelLabels(level) }, level.meter.executingUtilization.read(nowMs)],
      [{ phase: 'waiting', ...levelLabels(level) }, level.meter.waitingUtilization.read(nowMs)],
    ],
  ],
  ['current_r', 'gauge', 'R(time of last change)', ofLevel(({ queues }) => queues.progressR)],
  [
    'dispatch_r',
    'gauge',
    'R(time of last dispatch)',
    (level) => dispatchSamples(level, ({ dispatchR }) => [[{}, dispatchR]]),
  ],
  [
    'latest_s',
    'gauge',
    'S(most recently dispatched request)',
    (level) => dispatchSamples(level, ({ latestS }) => [[{}, latestS]]),
  ],
  [
    'next_s_bounds',
    'gauge',
    'min and max, over queues, of S(oldest waiting request in queue)',
    (level) => dispatchSamples(level, ({ nextS }) => boundSamples(nextS)),
  ],
  [
    'next_discounted_s_bounds',
    'gauge',
    'min and max, over queues, of S(oldest waiting request in queue) - estimated work in progress',
    (level) => dispatchSamples(level, ({ nextDiscountedS }) => boundSamples(nextDiscountedS)),
  ],
  [
    'nominal_limit_seats',
    'gauge',
    'Nominal number of execution seats configured for each priority level',
    ofLevel(({ nominalSeats }) => nominalSeats),
  ],
  [
    'lower_limit_seats',
    'gauge',
    'Configured lower bound on number of execution seats available to each priority level',
    ofLevel(({ lowerSeats }) => lowerSeats),
  ],
  [
    'upper_limit_seats',
    'gauge',
    'Configured upper bound on number of execution seats available to each priority level',
    ofLevel(({ upperSeats }) => upperSeats),
  ],
  [
    'current_limit_seats',
    'gauge',
    'current derived number of execution seats available to each priority level',
    ofLevel(({ queues }) => queues.limit),
  ],
  [
    'demand_seats',
    'histogram',
    'Observations, at the end of every nanosecond, of (the number of seats each priority level could use) / (current seat limit for that level if that is not zero otherwise max(1, round(server seat limit/10.0)))',
    ofLevel(({ meter }, nowMs) => meter.seatDemandRatio.read(nowMs)),
  ],
  [
    'demand_seats_high_watermark',
    'gauge',
    'High watermark, over last adjustment period, of demand_seats',
    ofLevel(({ meter }) => meter.demand.statistics.highWatermark),
  ],
  [
    'demand_seats_average',
    'gauge',
    'Time-weighted average, over last adjustment period, of demand_seats',
    ofLevel(({ meter }) => meter.demand.statistics.average),
  ],
  [
    'demand_seats_stdev',
    'gauge',
    'Time-weighted standard deviation, over last adjustment period, of demand_seats',
    ofLevel(({ meter }) => meter.demand.statistics.deviation),
  ],
  [
    'demand_seats_smoothed',
    'gauge',
    'Smoothed seat demands',
    ofLevel(({ meter }) => meter.demand.statistics.smoothed),
  ],
  ['target_seats', 'gauge', 'Seat allocation targets', ofLevel(({ targetSeats }) => targetSeats)],
];

const serverRows: readonly Row<FlowMetricsOptions>[] = [
  [
    `${prefix}seat_fair_frac`,
    'gauge',
    "Fair fraction of server's concurrency to allocate to each priority level that can use it",
    ({ controller }) => [[{}, controller.fairFraction]],
  ],
  [
    `${prefix}read_vs_write_current_requests`,
    'histogram',
    'Observations, at the end of every nanosecond, of the number of requests (as a fraction of the relevant limit) waiting or in regular stage of execution',
    ({ readWrite }, nowMs) =>
      phases.flatMap((phase) =>
        requestKinds.map((kind): Sample => [
          { phase, request_kind: kind },
          readWrite.ratio(phase, kind).read(nowMs),
        ]),
      ),
  ],
  [
    'apiserver_current_inqueue_requests',
    'gauge',
    'Maximal number of queued requests in this apiserver per request kind in last second.',
    ({ readWrite }) =>
      requestKinds.map((kind): Sample => [
        { request_kind: kind },
        readWrite.count('waiting', kind),
      ]),
  ],
];

type Readings = NonNullable<PriorityLevel['meter']['dispatch']>;

/** Nothing before the first dispatch. */
function dispatchSamples(level: PriorityLevel, read: (readings: Readings) => Sample[]): Sample[] {
  const { dispatch } = level.meter;
  if (dispatch === undefined) return [];
  return read(dispatch).map(([labels, value]) => [{ ...labels, ...levelLabels(level) }, value]);
}

function boundSamples([min, max]: readonly [number, number]): Sample[] {
  return [
    [{ bound: 'max' }, max],
    [{ bound: 'min' }, min],
  ];
}
