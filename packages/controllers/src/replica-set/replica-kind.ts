// What keeps a number of equal pods: a ReplicaSet, or its predecessor, the ReplicationController.
// Both have the same fields but for the selector, so one controller serves both.

import {
  compileLabelSelector,
  labelMatcherFromSet,
  type KubeObject,
  type LabelMatcher,
} from '@keelson/apimachinery';
import type { ReplicaSetStatus } from '@keelson/apimachinery/types/apps.v1';
import type { PodTemplateSpec } from '@keelson/apimachinery/types/core.v1';
import type { OwnerKind } from '../machinery/ownership.ts';
import { replicaSetsResource, replicationControllersResource } from '../machinery/resources.ts';

export interface ReplicaKeeper extends KubeObject {
  spec: {
    replicas?: number;
    minReadySeconds?: number;
    selector?: object;
    template?: PodTemplateSpec;
  };
  status?: ReplicaSetStatus;
}

export interface ReplicaKind extends OwnerKind {
  /** Name in events. */
  readonly component: string;
  /** Name of the queue in metrics. */
  readonly queue: string;
  /** Throws SelectorError. */
  selectorOf(keeper: ReplicaKeeper): LabelMatcher;
  /** ReplicationControllers do not count pods on their way out. */
  readonly countsTerminating: boolean;
}

export const replicaSetKind: ReplicaKind = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  resource: replicaSetsResource,
  component: 'replicaset-controller',
  queue: 'replicaset',
  selectorOf: ({ spec }) => compileLabelSelector(spec.selector ?? {}),
  countsTerminating: true,
};

export const replicationControllerKind: ReplicaKind = {
  apiVersion: 'v1',
  kind: 'ReplicationController',
  resource: replicationControllersResource,
  component: 'replication-controller',
  queue: 'replicationmanager',
  selectorOf: ({ spec }) => labelMatcherFromSet({ ...spec.selector } as Record<string, string>),
  countsTerminating: false,
};
