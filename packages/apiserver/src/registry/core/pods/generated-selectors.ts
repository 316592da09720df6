// Selectors that name keys of labels only: the values are those of the pod itself, and are written
// into the selector when the pod is made (KEP-3633, KEP-3243).

import type { Pod, PodAffinityTerm } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { podAffinityTerms } from '../pod-spec/options.ts';

type Selecting = Pick<PodAffinityTerm, 'labelSelector' | 'matchLabelKeys' | 'mismatchLabelKeys'>;

export function fillLabelKeySelectors(pod: Pod, features: Features): void {
  const labels = pod.metadata.labels ?? {};
  if (features.enabled('MatchLabelKeysInPodAffinity')) {
    for (const term of podAffinityTerms(pod.spec.affinity)) fill(term, labels);
  }
  if (features.enabled('MatchLabelKeysInPodTopologySpreadSelectorMerge')) {
    for (const constraint of pod.spec.topologySpreadConstraints ?? []) fill(constraint, labels);
  }
}

function fill(term: Selecting, labels: Readonly<Record<string, string>>): void {
  const selector = term.labelSelector;
  if (!selector) return;
  const add = (keys: readonly string[] | undefined, operator: 'In' | 'NotIn') => {
    for (const key of keys ?? []) {
      const value = labels[key];
      if (value === undefined) continue;
      selector.matchExpressions = [
        ...(selector.matchExpressions ?? []),
        { key, operator, values: [value] },
      ];
    }
  };
  add(term.matchLabelKeys, 'In');
  add(term.mismatchLabelKeys, 'NotIn');
}
