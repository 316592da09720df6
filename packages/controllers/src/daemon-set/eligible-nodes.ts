// On which nodes a DaemonSet runs: those that its template selects and whose taints its pods
// tolerate. A pod that is there already stays as long as nothing drives it away.

import type { DaemonSet } from '@keelson/apimachinery/types/apps.v1';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import { isTolerated } from '../pods/tolerations.ts';
import { requiredNodes } from '../scheduler/plugins/node-affinity.ts';
import { tolerationsOf } from './daemon-pod.ts';

export interface Eligibility {
  readonly shouldRun: boolean;
  readonly mayStay: boolean;
}

export function eligibilityOf({ spec }: DaemonSet): (node: Node) => Eligibility {
  const podSpec = spec.template.spec ?? { containers: [] };
  const selects = requiredNodes({ metadata: {}, spec: podSpec } as Pod) ?? (() => true);
  const tolerations = tolerationsOf(podSpec);
  const { nodeName = '' } = podSpec;
  return ({ metadata, spec: node }) => {
    const { name = '', labels = {} } = metadata;
    const isSelected = (nodeName === '' || nodeName === name) && selects({ name, labels });
    if (!isSelected) return { shouldRun: false, mayStay: false };
    const bad = (node?.taints ?? []).filter((taint) => !isTolerated(taint, tolerations));
    const mayStay = bad.every(({ effect }) => effect !== 'NoExecute');
    return { shouldRun: mayStay && bad.every(({ effect }) => effect !== 'NoSchedule'), mayStay };
  };
}
