// The strategies of the storagemigration.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { storageVersionMigrationStrategy } from './storageversionmigrations/strategy.ts';

export const storagemigrationStrategies: Readonly<Record<string, Strategy>> = {
  storageversionmigrations: storageVersionMigrationStrategy as Strategy,
};
