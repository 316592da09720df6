// Nodes: what a kubelet shows the API server, without machines.

export { nodesMax } from './simulated/pod-addresses.ts';
export { startSimulatedNodes } from './simulated/simulated-nodes.ts';
export type { SimulatedNodes, SimulatedNodesOptions } from './simulated/simulated-nodes.ts';
export type { SimulatedNode } from './simulated/simulated-node.ts';
export { createPodPorts } from './kubelet/pod-ports.ts';
export { openKubeletServer } from './kubelet/kubelet-server.ts';
export type {
  KubeletCall,
  KubeletGate,
  KubeletIdentity,
  KubeletServer,
  KubeletServerOptions,
  Refusal,
} from './kubelet/kubelet-server.ts';
export { defaultNodeShape } from './simulated/node-object.ts';
export { NodeDescriptionError, parseDescribedNode } from './simulated/described-node.ts';
export type { DescribedNode } from './simulated/described-node.ts';
export { NodeRulesError, noNodeRules, parseNodeRules } from './simulated/node-rules.ts';
export type { NodeRules } from './simulated/node-rules.ts';
