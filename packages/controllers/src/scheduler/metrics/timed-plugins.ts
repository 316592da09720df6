// Plugins of a profile that are measured: how often each was asked, and, in one of ten cycles, how
// long it took. COMPAT: kube-scheduler measures plugins as seldom, since watching costs, too.

import { isRejection, type FilterRun, type SchedulerPlugin } from '../framework.ts';
import type { PointStatus, SchedulerMetrics, TimedPoint } from './scheduler-metrics.ts';

/** One of so many cycles is measured plugin by plugin. */
const sampledEvery = 10;

export function timePlugins(
  plugins: readonly SchedulerPlugin[],
  metrics: SchedulerMetrics,
  profile: string,
): readonly SchedulerPlugin[] {
  let cycles = 0;
  const firstBegin = plugins.find(({ begin }) => begin !== undefined);
  const isSampled = () => cycles % sampledEvery === 0;
  return plugins.map((plugin): SchedulerPlugin => {
    const { name, begin, score, postFilter, reserve } = plugin;
    const timed = <T>(point: TimedPoint, statusOf: (answer: T) => PointStatus, run: () => T): T => {
      if (!isSampled()) return run();
      const start = metrics.now();
      const answer = run();
      metrics.plugin(name, point, statusOf(answer), metrics.now() - start);
      return answer;
    };
    const counted = (point: TimedPoint) => metrics.evaluated(name, point, profile);
    const success = () => 'Success' as const;
    return {
      ...plugin,
      ...(begin !== undefined && {
        begin(pod, cluster) {
          if (plugin === firstBegin) cycles++;
          counted('PreFilter');
          const answer = timed(
            'PreFilter',
            (found) => (isRejection(found) ? 'Unschedulable' : 'Success'),
            () => begin(pod, cluster),
          );
          if (answer === undefined || isRejection(answer)) return answer;
          counted('Filter');
          return isSampled() ? timedRun(answer, timed) : answer;
        },
      }),
      ...(score !== undefined && {
        score(pod, nodes, cluster) {
          counted('Score');
          return timed('Score', success, () => score(pod, nodes, cluster));
        },
      }),
      ...(postFilter !== undefined && {
        postFilter: (context) =>
          timed(
            'PostFilter',
            ({ isFinal }) => (isFinal ? 'Success' : 'Unschedulable'),
            () => postFilter(context),
          ),
      }),
      ...(reserve !== undefined && {
        reserve: (pod, node) => timed('Reserve', success, () => reserve(pod, node)),
      }),
    };
  });
}

type Timed = <T>(point: TimedPoint, statusOf: (answer: T) => PointStatus, run: () => T) => T;

function timedRun(run: FilterRun, timed: Timed): FilterRun {
  const { filter } = run;
  if (filter === undefined) return run;
  return {
    ...run,
    filter: (node) =>
      timed(
        'Filter',
        (rejected) => (rejected === undefined ? 'Success' : 'Unschedulable'),
        () => filter(node),
      ),
  };
}
