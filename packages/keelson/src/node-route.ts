// Where the addresses of simulated nodes are reached: at the port of this machine at which all of
// them are served; and those of their pods: inside this process. The server gets the route before
// there are nodes.

import type { Route, RoutedAddress } from '@keelson/apiserver';

type Address = Parameters<Route>[0];

export interface NodeRoute {
  readonly route: Route;
  /** From now on these hosts, at this port, are found at the target. */
  lead(hosts: readonly string[], port: number, target: Address): void;
  /** From now on these are asked first for the addresses of pods. */
  leadToPods(podRoute: PodRoute): void;
}

/** Undefined for addresses of others. */
export type PodRoute = (address: Address) => RoutedAddress | undefined;

/** `beyond`: the way to everything else. */
export function createNodeRoute(beyond: Route = (address) => address): NodeRoute {
  const targets = new Map<string, Address>();
  let toPod: PodRoute = () => undefined;
  const keyOf = ({ host, port }: Address) => `${host} ${port}`;
  return {
    route: (address) => targets.get(keyOf(address)) ?? toPod(address) ?? beyond(address),
    lead(hosts, port, target) {
      for (const host of hosts) targets.set(keyOf({ host, port }), target);
    },
    leadToPods(podRoute) {
      toPod = podRoute;
    },
  };
}
