// Who leads, as component-base shows it.

import type { ControllerMetrics } from '../machinery/controller-metrics.ts';

export interface LeaderMetrics {
  /** By the lease's name. */
  leads(name: string, isLeading: boolean): void;
  /** A renewal had to read the lease first. */
  slowPath(name: string): void;
}

const about = "'name' is the string used to identify the lease. Please make sure to group by name.";

export function createLeaderMetrics(metrics: ControllerMetrics): LeaderMetrics {
  const status = metrics.gauge(
    'leader_election_master_status',
    `[ALPHA] Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. ${about}`,
  );
  const slowPaths = metrics.counter(
    'leader_election_slowpath_total',
    `[ALPHA] Total number of slow path exercised in renewing leader leases. ${about}`,
  );
  return {
    leads: (name, isLeading) => status.set({ name }, isLeading ? 1 : 0),
    slowPath: (name) => slowPaths.add({ name }),
  };
}
