// Creates, resizes and deletes the ReplicaSets of a Deployment, and tells about it in events.

import { isStatusError } from '@keelson/apimachinery';
import type { Deployment, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type { Client } from '@keelson/client';
import { errorText } from '../machinery/controller.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { controllerReference, isControlledBy, type OwnerKind } from '../machinery/ownership.ts';
import { deploymentsResource, replicaSetsResource } from '../machinery/resources.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { podTemplateHash } from '../pods/template-hash.ts';
import { equalAnnotations, inheritAnnotations, withRevision, withSize } from './annotations.ts';
import { currentSize, type Resize } from './plan-scaling.ts';
import { hashLabel, hasTemplate, wantedReplicas } from './replica-sets.ts';

export const deploymentKind: OwnerKind = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  resource: deploymentsResource,
};

/** The name that the template's hash gives is taken by something else. */
export class HashCollision extends Error {
  constructor(name: string) {
    super(`a replica set named ${JSON.stringify(name)} is there already and has another template`);
    this.name = 'HashCollision';
  }
}

export interface ReplicaSetWrites {
  /**
   * The ReplicaSet of the template, created now or found to be there. Throws HashCollision and what
   * the API refuses.
   */
  create(
    deployment: Deployment,
    old: readonly ReplicaSet[],
    revision: number,
  ): Promise<{ readonly set: ReplicaSet; readonly isNew: boolean }>;
  /** With annotations and minReadySeconds of the Deployment; the same when it has them. */
  adjust(deployment: Deployment, set: ReplicaSet, revision: number): Promise<ReplicaSet>;
  /** One after the other, a ReplicaSet maybe twice. Whether any size has changed. */
  resize(deployment: Deployment, resizes: readonly Resize[]): Promise<boolean>;
  delete(set: ReplicaSet): Promise<void>;
}

export interface ReplicaSetWritesOptions {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly signal: AbortSignal;
}

export function createReplicaSetWrites(options: ReplicaSetWritesOptions): ReplicaSetWrites {
  const { client, events, signal } = options;
  const sets = ({ metadata }: Deployment | ReplicaSet) =>
    client.resource<ReplicaSet>(replicaSetsResource).namespace(metadata.namespace ?? '');
  const tell = (deployment: Deployment, message: string) =>
    events.record(eventTarget(deploymentKind, deployment), {
      type: 'Normal',
      reason: 'ScalingReplicaSet',
      message,
    });

  return {
    async create(deployment, old, revision) {
      const wanted = newReplicaSet(deployment, old, revision);
      const name = wanted.metadata.name ?? '';
      try {
        const set = await sets(deployment).create(wanted, { signal });
        const size = wantedReplicas(set);
        if (size > 0) tell(deployment, `Scaled up replica set ${name} from 0 to ${size}`);
        return { set, isNew: true };
      } catch (error) {
        if (!isStatusError(error, 'AlreadyExists')) throw error;
        const set = await sets(deployment).get(name, { signal });
        const isOurs =
          isControlledBy(set, deployment) && hasTemplate(set, deployment.spec.template);
        if (!isOurs) throw new HashCollision(name);
        return { set, isNew: false };
      }
    },
    async adjust(deployment, set, revision) {
      const { annotations = {} } = set.metadata;
      const wanted = withRevision(inheritAnnotations(deployment, annotations), revision);
      const { minReadySeconds = 0 } = deployment.spec;
      const isSame =
        equalAnnotations(annotations, wanted) &&
        (set.spec.minReadySeconds ?? 0) === minReadySeconds;
      if (isSame) return set;
      const metadata = { ...set.metadata, annotations: { ...wanted } };
      const spec = { ...set.spec, minReadySeconds };
      return sets(set).update({ ...set, metadata, spec }, { signal });
    },
    async resize(deployment, resizes) {
      const written = new Map<ReplicaSet, ReplicaSet>();
      let changed = false;
      for (const { set: asPlanned, replicas } of resizes) {
        const set = written.get(asPlanned) ?? asPlanned;
        const { annotations = {}, name = '' } = set.metadata;
        const wanted = withSize(deployment, annotations);
        const before = wantedReplicas(set);
        if (before === replicas && equalAnnotations(annotations, wanted)) continue;
        const metadata = { ...set.metadata, annotations: { ...wanted } };
        const resized = { ...set, metadata, spec: { ...set.spec, replicas } };
        written.set(asPlanned, await sets(set).update(resized, { signal }));
        if (before === replicas) continue;
        changed = true;
        const direction = replicas > before ? 'up' : 'down';
        tell(deployment, `Scaled ${direction} replica set ${name} from ${before} to ${replicas}`);
      }
      return changed;
    },
    async delete(set) {
      try {
        await sets(set).delete(set.metadata.name ?? '', { signal });
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    },
  };
}

/** What the event and the condition say when a ReplicaSet cannot be created. */
export function creationFailure(deployment: Deployment, error: unknown): string {
  return `Failed to create new replica set "${replicaSetName(deployment)}": ${errorText(error)}`;
}

function hashOf({ spec, status }: Deployment): string {
  return podTemplateHash(spec.template ?? { spec: { containers: [] } }, status?.collisionCount);
}
function replicaSetName(deployment: Deployment): string {
  const end = `-${hashOf(deployment)}`;
  return (deployment.metadata.name ?? '').slice(0, nameLengthMax - end.length) + end;
}
const nameLengthMax = 253;

function newReplicaSet(
  deployment: Deployment,
  old: readonly ReplicaSet[],
  revision: number,
): ReplicaSet {
  const { spec, metadata } = deployment;
  const { template, selector, minReadySeconds } = spec;
  const hash = { [hashLabel]: hashOf(deployment) };
  const labels = { ...template?.metadata?.labels, ...hash };
  const annotations = withSize(
    deployment,
    withRevision(inheritAnnotations(deployment, {}), revision),
  );
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: replicaSetName(deployment),
      namespace: metadata.namespace ?? '',
      labels,
      annotations: { ...annotations },
      ownerReferences: [controllerReference(deploymentKind, deployment)],
    },
    spec: {
      replicas: currentSize(deployment, old, 0),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, ...hash } },
      template: { ...template, metadata: { ...template?.metadata, labels } },
    },
  } as ReplicaSet;
}
