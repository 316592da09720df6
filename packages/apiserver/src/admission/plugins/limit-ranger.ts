// LimitRanger: the LimitRanges of a namespace set default resources and bounds for new pods and
// claims.
//
// - Mutation, pods only: what a container or init container does not request or limit itself it
//   gets from `defaultRequest` and `default` of the items of type Container. The annotation
//   kubernetes.io/limit-ranger says what was set.
// - Validation: items of type Container bound every container and init container, items of type Pod
//   the pod as a whole, items of type PersistentVolumeClaim the requests of a claim
//   (limit-range-constraints.ts).
// - New pods and their resizes, new and updated claims; no other subresource, and nothing that is
//   being deleted.

import { setOwn, type JsonObject } from '@keelson/apimachinery';
import type { Container, LimitRange, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../features/features.ts';
import type { ObjectSource } from '../../object-source.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { asKind, handling, isAbout } from '../request-match.ts';
import { claimViolations, podViolations } from './limit-range-constraints.ts';

const annotation = 'kubernetes.io/limit-ranger';

export function createLimitRanger(limitRanges: ObjectSource, features: Features): AdmissionPlugin {
  const podLevel = features.enabled('PodLevelResources');
  const canResize = features.enabled('InPlacePodVerticalScaling');
  const rangesFor = (attributes: AdmissionAttributes): LimitRange[] => {
    if (!isLimited(attributes, canResize)) return [];
    if (attributes.oldObject?.metadata.deletionTimestamp !== undefined) return [];
    return limitRanges.list(attributes.namespace).map((object) => asKind<LimitRange>(object));
  };
  return {
    name: 'LimitRanger',
    handles: handling('CREATE', 'UPDATE'),
    mutate(attributes) {
      if (!isAbout(attributes, '', 'pods')) return;
      const ranges = rangesFor(attributes);
      if (ranges.length === 0 || attributes.object === undefined) return;
      for (const range of ranges) applyDefaults(asKind<Pod>(attributes.object), range);
    },
    validate(attributes) {
      if (attributes.object === undefined) return;
      for (const range of rangesFor(attributes)) {
        const violations = isAbout(attributes, '', 'pods')
          ? podViolations(asKind(attributes.object), range, podLevel)
          : claimViolations(asKind(attributes.object), range);
        if (violations.length > 0) throw admissionForbidden(attributes, joined(violations));
      }
    },
  };
}

function isLimited(attributes: AdmissionAttributes, canResize: boolean): boolean {
  const { operation, subresource } = attributes;
  if (isAbout(attributes, '', 'pods'))
    return operation === 'CREATE'
      ? subresource === ''
      : subresource === 'resize' && operation === 'UPDATE' && canResize;
  return isAbout(attributes, '', 'persistentvolumeclaims') && subresource === '';
}

function applyDefaults(pod: Pod, range: LimitRange): void {
  const defaults = { requests: new Map<string, string>(), limits: new Map<string, string>() };
  for (const item of range.spec?.limits ?? []) {
    if (item.type !== 'Container') continue;
    for (const [name, text] of Object.entries(item.defaultRequest ?? {}))
      defaults.requests.set(name, text);
    for (const [name, text] of Object.entries(item.default ?? {})) defaults.limits.set(name, text);
  }
  const spec = (pod.spec ??= { containers: null });
  const notes: string[] = [];
  const fill = (container: Container, kind: string) => {
    for (const [field, word] of [
      ['requests', 'request'],
      ['limits', 'limit'],
    ] as const) {
      const set = fillAbsent(container, field, defaults[field]);
      if (set.length > 0) notes.push(`${set.join(', ')} ${word} for ${kind} ${container.name}`);
    }
  };
  for (const container of spec.containers ?? []) fill(container, 'container');
  for (const container of spec.initContainers ?? []) fill(container, 'init container');
  if (notes.length === 0) return;
  const text = `LimitRanger plugin set: ${notes.join('; ')}`;
  pod.metadata.annotations = { ...pod.metadata.annotations, [annotation]: text };
}

/** The names that were set, in order. */
function fillAbsent(
  container: Container,
  field: 'requests' | 'limits',
  defaults: ReadonlyMap<string, string>,
): string[] {
  const given = container.resources?.[field] ?? {};
  const absent = [...defaults.keys()].filter((name) => !Object.hasOwn(given, name)).sort();
  if (absent.length === 0) return absent;
  const filled: JsonObject = { ...given };
  for (const name of absent) setOwn(filled, name, defaults.get(name));
  container.resources = { ...container.resources, [field]: filled as Record<string, string> };
  return absent;
}

function joined(violations: readonly string[]): string {
  const distinct = [...new Set(violations)];
  return distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]`;
}
