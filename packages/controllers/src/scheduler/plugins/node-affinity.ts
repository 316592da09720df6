// The node selector and the node affinity of a pod. Terms that name nodes spare asking all others.

import type { Node, NodeSelector, Pod } from '@keelson/apimachinery/types/core.v1';
import {
  defaultArguments,
  type PluginArguments,
} from '../configuration/scheduler-configuration.ts';
import { normalizeScores, unresolvable, type SchedulerPlugin } from '../framework.ts';
import {
  compileNodeSelector,
  compileNodeTerm,
  type NodePredicate,
} from '../snapshot/node-selector.ts';

const name = 'NodeAffinity';
const mismatch = unresolvable(name, "node(s) didn't match Pod's node affinity/selector");
const conflict = unresolvable(name, 'pod affinity terms conflict');

const enforcedMismatch = unresolvable(
  name,
  "node(s) didn't match scheduler-enforced node affinity",
);

/** `addedAffinity` holds for every pod, in addition to its own. */
export function createNodeAffinity(
  { addedAffinity }: PluginArguments['NodeAffinity'] = defaultArguments.NodeAffinity,
): SchedulerPlugin {
  const enforced = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const isAllowed: NodePredicate =
    enforced === undefined ? () => true : compileNodeSelector(enforced);
  const alwaysPreferred = addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return {
    name,
    weight: 2,
    begin({ pod }) {
      const required = requiredNodes(pod);
      if (enforced === undefined && required === undefined) return undefined;
      const nodeNames = namedNodes(requiredSelector(pod));
      if (nodeNames?.size === 0) return conflict;
      return {
        ...(nodeNames !== undefined && { nodeNames }),
        filter(node) {
          if (!isAllowed(node)) return enforcedMismatch;
          return required === undefined || required(node) ? undefined : mismatch;
        },
      };
    },
    score({ pod }, nodes) {
      const own =
        pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
      const preferred = [...alwaysPreferred, ...own];
      if (preferred.length === 0) return undefined;
      const terms = preferred.map(({ weight, preference }) => ({
        weight,
        matches: compileNodeTerm(preference),
      }));
      const scores = Float64Array.from(nodes, (node) =>
        terms.reduce((sum, { weight, matches }) => sum + (matches(node) ? weight : 0), 0),
      );
      return normalizeScores(scores);
    },
    mayHelp({ pod }, event) {
      if (event.kind !== 'node') return event.kind === 'any';
      const takes = ({ metadata }: Node) => {
        const { name: nodeName = '', labels = {} } = metadata;
        const facts = { name: nodeName, labels };
        return isAllowed(facts) && (requiredNodes(pod)?.(facts) ?? true);
      };
      const { old, node } = event;
      return event.changed.has('labels') && takes(node) && (old === undefined || !takes(old));
    },
  };
}

function requiredSelector({ spec }: Pod): NodeSelector | undefined {
  return spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
}

/** Undefined when the pod does not care. */
export function requiredNodes(pod: Pod): NodePredicate | undefined {
  const wanted = Object.entries(pod.spec.nodeSelector ?? {});
  const selector = requiredSelector(pod);
  if (wanted.length === 0 && selector === undefined) return undefined;
  const matches = selector === undefined ? () => true : compileNodeSelector(selector);
  return (node) => wanted.every(([key, value]) => node.labels[key] === value) && matches(node);
}

/** Undefined when any term leaves the name open: terms are alternatives. */
function namedNodes(selector: NodeSelector | undefined): ReadonlySet<string> | undefined {
  const terms = selector?.nodeSelectorTerms ?? [];
  if (terms.length === 0) return undefined;
  const all = new Set<string>();
  for (const { matchFields = [] } of terms) {
    let names: Set<string> | undefined;
    for (const { key, operator, values = [] } of matchFields) {
      if (key !== 'metadata.name' || operator !== 'In') continue;
      const more = new Set(values);
      names = names === undefined ? more : names.intersection(more);
    }
    if (names === undefined) return undefined;
    for (const found of names) all.add(found);
  }
  return all;
}
