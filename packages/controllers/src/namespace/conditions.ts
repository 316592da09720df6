// The conditions that tell why a namespace is still there. Each of the five always has a value once
// the content was looked at; texts are those of kube-controller-manager. COMPAT: people and tools
// read them.

import {
  findCondition,
  formatGroupResource,
  transitionTime,
  withCondition,
  type GroupResource,
} from '@keelson/apimachinery';
import type { NamespaceCondition } from '@keelson/apimachinery/types/core.v1';

/** What one pass over the content of a namespace found. */
export interface ContentReport {
  /** Group versions whose server did not say what it has. */
  readonly stale: readonly string[];
  readonly deletionErrors: readonly string[];
  /** Resources of which something is left. */
  readonly remaining: readonly { readonly resource: GroupResource; readonly count: number }[];
  /** Finalizer to the number of objects that it holds. */
  readonly finalizers: ReadonlyMap<string, number>;
}

type Finding = Pick<NamespaceCondition, 'type' | 'status' | 'reason' | 'message'>;

export function findingsOf(report: ContentReport): Finding[] {
  return [
    finding('NamespaceDeletionDiscoveryFailure', discoveryProblem(report), {
      reason: 'ResourcesDiscovered',
      message: 'All resources successfully discovered',
    }),
    // Group versions come in parts from aggregated discovery, so there is nothing to fail.
    finding('NamespaceDeletionGroupVersionParsingFailure', undefined, {
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    }),
    finding('NamespaceDeletionContentFailure', deletionProblem(report), {
      reason: 'ContentDeleted',
      message: 'All content successfully deleted, may be waiting on finalization',
    }),
    finding('NamespaceContentRemaining', remainingContent(report), {
      reason: 'ContentRemoved',
      message: 'All content successfully removed',
    }),
    finding('NamespaceFinalizersRemaining', remainingFinalizers(report), {
      reason: 'ContentHasNoFinalizers',
      message: 'All content-preserving finalizers finished',
    }),
  ];
}

interface Words {
  readonly reason: string;
  readonly message: string;
}

function finding(type: string, problem: Words | undefined, fine: Words): Finding {
  return problem === undefined
    ? { type, status: 'False', ...fine }
    : { type, status: 'True', ...problem };
}

function discoveryProblem({ stale }: ContentReport): Words | undefined {
  if (stale.length === 0) return undefined;
  const failure = discoveryFailure(stale);
  const message = `Discovery failed for some groups, ${stale.length} failing: ${failure}`;
  return { reason: 'DiscoveryFailed', message };
}

/** COMPAT: client-go's words. */
export function discoveryFailure(stale: readonly string[]): string {
  const list = stale.toSorted().map((gv) => `${gv}: stale GroupVersion discovery: ${gv}`);
  return `unable to retrieve the complete list of server APIs: ${list.join(', ')}`;
}

function deletionProblem({ deletionErrors }: ContentReport): Words | undefined {
  const count = deletionErrors.length;
  if (count === 0) return undefined;
  const list = deletionErrors.toSorted().join(', ');
  const message = `Failed to delete all resource types, ${count} remaining: ${list}`;
  return { reason: 'ContentDeletionFailed', message };
}

function remainingContent({ remaining }: ContentReport): Words | undefined {
  if (remaining.length === 0) return undefined;
  const list = remaining.map(({ resource, count }) => {
    // COMPAT: the dot stands there for the core group too: `pods. has 1 resource instances`.
    const name = resource.group === '' ? `${resource.resource}.` : formatGroupResource(resource);
    return `${name} has ${count} resource instances`;
  });
  const message = `Some resources are remaining: ${list.toSorted().join(', ')}`;
  return { reason: 'SomeResourcesRemain', message };
}

function remainingFinalizers({ finalizers }: ContentReport): Words | undefined {
  if (finalizers.size === 0) return undefined;
  const list = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`);
  const what = 'Some content in the namespace has finalizers remaining';
  return { reason: 'SomeFinalizersRemain', message: `${what}: ${list.toSorted().join(', ')}` };
}

/** The conditions with the findings in them, or undefined when they say so already. */
export function mergeConditions(
  current: readonly NamespaceCondition[],
  findings: readonly Finding[],
  now: string,
): NamespaceCondition[] | undefined {
  let merged = [...current];
  let isChanged = false;
  for (const next of findings) {
    const old = findCondition(merged, next.type);
    if (old?.status === next.status && old.reason === next.reason && old.message === next.message)
      continue;
    isChanged = true;
    const lastTransitionTime = transitionTime(old, next.status, now);
    merged = withCondition(merged, { ...next, lastTransitionTime });
  }
  return isChanged ? merged : undefined;
}
