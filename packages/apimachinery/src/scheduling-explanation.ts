// What the scheduler says of a pending pod: why each node refuses it, and the smallest changes that
// would place it. Stable JSON, `SchedulingExplanation` of `keelson.dev/v1alpha1`: fields may be added,
// none changes its meaning.

export interface SchedulingExplanation {
  readonly kind: 'SchedulingExplanation';
  readonly apiVersion: 'keelson.dev/v1alpha1';
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly outcome: 'placed' | 'schedulable' | 'unschedulable' | 'foreign';
  /** Where it is, or what the scheduler says of it as a whole. */
  readonly message: string;
  readonly nodes: readonly ExplainedNode[];
  /** Nodes of which nothing is told, since there are too many. */
  readonly nodesLeftOut: number;
  /** The smallest remedies of all nodes, each with the node that would take the pod then. */
  readonly smallest: readonly { readonly node: string; readonly changes: SchedulingRemedy }[];
  /** A part of it is not for this reader. */
  readonly withheld?: true;
}

export interface ExplainedNode {
  readonly node: string;
  /** Of the filter that refuses the pod; absent when the node takes it. */
  readonly plugin?: string;
  readonly reasons: readonly string[];
  /** Alternatives to each other. */
  readonly remedies: readonly SchedulingRemedy[];
}

/** Changes that together place the pod; none of them can be left out. */
export type SchedulingRemedy = readonly SchedulingChange[];

export interface SchedulingChange {
  /** `remove the taint a=x:NoSchedule from node n` */
  readonly text: string;
  readonly about: ChangedObject;
}

/** Whose object would change, or which pod would leave. */
export interface ChangedObject {
  readonly kind: 'Pod' | 'Node';
  /** Empty for nodes. */
  readonly namespace: string;
  readonly name: string;
}
