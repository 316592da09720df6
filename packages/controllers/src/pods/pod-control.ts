// Creates pods from templates and deletes them, and tells about both in events of their owner.

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { Pod, PodTemplateSpec } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import { errorText } from '../machinery/controller.ts';
import type { EventRecorder, ObjectAbout } from '../machinery/event-recorder.ts';
import { controllerReference, type OwnerKind } from '../machinery/ownership.ts';
import { podsResource } from '../machinery/resources.ts';
import { isNamespaceTerminating } from '../machinery/status-causes.ts';

export interface PodControl {
  /** Throws what the API refused, after having told so in an event. */
  create(owner: KubeObject, pod: Pod, signal: AbortSignal): Promise<Pod>;
  /** Resolves as well when it is gone already. Throws why not, after having told so in an event. */
  delete(owner: KubeObject, pod: Pod, signal: AbortSignal): Promise<void>;
}

export interface PodControlOptions {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly ownerKind: OwnerKind;
}

export function createPodControl({ client, events, ownerKind }: PodControlOptions): PodControl {
  const pods = client.resource<Pod>(podsResource);
  return {
    async create(owner, pod, signal) {
      const about = eventTarget(ownerKind, owner);
      try {
        const created = await pods.namespace(about.namespace).create(pod, { signal });
        const message = `Created pod: ${created.metadata.name}`;
        events.record(about, { type: 'Normal', reason: 'SuccessfulCreate', message });
        return created;
      } catch (error) {
        // The namespace says why already, and takes no new events.
        if (!signal.aborted && !isNamespaceTerminating(error)) {
          const message = `Error creating: ${errorText(error)}`;
          events.record(about, { type: 'Warning', reason: 'FailedCreate', message });
        }
        throw error;
      }
    },
    async delete(owner, { metadata: { name = '', uid = '' } }, signal) {
      const about = eventTarget(ownerKind, owner);
      try {
        const preconditions = { uid };
        await pods.namespace(about.namespace).delete(name, { preconditions, signal });
        const message = `Deleted pod: ${name}`;
        events.record(about, { type: 'Normal', reason: 'SuccessfulDelete', message });
      } catch (error) {
        if (isStatusError(error, 'NotFound')) return;
        const message = `Error deleting: ${errorText(error)}`;
        if (!signal.aborted)
          events.record(about, { type: 'Warning', reason: 'FailedDelete', message });
        throw new Error(`unable to delete pods: ${errorText(error)}`, { cause: error });
      }
    },
  };
}

export function eventTarget(
  { apiVersion, kind }: OwnerKind,
  { metadata }: KubeObject,
): ObjectAbout {
  const { namespace = '', name = '', uid = '' } = metadata;
  return { apiVersion, kind, namespace, name, uid };
}

/** Of a name, which a prefix may not exceed. */
const nameLengthMax = 253;

/** A pod of the template that the owner controls; the server completes the name. */
export function podFromTemplate(
  { metadata = {}, spec }: PodTemplateSpec,
  ownerKind: OwnerKind,
  owner: KubeObject,
): Pod {
  const { labels = {}, annotations = {}, finalizers = [] } = metadata;
  const { name = '' } = owner.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: name.length < nameLengthMax ? `${name}-` : name,
      labels: { ...labels },
      annotations: { ...annotations },
      finalizers: [...finalizers],
      ownerReferences: [controllerReference(ownerKind, owner)],
    },
    spec: structuredClone(spec) ?? { containers: [] },
  };
}
