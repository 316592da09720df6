// Puts API Priority and Fairness together: the filter, what it counts, and the pages that show it.

import type { Clock, Random } from '@keelson/apimachinery';
import type { ServerLimits } from '../../config.ts';
import type { PathHandler } from '../../endpoints/router.ts';
import type { Features } from '../../features/features.ts';
import type { Metrics } from '../../metrics.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { ResourceIndex } from '../../registry/resource-endpoint.ts';
import type { Filter } from '../../request-pipeline.ts';
import { createFlowControlFilter } from '../flow-control.ts';
import { createFlowControlDumps } from './debug-dumps.ts';
import { createFlowController } from './flow-controller.ts';
import { registerFlowMetrics } from './flow-metrics.ts';
import { createReadWriteMeter } from './read-write-meter.ts';
import { createTurns } from './turns.ts';
import { createWatchCounts } from './watch-counts.ts';
import { createWorkEstimator } from './work-estimate.ts';

export interface FlowControlServices {
  readonly features: Features;
  readonly index: Pick<ResourceIndex, 'find'>;
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  /** Aborted when the server shuts down. */
  readonly signal: AbortSignal;
}

/** The live views of the two kinds that configure it. */
export interface FlowControlSources {
  readonly schemas: ObjectSource;
  readonly levels: ObjectSource;
}

export interface FlowControl {
  readonly filter: Filter;
  /** What it shows of itself. */
  readonly paths: readonly PathHandler[];
}

/** The seats of the server are as many as requests may run at once without it. */
export function startFlowControl(
  sources: FlowControlSources,
  services: FlowControlServices,
): FlowControl {
  const { features, index, limits, clock, random, metrics, signal } = services;
  const readWrite = createReadWriteMeter(clock);
  const controller = createFlowController({
    ...sources,
    serverSeats: limits.readOnlyInFlightMax + limits.mutatingInFlightMax,
    clock,
    random,
    onRoom: readWrite.setRoom,
  });
  signal.addEventListener('abort', () => controller.close(), { once: true });
  registerFlowMetrics({ metrics, controller, readWrite, clock });
  const watches = createWatchCounts();
  const estimate = createWorkEstimator({ features, index, watches, clock });
  const takeTurn = createTurns(clock);
  const parts = { controller, estimate, watches, readWrite, takeTurn, clock, limits };
  return {
    filter: createFlowControlFilter(parts),
    paths: [createFlowControlDumps(controller, clock)],
  };
}
