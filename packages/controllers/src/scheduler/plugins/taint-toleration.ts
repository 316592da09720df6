// Taints keep pods away that do not tolerate them; those that only prefer so count against a node.

import type { Node, Taint } from '@keelson/apimachinery/types/core.v1';
import { isTolerated } from '../../pods/tolerations.ts';
import { normalizeScores, unresolvable, type SchedulerPlugin } from '../framework.ts';

const name = 'TaintToleration';
const tainted = unresolvable(name, 'node(s) had untolerated taint(s)');
const isHard = ({ effect }: Taint) => effect === 'NoSchedule' || effect === 'NoExecute';

export function createTaintToleration(): SchedulerPlugin {
  return {
    name,
    weight: 3,
    begin({ pod: { spec } }) {
      const tolerations = spec.tolerations ?? [];
      const bears = (taint: Taint) => !isHard(taint) || isTolerated(taint, tolerations);
      return {
        filter: ({ hardTaints }) => (hardTaints.every(bears) ? undefined : tainted),
      };
    },
    score({ pod }, nodes) {
      if (nodes.every(({ softTaints }) => softTaints.length === 0)) return undefined;
      const tolerations = (pod.spec.tolerations ?? []).filter(
        ({ effect = '' }) => effect === '' || effect === 'PreferNoSchedule',
      );
      const scores = Float64Array.from(
        nodes,
        ({ softTaints }) => softTaints.filter((taint) => !isTolerated(taint, tolerations)).length,
      );
      return normalizeScores(scores, true);
    },
    mayHelp({ pod }, event) {
      if (event.kind !== 'node') return event.kind === 'any';
      const tolerations = pod.spec.tolerations ?? [];
      const bearsAll = ({ spec }: Node) =>
        (spec?.taints ?? []).every((taint) => !isHard(taint) || isTolerated(taint, tolerations));
      const { old, node } = event;
      return event.changed.has('taints') && bearsAll(node) && (old === undefined || !bearsAll(old));
    },
  };
}
