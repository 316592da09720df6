// The history of a workload's pod template: one ControllerRevision for each template it had, numbered
// in the order in which they were last wanted. StatefulSets and DaemonSets keep theirs here; they
// differ in how they hash a template and which label has the hash.

import {
  applyMergePatch,
  isJsonObject,
  isStatusError,
  jsonEqual,
  type JsonValue,
  type KubeObject,
} from '@keelson/apimachinery';
import type { ControllerRevision } from '@keelson/apimachinery/types/apps.v1';
import type { PodTemplateSpec } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import { controllerReference, isControlledBy, type OwnerKind } from '../machinery/ownership.ts';
import { controllerRevisionsResource } from '../machinery/resources.ts';

export interface RevisionedWorkload extends KubeObject {
  spec: { template: PodTemplateSpec; revisionHistoryLimit?: number };
  status?: { collisionCount?: number } | undefined;
}
export interface RevisionKind {
  readonly ownerKind: OwnerKind;
  readonly hashLabel: string;
  hashOf(workload: RevisionedWorkload, data: JsonValue, collisions: number): string;
}

export interface CurrentRevision {
  readonly revision: ControllerRevision;
  readonly collisions: number;
}

const historyLimit = 10;
/** Names that were taken by others in one go; the next reconciliation goes on from there. */
const collisionsMax = 10;

/** The number of the revision comes first, then who was there first. */
export function inOrder(revisions: readonly ControllerRevision[]): ControllerRevision[] {
  const keyOf = ({ metadata }: ControllerRevision) =>
    `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`;
  return revisions.toSorted(
    (a, b) => Number(a.revision) - Number(b.revision) || (keyOf(a) < keyOf(b) ? -1 : 1),
  );
}

/** What is stored of a template: a patch that puts it in the place of any other. */
export function revisionData(template: PodTemplateSpec): JsonValue {
  const stored = JSON.parse(JSON.stringify(template, plainNumbers)) as { [key: string]: JsonValue };
  return { spec: { template: { ...stored, $patch: 'replace' } } };
}
const plainNumbers = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? Number(value) : value;

export function templateOf({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const stored = data as
    | { spec?: { template?: PodTemplateSpec & { $patch?: string } } }
    | undefined;
  if (stored?.spec?.template === undefined) return undefined;
  const { $patch: _, ...template } = stored.spec.template;
  return template as PodTemplateSpec;
}

export interface RevisionWrites {
  readonly client: Client;
  readonly kind: RevisionKind;
  readonly signal: AbortSignal;
}

/**
 * The revision of the template that is wanted now, which becomes the last one. Throws what the API
 * refused.
 */
export async function ensureRevision(
  writes: RevisionWrites,
  workload: RevisionedWorkload,
  known: readonly ControllerRevision[],
): Promise<CurrentRevision> {
  const { client, signal } = writes;
  const collisions = workload.status?.collisionCount ?? 0;
  const data = revisionData(workload.spec.template);
  const last = known.at(-1);
  const equal = known.findLast((revision) => isSameData(revision, data));
  if (equal !== undefined && equal === last) return { revision: equal, collisions };
  const number = Number(last?.revision ?? 0) + 1;
  if (equal === undefined) return create(writes, workload, { data, number, collisions });
  const { namespace = '' } = workload.metadata;
  const resource = client.resource<ControllerRevision>(controllerRevisionsResource);
  const updated = { ...equal, revision: number };
  const revision = await resource.namespace(namespace).update(updated, { signal });
  return { revision, collisions };
}

/** Those beyond the limit go, the oldest first; what is still needed stays, but counts. */
export async function truncateHistory(
  { client, signal }: RevisionWrites,
  workload: RevisionedWorkload,
  counted: readonly ControllerRevision[],
  isNeeded: (revision: ControllerRevision) => boolean = () => false,
): Promise<void> {
  const limit = workload.spec.revisionHistoryLimit ?? historyLimit;
  const unused = counted.filter((revision) => !isNeeded(revision));
  const { namespace = '' } = workload.metadata;
  const resource = client.resource<ControllerRevision>(controllerRevisionsResource);
  for (const { metadata } of unused.slice(0, Math.max(0, counted.length - limit))) {
    try {
      await resource.namespace(namespace).delete(metadata.name ?? '', { signal });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  }
}

export function isOfTemplate(revision: ControllerRevision, template: PodTemplateSpec): boolean {
  return isSameData(revision, revisionData(template));
}

/** Releases before 1.34 wrote `creationTimestamp: null`, which must not be a new template now. */
function isSameData({ data }: ControllerRevision, wanted: JsonValue): boolean {
  return isJsonObject(data) && jsonEqual(applyMergePatch({}, data), wanted);
}

interface NewRevision {
  readonly data: JsonValue;
  readonly number: number;
  readonly collisions: number;
}

async function create(
  { client, kind, signal }: RevisionWrites,
  workload: RevisionedWorkload,
  { data, number, collisions: before }: NewRevision,
): Promise<CurrentRevision> {
  const { namespace = '', name = '', annotations = {} } = workload.metadata;
  const resource = client.resource<ControllerRevision>(controllerRevisionsResource);
  const revisions = resource.namespace(namespace);
  for (let collisions = before; ; collisions++) {
    const hash = kind.hashOf(workload, data, collisions);
    const labels = { ...workload.spec.template.metadata?.labels, [kind.hashLabel]: hash };
    const revision: ControllerRevision = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `${name.slice(0, nameLengthMax)}-${hash}`,
        namespace,
        labels,
        annotations: { ...annotations },
        ownerReferences: [controllerReference(kind.ownerKind, workload)],
      },
      data,
      revision: number,
    };
    try {
      return { revision: await revisions.create(revision, { signal }), collisions };
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
      const other = await revisions.get(revision.metadata.name ?? '', { signal });
      // The cache was behind: that one is ours.
      if (isControlledBy(other, workload) && isSameData(other, data))
        return { revision: other, collisions };
      if (collisions - before >= collisionsMax) throw error;
    }
  }
}

/** With the hash, 253 letters at most. */
const nameLengthMax = 223;
