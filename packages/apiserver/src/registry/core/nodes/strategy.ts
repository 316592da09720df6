// Nodes. Status may be given on creation, because kubelets register themselves with it.

import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { applyNodeDefaults } from './defaults.ts';
import { nodeCells } from './table.ts';
import { validateNode, validateNodeChange } from './validation.ts';

const status: SubresourceStrategy<Node> = {
  prepareForUpdate(node, old) {
    node.spec = old.spec;
    dropDynamicConfig(node, old);
  },
  validateUpdate: validateNodeChange,
  resetFields: [['spec']],
};

export const nodeStrategy: Strategy<Node> = {
  applyDefaults: applyNodeDefaults,
  prepareForCreate: (node) => dropDynamicConfig(node, undefined),
  prepareForUpdate(node, old) {
    if (old.status) node.status = old.status;
    dropDynamicConfig(node, old);
  },
  validate: (node, { features }) => validateNode(node, features),
  validateUpdate: (node, old, { features }) => [
    ...validateNode(node, features),
    ...validateNodeChange(node, old),
  ],
  tableCells: nodeCells,
  fieldValues: ({ spec }) => ({ 'spec.unschedulable': String(spec.unschedulable ?? false) }),
  resetFields: [['status']],
  subresources: { status },
};

/** Dynamic kubelet configuration was removed in 1.24; only what is stored already stays. */
function dropDynamicConfig(node: Node, old: Node | undefined): void {
  if (node.spec.configSource && !old?.spec.configSource) delete node.spec.configSource;
  if (node.status?.config && !old?.status?.config) delete node.status.config;
}
