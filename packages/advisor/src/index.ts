// The advisor: what would this cluster do, and why? Each answer comes from a real API server.

export type {
  AdvisedCluster,
  AdvisedClusterOptions,
  AdvisedUser,
  ClusterFactory,
  Decision,
  DecisionRequest,
} from './cluster.ts';
