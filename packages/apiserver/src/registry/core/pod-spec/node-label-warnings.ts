// Node labels that have new names, wherever a pod or a volume selects nodes by them.

import type { NodeSelector, NodeSelectorTerm } from '@keelson/apimachinery/types/core.v1';
import { labelValue } from '../../validation/names.ts';

const since = (release: string, name: string) =>
  `deprecated since ${release}; use "${name}" instead`;

const deprecatedNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': since('v1.14', 'kubernetes.io/arch'),
  'beta.kubernetes.io/os': since('v1.14', 'kubernetes.io/os'),
  'failure-domain.beta.kubernetes.io/region': since('v1.17', 'topology.kubernetes.io/region'),
  'failure-domain.beta.kubernetes.io/zone': since('v1.17', 'topology.kubernetes.io/zone'),
  'beta.kubernetes.io/instance-type': since('v1.17', 'node.kubernetes.io/instance-type'),
};

/** Why the label should no longer be used; undefined when it may be. */
export function nodeLabelDeprecation(label: string): string | undefined {
  return Object.hasOwn(deprecatedNodeLabels, label) ? deprecatedNodeLabels[label] : undefined;
}

export function nodeSelectorWarnings(path: string, selector: NodeSelector | undefined): string[] {
  return (selector?.nodeSelectorTerms ?? []).flatMap((term, i) =>
    nodeSelectorTermWarnings(`${path}[${i}]`, term, { checkValues: false }),
  );
}

export function nodeSelectorTermWarnings(
  path: string,
  term: NodeSelectorTerm,
  { checkValues }: { readonly checkValues: boolean },
): string[] {
  const out: string[] = [];
  term.matchExpressions?.forEach(({ key, values = [] }, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    const why = nodeLabelDeprecation(key);
    if (why !== undefined) out.push(`${at}.key: ${key} is ${why}`);
    if (!checkValues) return;
    values.forEach((value, j) => {
      for (const text of labelValue(value)) {
        out.push(`${at}.values[${j}]: ${value} is invalid, ${text}`);
      }
    });
  });
  return out;
}
