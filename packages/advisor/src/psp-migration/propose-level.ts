// The tightest Pod Security level that admits all pods of a namespace, and what keeps the next one
// from it.

import { aggregate, createEvaluator, type Level, type PodObject } from '@keelson/pod-security';
import type { JsonObject } from '@keelson/apimachinery';

export interface LevelProposal {
  readonly level: Level;
  /** Why not the next tighter level: pod and reasons. Empty for restricted. */
  readonly obstacles: readonly Obstacle[];
}

export interface Obstacle {
  readonly owner: string;
  readonly level: Level;
  readonly reason: string;
}

export interface ProposedPod {
  readonly owner: string;
  readonly pod: JsonObject;
}

/** `minor` is that of the release whose version of the standards is taken. */
export function proposeLevel(pods: readonly ProposedPod[], minor: number): LevelProposal {
  const evaluate = createEvaluator({ release: minor });
  const version = `v1.${minor}` as const;
  let obstacles: readonly Obstacle[] = [];
  for (const level of ['restricted', 'baseline'] as const) {
    const found = pods.flatMap(({ owner, pod }): Obstacle[] => {
      // Read from files, as the API server would decode them.
      const { metadata, spec } = pod as unknown as PodObject;
      const result = aggregate(evaluate({ level, version }, metadata, spec));
      return result.allowed ? [] : [{ owner, level, reason: result.forbiddenDetail() }];
    });
    if (found.length === 0) return { level, obstacles };
    obstacles = found;
  }
  return { level: 'privileged', obstacles };
}
