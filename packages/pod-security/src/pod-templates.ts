// Where the pod is inside of an object: the pod itself, or the template of a workload.
// Objects come from the API server's decoder and are taken as schema valid v1 objects; anything
// that is not shaped like one at all is reported as undecodable.

import type { PodMetadata, PodSpec } from './pod.ts';
import type { Labels } from './policy-labels.ts';

export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

export interface OwnerReference {
  readonly uid?: string | null;
  readonly controller?: boolean | null;
}

/** A pod as this package needs it. */
export interface PodObject {
  readonly metadata: PodMetadata & {
    readonly ownerReferences?: readonly (OwnerReference | null)[] | null;
  };
  readonly spec: PodSpec;
}

export interface NamespaceObject {
  readonly metadata: { readonly name?: string | null; readonly labels?: Labels | null };
}

/** Fields from the object to its pod template, by `group/resource`. */
const templatePaths: ReadonlyMap<string, readonly string[]> = new Map([
  ['/podtemplates', ['template']],
  ['/replicationcontrollers', ['spec', 'template']],
  ['apps/replicasets', ['spec', 'template']],
  ['apps/deployments', ['spec', 'template']],
  ['apps/statefulsets', ['spec', 'template']],
  ['apps/daemonsets', ['spec', 'template']],
  ['batch/jobs', ['spec', 'template']],
  ['batch/cronjobs', ['spec', 'jobTemplate', 'spec', 'template']],
]);

/** True for resources that hold a pod template. */
export function hasPodTemplate({ group, resource }: GroupResource): boolean {
  return templatePaths.has(`${group}/${resource}`);
}

/**
 * The template of a workload; `'absent'` when the object has none, which only a
 * ReplicationController may; `undefined` when the object cannot be read.
 */
export function podTemplateOf(
  { group, resource }: GroupResource,
  object: unknown,
): PodObject | 'absent' | undefined {
  let current: unknown = object;
  if (!isRecord(current)) return undefined;
  for (const field of templatePaths.get(`${group}/${resource}`) ?? []) {
    if (current === undefined || current === null) return 'absent';
    if (!isRecord(current)) return undefined;
    current = current[field];
  }
  return current === undefined || current === null ? 'absent' : toPod(current);
}

/** The object as a pod, or `undefined` when it cannot be one. Absent parts are empty parts. */
export function toPod(object: unknown): PodObject | undefined {
  if (!isRecord(object)) return undefined;
  const metadata = object['metadata'] ?? {};
  const spec = object['spec'] ?? {};
  if (!isRecord(metadata) || !isRecord(spec)) return undefined;
  // Decoder edge: the API server has checked the fields against the schema.
  return { metadata, spec } as PodObject;
}

/** The object as a namespace, or `undefined` when it cannot be one. */
export function toNamespace(object: unknown): NamespaceObject | undefined {
  if (!isRecord(object)) return undefined;
  const metadata = object['metadata'] ?? {};
  if (!isRecord(metadata)) return undefined;
  return { metadata } as NamespaceObject;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
