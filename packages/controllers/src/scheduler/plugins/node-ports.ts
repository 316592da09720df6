// Ports of the node that a pod wants must be free there: per protocol, and an address that means all
// addresses conflicts with every other.

import { rejection, type SchedulerPlugin } from '../framework.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import { summarizePod, type HostPort } from '../snapshot/pod-summary.ts';

const name = 'NodePorts';
const taken = rejection(name, "node(s) didn't have free ports for the requested pod ports");
const everyAddress = '0.0.0.0';

export function createNodePorts(): SchedulerPlugin {
  return {
    name,
    begin({ hostPorts }) {
      if (hostPorts.length === 0) return undefined;
      return {
        filter: (node) => (hostPorts.some((port) => isTaken(node, port)) ? taken : undefined),
      };
    },
    mayHelp({ hostPorts }, event) {
      if (event.kind === 'pod-deleted') {
        return summarizePod(event.pod).hostPorts.some((freed) =>
          hostPorts.some((port) => port.port === freed.port && port.protocol === freed.protocol),
        );
      }
      return event.kind === 'any' || (event.kind === 'node' && event.old === undefined);
    },
  };
}

function isTaken({ ports }: NodeState, { ip, protocol, port }: HostPort): boolean {
  const addresses = ports.get(`${protocol}/${port}`);
  if (addresses === undefined) return false;
  return ip === everyAddress || addresses.includes(everyAddress) || addresses.includes(ip);
}
