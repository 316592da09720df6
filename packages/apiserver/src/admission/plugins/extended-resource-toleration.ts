// ExtendedResourceToleration (off): nodes with special hardware are tainted with the name of their
// extended resource, and who asks for the resource tolerates the taint. For every extended resource
// in the requests of a container or init container the pod gets the toleration
// `<resource>: Exists, NoSchedule`, in order of names; one that it has already stays as it is.

import { isExtendedResource, jsonEqual, type JsonObject } from '@keelson/apimachinery';
import type { PodSpec, Toleration } from '@keelson/apimachinery/types/core.v1';
import type { AdmissionPlugin } from '../admission.ts';
import { handling, podOf } from '../request-match.ts';

export function createExtendedResourceToleration(): AdmissionPlugin {
  return {
    name: 'ExtendedResourceToleration',
    handles: handling('CREATE', 'UPDATE'),
    mutate(attributes) {
      const spec = podOf(attributes)?.spec;
      if (spec === undefined) return;
      const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
      const names = containers.flatMap((c) => Object.keys(c.resources?.requests ?? {}));
      for (const key of [...new Set(names.filter(isExtendedResource))].sort())
        putToleration(spec, { key, operator: 'Exists', effect: 'NoSchedule' });
    },
  };
}

/** A toleration of the same key, value, operator and effect is replaced, unless it is equal. */
function putToleration(spec: PodSpec, toleration: Toleration): void {
  const given = spec.tolerations ?? [];
  if (given.some((other) => jsonEqual(other as JsonObject, toleration as JsonObject))) return;
  const rest = given.map((other) => (matches(other, toleration) ? toleration : other));
  spec.tolerations = rest.includes(toleration) ? rest : [...rest, toleration];
}

function matches(a: Toleration, b: Toleration): boolean {
  const fields = ['key', 'operator', 'value', 'effect'] as const;
  return fields.every((field) => (a[field] ?? '') === (b[field] ?? ''));
}
