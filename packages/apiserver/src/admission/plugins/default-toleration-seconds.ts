// DefaultTolerationSeconds: a pod stays on a node that is not ready or not reachable for a while
// before it is evicted. A pod that says nothing about node.kubernetes.io/not-ready gets a NoExecute
// toleration of it for so many seconds, and the same for node.kubernetes.io/unreachable, in this
// order. It says something when a toleration has that key or none, and the effect NoExecute or
// none.

import type { Toleration } from '@keelson/apimachinery/types/core.v1';
import type { AdmissionPlugin } from '../admission.ts';
import { handling, podOf } from '../request-match.ts';

export interface DefaultTolerationSecondsOptions {
  /** As `--default-not-ready-toleration-seconds`; 300 when absent. */
  readonly notReadySeconds?: number;
  /** As `--default-unreachable-toleration-seconds`; 300 when absent. */
  readonly unreachableSeconds?: number;
}

const defaultSeconds = 300;

export function createDefaultTolerationSeconds(
  options: DefaultTolerationSecondsOptions = {},
): AdmissionPlugin {
  const defaults = [
    ['node.kubernetes.io/not-ready', options.notReadySeconds ?? defaultSeconds],
    ['node.kubernetes.io/unreachable', options.unreachableSeconds ?? defaultSeconds],
  ] as const;
  return {
    name: 'DefaultTolerationSeconds',
    handles: handling('CREATE', 'UPDATE'),
    mutate(attributes) {
      const pod = podOf(attributes);
      if (pod === undefined) return;
      const given = pod.spec.tolerations ?? [];
      const added = defaults
        .filter(([key]) => !given.some((toleration) => concerns(toleration, key)))
        .map(([key, tolerationSeconds]) => ({
          key,
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds,
        }));
      if (added.length > 0) pod.spec.tolerations = [...given, ...added];
    },
  };
}

function concerns({ key = '', effect = '' }: Toleration, taintKey: string): boolean {
  return (key === taintKey || key === '') && (effect === 'NoExecute' || effect === '');
}
