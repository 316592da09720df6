// A control plane in a program: what tests and tools import.

export { clusterControllers, createCluster } from './create-cluster.ts';
export type {
  Cluster,
  ClusterAddress,
  ClusterOptions,
  ForkOptions,
  ListenOptions,
} from './create-cluster.ts';
export type { EventuallyOptions } from './eventually.ts';
export type { UserSpec } from './in-process-client.ts';
export type { Decision, DecisionRequest } from '@keelson/advisor';
