// PodTolerationRestriction (off): a namespace says what its pods tolerate.
//
// - The annotation scheduler.alpha.kubernetes.io/defaultTolerations of the namespace (a JSON list;
//   the empty text is the empty list), or without it the configured `default`, joins the tolerations
//   of a new pod.
// - A pod that is not BestEffort also tolerates node.kubernetes.io/memory-pressure:NoSchedule.
// - When the annotation scheduler.alpha.kubernetes.io/tolerationsWhitelist, or without it the
//   configured `whitelist`, lists anything, it must cover all tolerations of the pod.
// Pods themselves, created and updated. What is refused is an error without a code, as upstream.

import { copyJson, isBestEffort } from '@keelson/apimachinery';
import type { Pod, Toleration } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../features/features.ts';
import type { ObjectSource } from '../../object-source.ts';
import { plainError } from '../../registry/storage-errors.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import { handling, podOf } from '../request-match.ts';
import { areTolerationsAllowed, mergeTolerations } from '../tolerations.ts';
import { namespaceNotFound } from './namespace-lifecycle.ts';

export interface PodTolerationRestrictionConfiguration {
  readonly default?: readonly Toleration[];
  readonly whitelist?: readonly Toleration[];
}

const defaultsAnnotation = 'scheduler.alpha.kubernetes.io/defaultTolerations';
const allowedAnnotation = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist';
const memoryPressure: Toleration = {
  key: 'node.kubernetes.io/memory-pressure',
  operator: 'Exists',
  effect: 'NoSchedule',
};

export function createPodTolerationRestriction(
  namespaces: ObjectSource,
  features: Features,
  configuration: PodTolerationRestrictionConfiguration = {},
): AdmissionPlugin {
  const podLevelResources = features.enabled('PodLevelResources');
  const annotated = (name: string, key: string): readonly Toleration[] | undefined => {
    const namespace = namespaces.get('', name);
    if (namespace === undefined) throw namespaceNotFound(name);
    const text = namespace.metadata.annotations?.[key];
    return text === undefined ? undefined : parseTolerations(text);
  };
  const check = ({ namespace }: AdmissionAttributes, pod: Pod) => {
    const tolerations = pod.spec.tolerations ?? [];
    if (tolerations.length === 0) return;
    const own = annotated(namespace, allowedAnnotation);
    if (areTolerationsAllowed(tolerations, own ?? configuration.whitelist ?? [])) return;
    throw plainError(
      'pod tolerations (possibly merged with namespace default tolerations) conflict with its ' +
        `${own === undefined ? 'cluster' : 'namespace'} whitelist`,
    );
  };
  return {
    name: 'PodTolerationRestriction',
    handles: handling('CREATE', 'UPDATE'),
    mutate(attributes) {
      const pod = podOf(attributes);
      if (pod === undefined) return;
      const defaults =
        attributes.operation === 'CREATE'
          ? (annotated(attributes.namespace, defaultsAnnotation) ?? configuration.default ?? [])
          : [];
      const added = isBestEffort(pod, podLevelResources) ? defaults : [...defaults, memoryPressure];
      if (added.length > 0)
        pod.spec.tolerations = copyJson(mergeTolerations(added, pod.spec.tolerations ?? []));
      check(attributes, pod);
    },
    validate(attributes) {
      const pod = podOf(attributes);
      if (pod !== undefined) check(attributes, pod);
    },
  };
}

function parseTolerations(text: string): readonly Toleration[] {
  if (text === '') return [];
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw plainError(error instanceof Error ? error.message : String(error));
  }
  if (list === null) return [];
  if (!Array.isArray(list)) throw plainError('the tolerations of the namespace are not a list');
  return list.map((item: unknown) => parseToleration(item));
}

const textFields = ['key', 'operator', 'value', 'effect'] as const;

function parseToleration(item: unknown): Toleration {
  if (typeof item !== 'object' || item === null)
    throw plainError('a toleration of the namespace is not an object');
  const fields = new Map(Object.entries(item));
  const toleration: Toleration = {};
  for (const field of textFields) {
    const value: unknown = fields.get(field);
    if (typeof value === 'string') toleration[field] = value;
    else if (value !== undefined && value !== null)
      throw plainError(`${field} of a toleration of the namespace is not a string`);
  }
  const seconds: unknown = fields.get('tolerationSeconds');
  if (Number.isSafeInteger(seconds)) toleration.tolerationSeconds = Number(seconds);
  else if (seconds !== undefined && seconds !== null)
    throw plainError('tolerationSeconds of a toleration of the namespace is not an integer');
  return toleration;
}
