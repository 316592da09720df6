// Where the addresses of simulated nodes are reached: at the port of this machine at which all of
// them are served. The server gets the route before there are nodes.

import type { Route } from '@keelson/apiserver';

type Address = Parameters<Route>[0];

export interface NodeRoute {
  readonly route: Route;
  /** From now on these hosts, at this port, are found at the target. */
  lead(hosts: readonly string[], port: number, target: Address): void;
}

/** `beyond`: the way to everything else. */
export function createNodeRoute(beyond: Route = (address) => address): NodeRoute {
  const targets = new Map<string, Address>();
  const keyOf = ({ host, port }: Address) => `${host} ${port}`;
  return {
    route: (address) => targets.get(keyOf(address)) ?? beyond(address),
    lead(hosts, port, target) {
      for (const host of hosts) targets.set(keyOf({ host, port }), target);
    },
  };
}
