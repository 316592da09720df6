// Brings the default roles and bindings of a cluster up to date at each start: what is missing is
// created, permissions and subjects that an upgrade added are added. Nothing is ever taken away,
// and objects with the annotation `rbac.authorization.kubernetes.io/autoupdate: "false"` are left
// alone.

import { isDeepStrictEqual } from 'node:util';
import { aggregationSelectorsOf, type KubeObject } from '@keelson/apimachinery';
import {
  autoUpdateAnnotation,
  type BootstrapObject,
  type RbacResource,
} from './bootstrap-policy.ts';
import { roleRefOf, rulesOf, subjectsOf, type Subject } from './rbac/policy-rule.ts';
import { uncoveredRules } from './rbac/rule-coverage.ts';

/**
 * Where the objects live. Objects handed out are frozen; the functions reject with StatusErrors.
 */
export interface RbacObjectStore {
  get(resource: RbacResource, namespace: string, name: string): Promise<KubeObject | undefined>;
  create(resource: RbacResource, object: KubeObject): Promise<unknown>;
  update(resource: RbacResource, object: KubeObject): Promise<unknown>;
  delete(resource: RbacResource, namespace: string, name: string): Promise<unknown>;
}

export interface ReconcileCounts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
}

/**
 * Roles first, then bindings; the objects of each step at the same time, so that they share a
 * flush.
 */
export async function reconcileBootstrapPolicy(
  store: RbacObjectStore,
  policy: readonly BootstrapObject[],
): Promise<ReconcileCounts> {
  const counts = { created: 0, updated: 0, unchanged: 0 };
  const isRole = ({ resource }: BootstrapObject) => !resource.endsWith('bindings');
  for (const step of [policy.filter(isRole), policy.filter((o) => !isRole(o))])
    for (const outcome of await Promise.all(step.map((wanted) => reconcileOne(store, wanted))))
      counts[outcome]++;
  return counts;
}

async function reconcileOne(
  store: RbacObjectStore,
  { resource, object: wanted }: BootstrapObject,
): Promise<keyof ReconcileCounts> {
  const { namespace = '', name = '' } = wanted.metadata;
  const existing = await store.get(resource, namespace, name);
  if (existing === undefined) {
    await store.create(resource, wanted);
    return 'created';
  }
  if (existing.metadata.annotations?.[autoUpdateAnnotation] === 'false') return 'unchanged';
  if (resource.endsWith('bindings') && !sameRole(wanted, existing)) {
    // A binding cannot be pointed to another role, only replaced.
    await store.delete(resource, namespace, name);
    await store.create(resource, { ...wanted, subjects: mergedSubjects(wanted, existing) });
    return 'updated';
  }
  const merged = resource.endsWith('bindings')
    ? mergedBinding(wanted, existing)
    : mergedRole(wanted, existing);
  if (merged === undefined) return 'unchanged';
  await store.update(resource, merged);
  return 'updated';
}

/** Undefined when nothing is missing. */
function mergedRole(wanted: KubeObject, existing: KubeObject): KubeObject | undefined {
  const metadata = mergedMetadata(wanted, existing);
  const [held, needed] = [rulesOf(existing), rulesOf(wanted)];
  // So it is at every start but the first, and permission by permission is much slower to compare.
  const missingRules = isDeepStrictEqual(held, needed) ? [] : uncoveredRules(held, needed);
  const selectors = aggregationSelectorsOf(existing);
  const known = new Set(selectors.map((s) => JSON.stringify(s)));
  const missingSelectors = aggregationSelectorsOf(wanted).filter(
    (selector) => !known.has(JSON.stringify(selector)),
  );
  if (metadata === undefined && missingRules.length === 0 && missingSelectors.length === 0)
    return undefined;
  return {
    ...existing,
    metadata: metadata ?? existing.metadata,
    rules: [...held, ...missingRules],
    ...(missingSelectors.length > 0
      ? { aggregationRule: { clusterRoleSelectors: [...selectors, ...missingSelectors] } }
      : {}),
  };
}

function mergedBinding(wanted: KubeObject, existing: KubeObject): KubeObject | undefined {
  const metadata = mergedMetadata(wanted, existing);
  const subjects = mergedSubjects(wanted, existing);
  if (metadata === undefined && subjects.length === subjectsOf(existing).length) return undefined;
  return { ...existing, metadata: metadata ?? existing.metadata, subjects };
}

function mergedSubjects(wanted: KubeObject, existing: KubeObject): Subject[] {
  const key = ({ kind, apiGroup = '', namespace = '', name }: Subject) =>
    JSON.stringify([kind, apiGroup, namespace, name]);
  const present = subjectsOf(existing);
  const known = new Set(present.map(key));
  return [...present, ...subjectsOf(wanted).filter((subject) => !known.has(key(subject)))];
}

/**
 * The existing metadata with the labels and annotations that it lacks; undefined when it has all.
 */
function mergedMetadata(
  wanted: KubeObject,
  existing: KubeObject,
): KubeObject['metadata'] | undefined {
  const labels = { ...wanted.metadata.labels, ...existing.metadata.labels };
  const annotations = { ...wanted.metadata.annotations, ...existing.metadata.annotations };
  const size = (map: object | undefined) => Object.keys(map ?? {}).length;
  const complete =
    size(labels) === size(existing.metadata.labels) &&
    size(annotations) === size(existing.metadata.annotations);
  return complete ? undefined : { ...existing.metadata, labels, annotations };
}

function sameRole(a: KubeObject, b: KubeObject): boolean {
  const [left, right] = [roleRefOf(a), roleRefOf(b)];
  return left.kind === right.kind && left.name === right.name;
}
