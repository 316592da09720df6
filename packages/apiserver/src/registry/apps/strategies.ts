// The strategies of group `apps`.

import type { Strategy } from '../strategy.ts';
import { controllerRevisionStrategy } from './controllerrevisions/strategy.ts';
import { daemonSetStrategy } from './daemonsets/strategy.ts';
import { deploymentStrategy } from './deployments/strategy.ts';
import { replicaSetStrategy } from './replicasets/strategy.ts';
import { statefulSetStrategy } from './statefulsets/strategy.ts';

export const appsStrategies: Readonly<Record<string, Strategy>> = {
  controllerrevisions: controllerRevisionStrategy as Strategy,
  daemonsets: daemonSetStrategy as Strategy,
  deployments: deploymentStrategy as Strategy,
  replicasets: replicaSetStrategy as Strategy,
  statefulsets: statefulSetStrategy as Strategy,
};
