// One change to a cluster that could place a pod: to the pod itself, to a node, or that another pod
// leaves. It is only ever made to a copy.

import type { SchedulingChange } from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { PodSummary } from '../snapshot/pod-summary.ts';

export interface Change extends SchedulingChange {
  /** Of changes of one series the first that suffices is the smallest. */
  readonly series?: string;
  readonly effect:
    | { readonly kind: 'pod'; apply(pod: Pod): Pod }
    | { readonly kind: 'node'; apply(node: Node): Node }
    | { readonly kind: 'leaves'; readonly pod: PodSummary };
}

export function changePod(pod: PodSummary, text: string, apply: (pod: Pod) => Pod): Change {
  const about = { kind: 'Pod', namespace: pod.namespace, name: pod.name } as const;
  return { text, about, effect: { kind: 'pod', apply } };
}

export function changeNode(name: string, text: string, apply: (node: Node) => Node): Change {
  const about = { kind: 'Node', namespace: '', name } as const;
  return { text, about, effect: { kind: 'node', apply } };
}

export function podLeaves(pod: PodSummary, why: string): Change {
  const about = { kind: 'Pod', namespace: pod.namespace, name: pod.name } as const;
  const text = `let pod ${pod.namespace}/${pod.name} leave: ${why}`;
  return { text, about, effect: { kind: 'leaves', pod } };
}

/** With the fields of its spec that `more` names. */
export function withSpec(pod: Pod, more: Partial<Pod['spec']>): Pod {
  return { ...pod, spec: { ...pod.spec, ...more } };
}
