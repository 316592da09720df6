// A cordoned node takes only pods that tolerate it.

import { isTolerated } from '../../pods/tolerations.ts';
import { unresolvable, type SchedulerPlugin } from '../framework.ts';

const name = 'NodeUnschedulable';
const cordoned = unresolvable(name, 'node(s) were unschedulable');
const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

export function createNodeUnschedulable(): SchedulerPlugin {
  return {
    name,
    begin({ pod }) {
      if (isTolerated(taint, pod.spec.tolerations ?? [])) return undefined;
      return { filter: ({ node }) => (node.spec?.unschedulable === true ? cordoned : undefined) };
    },
    mayHelp: (_pod, event) =>
      event.kind === 'any' ||
      (event.kind === 'node' &&
        event.changed.has('unschedulable') &&
        event.node.spec?.unschedulable !== true),
  };
}
