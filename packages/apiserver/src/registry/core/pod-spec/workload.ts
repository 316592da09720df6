// What the workloads that keep pods running have in common: a selector that must match the labels
// of the template, pods that are always restarted, and how their containers are listed.

import {
  compileLabelSelector,
  fieldError,
  isStatusError,
  SelectorError,
  type LabelMatcher,
} from '@keelson/apimachinery';
import type { PodSpec, PodTemplateSpec } from '@keelson/apimachinery/types/core.v1';
import { internalMap } from '../../internal-form/internal-value.ts';
import type { Errors } from '../../validation/checks.ts';
import { labelSelector, type LabelSelectorLike } from '../../validation/labels.ts';
import { dns1123Label } from '../../validation/names.ts';
import { podSpecOptions } from './options.ts';
import { podTemplate } from './template.ts';
import type { Features } from '../../../features/features.ts';
import type { PodSpecOptions } from './scope.ts';

/** Options for the template of a workload; `old` is the template before an update. */
export function templateOptions(features: Features, old?: PodTemplateSpec): PodSpecOptions {
  return podSpecOptions(features, {
    isPod: false,
    old: old?.spec && { spec: old.spec, annotations: old.metadata?.annotations ?? {} },
  });
}

/** The compiled selector; undefined when it cannot be compiled. An absent one matches nothing. */
export function compileSelector(
  selector: LabelSelectorLike | undefined | null,
): LabelMatcher | undefined {
  try {
    return compileLabelSelector(selector as Parameters<typeof compileLabelSelector>[0]);
  } catch (error) {
    if (error instanceof SelectorError || isStatusError(error)) return undefined;
    throw error;
  }
}

/** A selector that is given, valid and not empty. */
export function workloadSelector(
  errors: Errors,
  path: string,
  selector: LabelSelectorLike | undefined | null,
  emptyDetail: string,
): void {
  if (!selector) {
    errors.push(fieldError.required(path));
    return;
  }
  labelSelector(errors, path, selector);
  const size =
    Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length;
  if (size === 0) errors.push(fieldError.invalid(path, selector, emptyDetail));
}

export const mismatchDetail = '`selector` does not match template `labels`';

/** The labels of the template are among those that the selector selects. */
export function selectorMatchesTemplate(
  errors: Errors,
  path: string,
  template: PodTemplateSpec,
  selector: LabelMatcher,
): void {
  const labels = template.metadata?.labels;
  if (selector.isEmpty || selector.matches(labels ?? {})) return;
  const at = `${path}.metadata.labels`;
  errors.push(fieldError.invalid(at, internalMap(template.metadata, 'labels'), mismatchDetail));
}

/** Pods of these workloads run until they are told to stop. */
export function alwaysRestarted(
  errors: Errors,
  path: string,
  spec: PodSpec | undefined,
  kind: string,
): void {
  if (spec?.restartPolicy !== 'Always') {
    const at = `${path}.spec.restartPolicy`;
    errors.push(fieldError.notSupported(at, spec?.restartPolicy ?? '', ['Always']));
  }
  if (spec?.activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(fieldError.forbidden(`${path}.spec.activeDeadlineSeconds`, why));
  }
}

/** The template of a Deployment, ReplicaSet or ReplicationController. */
export function replicatedTemplate(
  errors: Errors,
  path: string,
  template: PodTemplateSpec | undefined,
  { selector, options, kind }: ReplicatedTemplateScope,
): void {
  if (!template) {
    errors.push(fieldError.required(path));
    return;
  }
  selectorMatchesTemplate(errors, path, template, selector);
  podTemplate(errors, path, template, options);
  alwaysRestarted(errors, path, template.spec, kind);
}

interface SelectedPods {
  readonly selector?: LabelSelectorLike | null;
  readonly template?: PodTemplateSpec;
}

/** Selector and template of a Deployment, or of the ReplicaSets that it makes. */
export function selectedTemplate(
  errors: Errors,
  { selector, template }: SelectedPods,
  features: Features,
  old: SelectedPods | undefined,
): void {
  const path = 'spec.selector';
  // COMPAT: the sentence speaks of deployments for ReplicaSets, too.
  workloadSelector(errors, path, selector, 'empty selector is invalid for deployment');
  const matcher = compileSelector(selector);
  if (matcher === undefined) {
    errors.push(fieldError.invalid(path, selector, 'invalid label selector'));
    return;
  }
  const options = templateOptions(features, old?.template);
  const scope = { selector: matcher, options, kind: 'ReplicaSet' };
  replicatedTemplate(errors, 'spec.template', template, scope);
}

export interface ReplicatedTemplateScope {
  readonly selector: LabelMatcher;
  readonly options: PodSpecOptions;
  readonly kind: string;
}

/** Names of workloads become parts of host names. */
export function podNameWarnings(name: string | undefined): string[] {
  const problems = dns1123Label(name ?? '');
  if (problems.length === 0) return [];
  return [
    `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
  ];
}

/** The `Containers` and `Images` columns. */
export function containerCells(template: PodTemplateSpec | undefined): [string, string] {
  const containers = template?.spec?.containers ?? [];
  return [containers.map((c) => c.name).join(','), containers.map((c) => c.image ?? '').join(',')];
}
