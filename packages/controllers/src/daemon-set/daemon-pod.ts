// The pods of a DaemonSet: bound to their node by an affinity that the scheduler honours, and with
// tolerations that let them stay where others have to leave.
// https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations

import { compileLabelSelector, type KubeObject, type LabelMatcher } from '@keelson/apimachinery';
import type { DaemonSet } from '@keelson/apimachinery/types/apps.v1';
import type { Affinity, Pod, PodSpec, Toleration } from '@keelson/apimachinery/types/core.v1';
import type { OwnerKind } from '../machinery/ownership.ts';
import { daemonSetsResource } from '../machinery/resources.ts';
import { podFromTemplate } from '../pods/pod-control.ts';

export const daemonSetKind: OwnerKind = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  resource: daemonSetsResource,
};
export const revisionLabel = 'controller-revision-hash';
const generationLabel = 'pod-template-generation';
const generationAnnotation = 'deprecated.daemonset.template.generation';

/** Throws SelectorError. */
export function selectorOf({ spec }: DaemonSet): LabelMatcher {
  return compileLabelSelector(spec.selector);
}

const tolerated: readonly (readonly [key: string, effect: string])[] = [
  ['not-ready', 'NoExecute'],
  ['unreachable', 'NoExecute'],
  ['disk-pressure', 'NoSchedule'],
  ['memory-pressure', 'NoSchedule'],
  ['pid-pressure', 'NoSchedule'],
  ['unschedulable', 'NoSchedule'],
];

/** The template's, and those that every daemon has: in the place of one that says the same. */
export function tolerationsOf({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const network = hostNetwork === true ? [['network-unavailable', 'NoSchedule'] as const] : [];
  const own = [...tolerated, ...network].map(([key, effect]): Toleration => {
    return { key: `node.kubernetes.io/${key}`, operator: 'Exists', effect };
  });
  const sameAs = ({ key, effect, operator, value = '' }: Toleration) =>
    own.find((o) => o.key === key && o.effect === effect && o.operator === operator && !value);
  const replaced = tolerations.map((toleration) => sameAs(toleration) ?? toleration);
  return [...replaced, ...own.filter((toleration) => !replaced.includes(toleration))];
}

export function daemonPod(daemonSet: DaemonSet, nodeName: string, hash: string): Pod {
  const pod = podFromTemplate(daemonSet.spec.template, daemonSetKind, daemonSet);
  const generation = templateGeneration(daemonSet);
  const { metadata, spec } = pod;
  return {
    ...pod,
    metadata: {
      ...metadata,
      labels: {
        ...metadata.labels,
        ...(generation !== undefined && { [generationLabel]: generation }),
        [revisionLabel]: hash,
      },
    },
    spec: {
      ...spec,
      affinity: onNode(spec.affinity ?? {}, nodeName),
      tolerations: tolerationsOf(spec),
    },
  };
}

/** Nothing else is required of the node any more: that it is the right one was decided here. */
function onNode(affinity: Affinity, nodeName: string): Affinity {
  const field = { key: 'metadata.name', operator: 'In', values: [nodeName] };
  const required = { nodeSelectorTerms: [{ matchFields: [field] }] };
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: required,
    },
  };
}

/** The node that the pod is on, or is meant for; undefined for one that nobody here made. */
export function nodeNameOf({ spec }: Pod): string | undefined {
  if ((spec.nodeName ?? '') !== '') return spec.nodeName;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const fields = (required?.nodeSelectorTerms ?? []).flatMap((term) => term.matchFields ?? []);
  return fields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    ?.values?.[0];
}

/** Of a pod or a revision: which template it is of. */
export function hashOf({ metadata }: KubeObject): string {
  return metadata.labels?.[revisionLabel] ?? '';
}

export function isUpToDate(daemonSet: DaemonSet, { metadata }: Pod, hash: string): boolean {
  const generation = templateGeneration(daemonSet);
  const { labels = {} } = metadata;
  const isOfGeneration = generation !== undefined && labels[generationLabel] === generation;
  return isOfGeneration || labels[revisionLabel] === hash;
}

function templateGeneration({ metadata }: DaemonSet): string | undefined {
  const text = metadata.annotations?.[generationAnnotation];
  return text !== undefined && /^\d{1,18}$/.test(text) ? text : undefined;
}
