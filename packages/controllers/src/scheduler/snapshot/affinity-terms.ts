// The terms of pods that are placed, which newcomers must respect: terms that say the same are held
// once, however many pods have them.

import type { AffinityTerm, PodSummary } from './pod-summary.ts';

export interface HeldTerm {
  readonly term: AffinityTerm;
  /** Pods that have it. */
  count: number;
}
export interface HeldWeightedTerm extends HeldTerm {
  /** Negative keeps away. */
  readonly weight: number;
  readonly key: string;
}

export interface AffinityTerms {
  /** Of placed pods: who must not have a newcomer near them. */
  antiAffinity(): Iterable<HeldTerm>;
  /** Who must have others near them; newcomers that are such are welcome. */
  affinity(): Iterable<HeldTerm>;
  preferred(): Iterable<HeldWeightedTerm>;
  podAdded(pod: PodSummary): void;
  podRemoved(pod: PodSummary): void;
}

export function createAffinityTerms(): AffinityTerms {
  const anti = new Map<string, HeldTerm>();
  const required = new Map<string, HeldTerm>();
  const preferred = new Map<string, HeldWeightedTerm>();
  const hold = <T extends HeldTerm>(held: Map<string, T>, key: string, made: T, by: 1 | -1) => {
    const known = held.get(key) ?? made;
    known.count += by;
    if (known.count === 0) held.delete(key);
    else held.set(key, known);
  };
  const change = (pod: PodSummary, by: 1 | -1) => {
    for (const term of pod.antiAffinity) hold(anti, term.key, { term, count: 0 }, by);
    for (const term of pod.affinity) hold(required, term.key, { term, count: 0 }, by);
    for (const { term, weight } of weightedTerms(pod)) {
      const key = `${weight} ${term.key}`;
      hold(preferred, key, { term, weight, key, count: 0 }, by);
    }
  };
  return {
    antiAffinity: () => anti.values(),
    affinity: () => required.values(),
    preferred: () => preferred.values(),
    podAdded: (pod) => change(pod, 1),
    podRemoved: (pod) => change(pod, -1),
  };
}

/** Preferences for and, with negative weight, against. */
export function weightedTerms(pod: PodSummary): { term: AffinityTerm; weight: number }[] {
  return [
    ...pod.preferredAffinity,
    ...pod.preferredAntiAffinity.map(({ term, weight }) => ({ term, weight: -weight })),
  ];
}
