// TaintNodesByCondition: a new node starts with the taint node.kubernetes.io/not-ready:NoSchedule,
// so that nothing is scheduled on it before its conditions have become taints (which the node
// lifecycle controller does from then on).

import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { AdmissionPlugin } from '../admission.ts';
import { asKind, handling, isMainResource } from '../request-match.ts';

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

export function createTaintNodesByCondition(): AdmissionPlugin {
  return {
    name: 'TaintNodesByCondition',
    handles: handling('CREATE'),
    mutate(attributes) {
      if (!isMainResource(attributes, '', 'nodes') || attributes.object === undefined) return;
      const node = asKind<Node>(attributes.object);
      const spec = (node.spec ??= {});
      const taints = (spec.taints ??= []);
      const isThere = taints.some((t) => t.key === notReady.key && t.effect === notReady.effect);
      if (!isThere) taints.push({ ...notReady });
    },
  };
}
