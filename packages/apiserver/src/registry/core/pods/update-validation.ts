// What of a pod may change. The specification is nearly fixed: a node acts on it as it was when the
// pod was made. A pod that is still gated may in addition be tied to fewer nodes (KEP-3838).

import { copyJson, fieldError } from '@keelson/apimachinery';
import type {
  Affinity,
  Container,
  NodeAffinity,
  NodeSelectorTerm,
  Pod,
  PodSchedulingGate,
  PodSpec,
  Toleration,
} from '@keelson/apimachinery/types/core.v1';
import { internalDiff } from '../../internal-form/internal-diff.ts';
import { internalValue, sortedMap } from '../../internal-form/internal-value.ts';
import type { Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { tolerations } from '../pod-spec/scheduling.ts';
import { deadlineUpdateSentence } from '../pod-spec/validation.ts';
import { annotationUpdates } from './annotation-updates.ts';
import { podAndSpec } from './validation.ts';
import type { PodSpecOptions } from '../pod-spec/scope.ts';

const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

export function validatePodUpdate(pod: Pod, old: Pod, options: PodSpecOptions): Errors {
  const errors: Errors = [];
  podAndSpec(errors, pod, options);
  annotationUpdates(errors, pod, old, options);
  if (!sameContainers(errors, pod.spec, old.spec)) return errors;
  if (!activeDeadline(errors, pod.spec, old.spec)) return errors;
  onlyAddedTolerations(errors, [pod.spec.tolerations, old.spec.tolerations], options);
  onlyDeletedGates(errors, pod.spec.schedulingGates ?? [], old.spec.schedulingGates ?? []);
  if (isSemanticallyEqual(pod.spec, old.spec)) return errors;
  const rest = withoutUpdatable(pod.spec, old.spec);
  if ((old.spec.schedulingGates ?? []).length > 0) gatedPlacement(errors, rest, old.spec);
  if (!isSemanticallyEqual(rest, old.spec)) {
    const diff = internalDiff('PodSpec', old.spec, rest);
    const why = `pod updates may not change fields other than ${updatable}\n${diff}`;
    errors.push(fieldError.forbidden('spec', why));
  }
  return errors;
}

/** Containers neither come nor go, and have an image; false ends validation. */
function sameContainers(errors: Errors, spec: PodSpec, old: PodSpec): boolean {
  for (const field of ['containers', 'initContainers'] as const) {
    const list = spec[field] ?? [];
    if (list.length !== (old[field] ?? []).length) {
      const why = 'pod updates may not add or remove containers';
      errors.push(fieldError.forbidden(`spec.${field}`, why));
      return false;
    }
    list.forEach(({ image = '' }, i) => {
      const at = `spec.${field}[${i}].image`;
      if (image === '') errors.push(fieldError.required(at));
      if (image.trim() !== image) {
        const why = 'must not have leading or trailing whitespace';
        errors.push(fieldError.invalid(at, image, why));
      }
    });
  }
  return true;
}

/** The deadline may be set, or come nearer; false ends validation. */
function activeDeadline(errors: Errors, spec: PodSpec, old: PodSpec): boolean {
  const now = spec.activeDeadlineSeconds;
  const before = old.activeDeadlineSeconds;
  const refuse = (why: string) => {
    errors.push(fieldError.invalid('spec.activeDeadlineSeconds', now, why));
    return false;
  };
  if (now === undefined) {
    if (before !== undefined) refuse('must not update from a positive integer to nil value');
    return true;
  }
  if (now < 0 || now > 2 ** 31 - 1) return refuse(deadlineUpdateSentence);
  if (before !== undefined && before < now) {
    return refuse('must be less than or equal to previous value');
  }
  return true;
}

function onlyAddedTolerations(
  errors: Errors,
  [now = [], before = []]: readonly [Toleration[] | undefined, Toleration[] | undefined],
  options: PodSpecOptions,
): void {
  const path = 'spec.tolerations';
  const kept = before.every((old) =>
    now.some((t) => isSemanticallyEqual({ ...old, tolerationSeconds: t.tolerationSeconds }, t)),
  );
  if (kept) tolerations(errors, path, now, { options });
  else {
    const why = 'existing toleration can not be modified except its tolerationSeconds';
    errors.push(fieldError.forbidden(path, why));
  }
}

function onlyDeletedGates(
  errors: Errors,
  now: readonly PodSchedulingGate[],
  before: readonly PodSchedulingGate[],
): void {
  const known = new Set(before.map((gate) => gate.name));
  now.forEach(({ name }, i) => {
    if (known.has(name)) return;
    const why = `only deletion is allowed, but found new scheduling gate '${name}'`;
    errors.push(fieldError.forbidden(`spec.schedulingGates[${i}].name`, why));
  });
}

/** A copy of the new specification in which everything that may change is as it was. */
function withoutUpdatable(spec: PodSpec, old: PodSpec): PodSpec {
  const rest = copyJson(spec);
  const images = (list: Container[] | null | undefined, before: Container[] | null | undefined) => {
    list?.forEach((container, i) => (container.image = before?.[i]?.image));
  };
  images(rest.containers, old.containers);
  images(rest.initContainers, old.initContainers);
  rest.activeDeadlineSeconds = old.activeDeadlineSeconds;
  rest.schedulingGates = old.schedulingGates;
  rest.tolerations = old.tolerations;
  const grace = old.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0 && Number(rest.terminationGracePeriodSeconds) === 1) {
    rest.terminationGracePeriodSeconds = grace;
  }
  return rest;
}

