// What a Deployment writes into annotations: which revision a ReplicaSet is, which revisions it was
// before, and how large the Deployment was when the ReplicaSet was scaled last.

import type { Deployment, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import { rolloutBounds } from './rollout-bounds.ts';

const prefix = 'deployment.kubernetes.io/';
export const revisionAnnotation = `${prefix}revision`;
const historyAnnotation = `${prefix}revision-history`;
const desiredAnnotation = `${prefix}desired-replicas`;
const maxAnnotation = `${prefix}max-replicas`;
/** Characters; the oldest revisions are forgotten first. */
const historyLengthMax = 2_000;

/** Stands for `spec.rollbackTo` of extensions/v1beta1: the number of a revision, or 0 for the last. */
export const rollbackAnnotation = 'deprecated.deployment.rollback.to';

/** About the Deployment itself, so not for its ReplicaSets. */
const notInherited = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  rollbackAnnotation,
]);

type Annotations = Readonly<Record<string, string>>;

/** 0 when there is none, or none that can be read. */
export function revisionOf({ metadata }: ReplicaSet): number {
  const value = Number(metadata.annotations?.[revisionAnnotation] ?? 0);
  return Number.isSafeInteger(value) ? value : 0;
}

export function inheritAnnotations(
  { metadata }: Deployment,
  annotations: Annotations,
): Annotations {
  return { ...annotations, ...select(metadata.annotations, (key) => !notInherited.has(key)) };
}

/** Of a Deployment that gets back what it was when `set` was its ReplicaSet. */
export function annotationsOfRollback(deployment: Deployment, set: ReplicaSet): Annotations {
  const own = select(deployment.metadata.annotations, (key) => notInherited.has(key));
  return { ...own, ...select(set.metadata.annotations, (key) => !notInherited.has(key)) };
}

function select(annotations: Annotations = {}, isWanted: (key: string) => boolean): Annotations {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => isWanted(key)));
}

/** A ReplicaSet that is used again gets a new revision and remembers what it was. */
export function withRevision(annotations: Annotations, revision: number): Annotations {
  const before = annotations[revisionAnnotation];
  const last = Number(before ?? 0);
  if (before !== undefined && !(last < revision)) return annotations;
  const next = { ...annotations, [revisionAnnotation]: String(revision) };
  if (before === undefined) return next;
  const history = (annotations[historyAnnotation] ?? '').split(',').filter((item) => item !== '');
  history.push(before);
  while (history.length > 1 && history.join().length > historyLengthMax) history.shift();
  return { ...next, [historyAnnotation]: history.join() };
}

/** For scaling in proportion: what the numbers of replicas were parts of. */
export function withSize(deployment: Deployment, annotations: Annotations): Annotations {
  const { replicas, maxSurge } = rolloutBounds(deployment);
  return {
    ...annotations,
    [desiredAnnotation]: String(replicas),
    [maxAnnotation]: String(replicas + maxSurge),
  };
}
export function desiredReplicasOf(set: ReplicaSet): number | undefined {
  return numberIn(set, desiredAnnotation);
}
export function maxReplicasOf(set: ReplicaSet): number | undefined {
  return numberIn(set, maxAnnotation);
}

export function equalAnnotations(a: Annotations, b: Annotations): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function numberIn({ metadata }: ReplicaSet, annotation: string): number | undefined {
  const text = metadata.annotations?.[annotation];
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}
