// How many pods a rolling update may have above the wanted number and how many it may miss.

import type { Deployment } from '@keelson/apimachinery/types/apps.v1';
import { scaledIntOrPercent } from '../machinery/int-or-percent.ts';

export interface RolloutBounds {
  readonly replicas: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** Surge is rounded up, unavailability down; both zero would be a standstill, so one may miss. */
export function rolloutBounds({ spec }: Deployment): RolloutBounds {
  const { replicas = 1, strategy } = spec;
  if (!isRollingUpdate(strategy?.type)) return { replicas, maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge: surge = '25%', maxUnavailable: missing = '25%' } =
    strategy?.rollingUpdate ?? {};
  const maxSurge = scaledIntOrPercent(surge, replicas, Math.ceil);
  const unavailable = scaledIntOrPercent(missing, replicas, Math.floor);
  const maxUnavailable = maxSurge === 0 && unavailable === 0 ? 1 : unavailable;
  return { replicas, maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}

export function isRollingUpdate(type: string | undefined): boolean {
  return type !== 'Recreate';
}
