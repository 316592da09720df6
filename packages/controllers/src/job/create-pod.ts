// The pods of a Job: its template with the finalizer, and for indexed Jobs with all by which a pod
// learns its index: label, annotation, host name and environment.

import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { Container, Pod } from '@keelson/apimachinery/types/core.v1';
import { podFromTemplate } from '../pods/pod-control.ts';
import { failureAnnotations } from './index-failures.ts';
import { jobKind } from './job-kind.ts';
import { completionIndexKey, hasLimitPerIndex, trackingFinalizer } from './job-pods.ts';

const indexVariable = 'JOB_COMPLETION_INDEX';
/** 63, the length of a label, less the five letters that the server adds. */
const prefixLengthMax = 58;

export function podOfJob(job: Job): Pod {
  const pod = podFromTemplate(job.spec.template, jobKind, job);
  const finalizers = new Set([...(pod.metadata.finalizers ?? []), trackingFinalizer]);
  return { ...pod, metadata: { ...pod.metadata, finalizers: [...finalizers] } };
}

export interface IndexedPodOptions {
  readonly index: number;
  /** The failed pod of the same index whose failures count on. */
  readonly replaced: Pod | undefined;
  /** The gate PodIndexLabel: the index is a label, too, and the variable reads that. */
  readonly labelsIndex: boolean;
}

export function podOfIndex(job: Job, { index, replaced, labelsIndex }: IndexedPodOptions): Pod {
  const pod = podOfJob(job);
  const { name = '' } = job.metadata;
  const mark = { [completionIndexKey]: String(index) };
  const { metadata, spec } = pod;
  const withVariable = withIndexVariable(labelsIndex ? 'labels' : 'annotations');
  return {
    ...pod,
    metadata: {
      ...metadata,
      generateName: indexedPrefix(name, index),
      labels: { ...metadata.labels, ...(labelsIndex && mark) },
      annotations: {
        ...metadata.annotations,
        ...mark,
        ...(hasLimitPerIndex(job) && failureAnnotations(job, replaced)),
      },
    },
    spec: {
      ...spec,
      hostname: `${name}-${index}`,
      containers: spec.containers?.map(withVariable) ?? null,
      ...(spec.initContainers && { initContainers: spec.initContainers.map(withVariable) }),
    },
  };
}

function indexedPrefix(name: string, index: number): string {
  const end = `-${index}-`;
  return name.slice(0, prefixLengthMax - end.length) + end;
}

const withIndexVariable =
  (source: 'labels' | 'annotations') =>
  (container: Container): Container => {
    const { env = [] } = container;
    if (env.some(({ name }) => name === indexVariable)) return container;
    const fieldRef = { fieldPath: `metadata.${source}['${completionIndexKey}']` };
    return { ...container, env: [...env, { name: indexVariable, valueFrom: { fieldRef } }] };
  };