/** Checks what a gated pod may change of its placement, and puts it back in `rest`. */
function gatedPlacement(errors: Errors, rest: PodSpec, old: PodSpec): void {
  if (!isSemanticallyEqual(rest.nodeSelector, old.nodeSelector)) {
    const selector = rest.nodeSelector ?? {};
    const kept = Object.entries(old.nodeSelector ?? {}).every(([k, v]) => selector[k] === v);
    if (!kept) {
      const why = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
      errors.push(fieldError.invalid('spec.nodeSelector', sortedMap(selector), why));
    }
    rest.nodeSelector = old.nodeSelector;
  }
  const before = old.affinity?.nodeAffinity;
  if (isSemanticallyEqual(before, rest.affinity?.nodeAffinity)) return;
  nodeAffinityOnlyTightened(errors, rest.affinity?.nodeAffinity, before);
  restoreNodeAffinity(rest, old.affinity);
}

function restoreNodeAffinity(rest: PodSpec, old: Affinity | undefined): void {
  const { nodeAffinity: _changed, ...others } = rest.affinity ?? {};
  const isOnlyNode = others.podAffinity === undefined && others.podAntiAffinity === undefined;
  if (old === undefined && isOnlyNode) delete rest.affinity;
  else {
    const before = old?.nodeAffinity;
    rest.affinity = before === undefined ? others : { ...others, nodeAffinity: before };
  }
}

function nodeAffinityOnlyTightened(
  errors: Errors,
  now: NodeAffinity | undefined,
  before: NodeAffinity | undefined,
): void {
  const required = before?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!required) return;
  const oldTerms = required.nodeSelectorTerms ?? [];
  const newTerms = now?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const path =
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  const internal = (term: NodeSelectorTerm) => internalValue('NodeSelectorTerm', term);
  if (oldTerms.length > 0 && oldTerms.length !== newTerms.length) {
    const value = newTerms.length === 0 ? null : newTerms.map(internal);
    const why = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    errors.push(fieldError.invalid(path, value, why));
    return;
  }
  oldTerms.forEach((term, i) => {
    const next = newTerms[i];
    if (next && hasOnlyAdditions(next, term)) return;
    const why = 'only additions are allowed (no mutations or deletions)';
    errors.push(fieldError.invalid(`${path}[${i}]`, next ? internal(next) : null, why));
  });
}

/** Requirements of a term are combined, so one more narrows; an empty term matches nothing. */
function hasOnlyAdditions(now: NodeSelectorTerm, before: NodeSelectorTerm): boolean {
  const fields = ['matchExpressions', 'matchFields'] as const;
  const isEmpty = (term: NodeSelectorTerm) => fields.every((f) => (term[f] ?? []).length === 0);
  if (isEmpty(before)) return isEmpty(now);
  return fields.every((f) => {
    const old = before[f] ?? [];
    return isSemanticallyEqual((now[f] ?? []).slice(0, old.length), old);
  });
}
