// Defaults of Jobs, and the labels that tie a Job to its pods.

import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { Features } from '../../../features/features.ts';
import { defaultPodTemplate } from '../../core/pod-spec/defaults.ts';
import { hasPrefixedLabels, jobLabels } from './generated-labels.ts';

/** The limit of a Job that counts failures per index. */
const noBackoffLimit = 2147483647;
const backoffLimit = 6;

export function defaultJob(job: Job, features: Features): void {
  const { spec } = job;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? backoffLimit : noBackoffLimit;
  shareTemplateLabels(job);
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  defaultFailurePolicy(job);
  if (features.enabled('JobPodReplacementPolicy')) {
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
  }
  defaultPodTemplate(spec.template, features);
}

/**
 * A Job without labels has those of its template. COMPAT: it is the same map, so labels that are
 * generated for the template later are the Job's as well.
 */
export function shareTemplateLabels({ metadata, spec }: Job): void {
  const labels = spec.template.metadata?.labels;
  if (labels && isEmpty(metadata.labels) && !isEmpty(labels)) metadata.labels = labels;
}

const isEmpty = (map: Readonly<Record<string, string>> | undefined) =>
  Object.keys(map ?? {}).length === 0;

/** Patterns match conditions that are true, unless they say otherwise. */
export function defaultFailurePolicy({ spec }: Pick<Job, 'spec'>): void {
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True';
  }
}

/**
 * Labels that nobody else's pods have, and a selector for them, unless the request brought its own.
 */
export function generateSelector({ metadata, spec }: Job, features: Features): void {
  if (spec.manualSelector === true) return;
  const isPrefixed = hasPrefixedLabels(features);
  const template = (spec.template.metadata ??= {});
  const labels = (template.labels ??= {});
  const { name = '', uid = '' } = metadata;
  const generated = {
    [jobLabels.legacyName]: name,
    [jobLabels.legacyUid]: uid,
    ...(isPrefixed ? { [jobLabels.name]: name, [jobLabels.uid]: uid } : {}),
  };
  addSorted(labels, generated);
  const selector = (spec.selector ??= {});
  const matchLabels = (selector.matchLabels ??= {});
  addSorted(matchLabels, { [isPrefixed ? jobLabels.uid : jobLabels.legacyUid]: uid });
}

/** Adds what is not there yet; the map stays the same object, with its keys in Go's order. */
function addSorted(map: Record<string, string>, additions: Record<string, string>): void {
  const all = Object.entries({ ...additions, ...map });
  for (const key of Object.keys(map)) delete map[key];
  for (const [key, value] of all.toSorted(([a], [b]) => (a < b ? -1 : 1))) map[key] = value;
}
