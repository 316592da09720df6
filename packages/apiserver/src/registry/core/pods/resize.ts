// `pods/resize`: changes cpu and memory of a running pod in place (KEP-1287). Everything else that
// the request holds is ignored, except that containers must be the same.

import { copyJson, anyElement, fieldError } from '@keelson/apimachinery';
import type {
  Container,
  Pod,
  PodSpec,
  ResourceRequirements,
} from '@keelson/apimachinery/types/core.v1';
import { isMirrorPod } from '../../../authorization/mirror-pod.ts';
import type { Features } from '../../../features/features.ts';
import type { Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { dropDisabledPodFields } from '../pod-spec/disabled-fields.ts';
import { podUpdateOptions } from '../pod-spec/options.ts';
import { isRestartableInitContainer } from '../pod-spec/visit-containers.ts';
import type { PodSpecOptions } from '../pod-spec/scope.ts';
import type { SubresourceStrategy } from '../../strategy.ts';
import { advancePodGeneration, resetMetadata } from './pod-metadata.ts';
import { computeQosClass, qosClassOf } from './quality-of-service.ts';
import { podAndSpec } from './validation.ts';

const containerFields = ['containers', 'initContainers'] as const;

export const resizeStrategy: SubresourceStrategy<Pod> = {
  prepareForUpdate(pod, old, { features }) {
    const wanted = pod.spec;
    pod.spec = copyJson(old.spec);
    pod.status = copyJson(old.status);
    resetMetadata(pod, old);
    for (const field of containerFields) takeResources(pod.spec, wanted, field);
    if (features.enabled('InPlacePodLevelResourcesVerticalScaling')) {
      if (wanted.resources === undefined) delete pod.spec.resources;
      else pod.spec.resources = wanted.resources;
    }
    dropDisabledPodFields(pod.spec, old.spec, features);
    advancePodGeneration(pod, old);
  },
  validateUpdate(pod, old, { features }) {
    const options = podUpdateOptions(features, old);
    return validateResize(pod, old, { options, features });
  },
  ownedFields: [
    ['spec', 'resources'],
    ...containerFields.flatMap((field) => [
      ['spec', field, anyElement, 'resources'],
      ['spec', field, anyElement, 'resizePolicy'],
    ]),
  ],
};

type ContainerField = (typeof containerFields)[number];

/** Other containers than before are kept as they are wanted, for validation to refuse. */
function takeResources(spec: PodSpec, wanted: PodSpec, field: ContainerField): void {
  const now = wanted[field] ?? [];
  const before = spec[field] ?? [];
  const same = now.length === before.length && now.every((c, i) => c.name === before[i]?.name);
  if (!same) {
    spec[field] = now;
    return;
  }
  before.forEach((container, i) => {
    const next = now[i];
    if (next?.resources === undefined) delete container.resources;
    else container.resources = next.resources;
    if (next?.resizePolicy === undefined) delete container.resizePolicy;
    else container.resizePolicy = next.resizePolicy;
  });
}

interface ResizeScope {
  readonly options: PodSpecOptions;
  readonly features: Features;
}

function validateResize(pod: Pod, old: Pod, { options, features }: ResizeScope): Errors {
  const errors: Errors = [];
  podAndSpec(errors, pod, options);
  const refused = notResizable(old, pod, features);
  if (refused !== undefined) return [fieldError.forbidden('', refused)];
  const before = errors.length;
  for (const field of containerFields) sameContainers(errors, field, pod.spec, old.spec);
  if (errors.length > before) return errors;
  if (qosClassOf(old, features) !== computeQosClass(pod, features)) {
    const why = 'Pod QOS Class may not change as a result of resizing';
    errors.push(fieldError.invalid('spec', pod.status?.qosClass ?? '', why));
  }
  if (!isResizeSupported(old)) {
    const why = 'Pod running on node without support for resize';
    errors.push(fieldError.forbidden('spec', why));
  }
  removedResources(errors, 'spec.resources', pod.spec.resources, old.spec.resources);
  for (const field of ['initContainers', 'containers'] as const) {
    (old.spec[field] ?? []).forEach((container, i) => {
      const next = pod.spec[field]?.[i];
      if (field === 'initContainers' && !mayResizeInit(container, features)) return;
      const at = `spec.${field}[${i}].resources`;
      removedResources(errors, at, next?.resources, container.resources);
    });
  }
  onlyCpuAndMemory(errors, pod.spec, old.spec, features);
  return errors;
}

function notResizable(old: Pod, pod: Pod, features: Features): string | undefined {
  if (isMirrorPod(old)) return 'static pods cannot be resized';
  if (old.spec.os?.name === 'windows') return 'windows pods cannot be resized';
  const hasPodLevel = [old, pod].some(({ spec: { resources } }) =>
    [resources?.requests, resources?.limits].some((list) => Object.keys(list ?? {}).length > 0),
  );
  if (hasPodLevel && !features.enabled('InPlacePodLevelResourcesVerticalScaling')) {
    return 'resize of pods with pod-level resources is forbidden when InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled';
  }
  return undefined;
}

function sameContainers(errors: Errors, field: ContainerField, spec: PodSpec, old: PodSpec): void {
  const now = spec[field] ?? [];
  const before = old[field] ?? [];
  if (now.length !== before.length) {
    const why = `${field} may not be added or removed on resize`;
    errors.push(fieldError.forbidden(`spec.${field}`, why));
  } else if (now.some((c, i) => c.name !== before[i]?.name)) {
    const why = `${field} may not be renamed or reordered on resize`;
    errors.push(fieldError.forbidden(`spec.${field}`, why));
  }
}

/** A kubelet that can resize reports the resources of running containers. */
function isResizeSupported(pod: Pod): boolean {
  const running = (pod.status?.containerStatuses ?? []).find((s) => s.state?.running);
  return running === undefined || running.resources !== undefined;
}

function removedResources(
  errors: Errors,
  path: string,
  now: ResourceRequirements | undefined,
  before: ResourceRequirements | undefined,
): void {
  for (const field of ['requests', 'limits'] as const) {
    const removed = Object.keys(before?.[field] ?? {}).some(
      (name) => now?.[field]?.[name] === undefined,
    );
    if (!removed) continue;
    errors.push(fieldError.forbidden(`${path}.${field}`, `resource ${field} cannot be removed`));
  }
}

function mayResizeInit(container: Container, features: Features): boolean {
  if (isRestartableInitContainer(container)) return true;
  return features.enabled('InPlacePodVerticalScalingInitContainers');
}

/** With cpu and memory put back, nothing differs. */
function onlyCpuAndMemory(errors: Errors, spec: PodSpec, old: PodSpec, features: Features): void {
  const before = errors.length;
  const refuse = (why: string) => errors.push(fieldError.forbidden('spec', why));
  const rest = copyJson(spec);
  (rest.containers ?? []).forEach((container, i) => {
    const was = old.containers?.[i];
    container.resources = withoutCpuAndMemory(container.resources, was?.resources);
    if (!isSemanticallyEqual(container, was)) refuse('only cpu and memory resources are mutable');
  });
  (rest.initContainers ?? []).forEach((container, i) => {
    const was = old.initContainers?.[i];
    if (was && mayResizeInit(was, features)) {
      container.resources = withoutCpuAndMemory(container.resources, was.resources);
      if (isSemanticallyEqual(container, was)) return;
      refuse('only cpu and memory resources for init or sidecar containers are mutable');
    } else if (!isSemanticallyEqual(container, was)) {
      refuse('resources for non-sidecar init containers are immutable');
    }
  });
  if (rest.resources || old.resources) {
    rest.resources = withoutCpuAndMemory(rest.resources, old.resources);
  }
  if (errors.length > before) return;
  if (!isSemanticallyEqual(rest, old)) refuse('only cpu and memory resources are mutable');
}

function withoutCpuAndMemory(
  now: ResourceRequirements | undefined,
  before: ResourceRequirements | undefined,
): ResourceRequirements | undefined {
  if (!before) return undefined;
  const out: ResourceRequirements = { ...now };
  for (const field of ['requests', 'limits'] as const) {
    const was = before[field];
    if (!was) {
      delete out[field];
      continue;
    }
    const { cpu: _cpu, memory: _memory, ...others } = now?.[field] ?? {};
    const list: Record<string, string> = others;
    for (const name of ['cpu', 'memory']) {
      const amount = was[name];
      if (amount !== undefined) list[name] = amount;
    }
    out[field] = list;
  }
  return out;
}
