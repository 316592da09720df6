// Counts and times requests for /metrics (`apiserver_request_total`, `…_duration_seconds`). It is the
// outermost filter, so that it sees how each was answered.

import type { Clock } from '@keelson/apimachinery';
import type { Metrics } from '../metrics.ts';
import type { ResourceIndex } from '../registry/resource-endpoint.ts';
import type { Filter } from '../request-pipeline.ts';
import { isLongRunning } from './deadline.ts';
import { requestLabels, type RequestLabels } from './request-labels.ts';

const durationBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];

/** Resources come and go with their definitions; those that are not kept are looked for each time. */
const seriesMax = 5_000;

interface Series {
  readonly count: () => void;
  readonly time: (seconds: number) => void;
}

export function createRequestMetricsFilter(
  metrics: Metrics,
  clock: Clock,
  index: Pick<ResourceIndex, 'find'>,
): Filter {
  const total = metrics.counter(
    'apiserver_request_total',
    'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
  );
  const duration = metrics.histogram(
    'apiserver_request_duration_seconds',
    'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
    durationBuckets,
  );
  const inFlight = metrics.gauge(
    'apiserver_current_inflight_requests',
    'Maximal number of currently used inflight request limit of this apiserver per request kind in last second.',
  );
  const running = { mutating: 0, readOnly: 0 };
  inFlight.collect(() => [
    [{ request_kind: 'mutating' }, running.mutating],
    [{ request_kind: 'readOnly' }, running.readOnly],
  ]);
  // Labels are written out once for each series, not for each request.
  const known = new Map<string, Series>();
  const seriesOf = (labels: RequestLabels, code: string, isTimed: boolean): Series => {
    const key = `${Object.values(labels).join()} ${code} ${isTimed}`;
    let series = known.get(key);
    if (series === undefined) {
      const time = isTimed ? duration.under(labels) : () => {};
      series = { count: total.under({ ...labels, code }), time };
      if (known.size < seriesMax) known.set(key, series);
    }
    return series;
  };
  return {
    name: 'request-metrics',
    async handle(context, next) {
      const start = clock.monotonic();
      const { info } = context;
      const kind =
        info.verb === 'get' || info.verb === 'list' || info.verb === 'watch'
          ? 'readOnly'
          : 'mutating';
      running[kind]++;
      try {
        await next();
      } finally {
        running[kind]--;
        const labels = requestLabels(context, index);
        const code = String(context.response.status);
        const { count, time } = seriesOf(labels, code, !isLongRunning(context));
        count();
        time((clock.monotonic() - start) / 1000);
      }
    },
  };
}
