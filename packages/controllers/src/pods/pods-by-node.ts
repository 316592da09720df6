// Which pods are bound to a node.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';

const byNode = 'pod-node-name';

/** Lets `podsOnNode` find pods; any number of controllers may ask for it. */
export function indexByNode(pods: Pick<Informer<Pod>, 'addIndex'>): void {
  pods.addIndex(byNode, ({ spec }) => [spec?.nodeName ?? '']);
}
export function podsOnNode(pods: Pick<Informer<Pod>, 'store'>, nodeName: string): readonly Pod[] {
  return pods.store.byIndex(byNode, nodeName);
}
