// The canonical form of the subsets of Endpoints: ports that the same addresses have, equally ready,
// share a subset, which lists the ready ones apart from those that are not. So an address is in as
// many subsets as its ports are shared differently: a port that all have, and one that has another
// number in each. An address that is said to be ready and not to be is not.

import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
} from '@keelson/apimachinery/types/core.v1';
import { hashOfBuiltin, orderSubsetPorts } from '../endpoint-slice/port-order.ts';

interface PortAddresses {
  /** Undefined for addresses without ports. */
  readonly port: EndpointPort | undefined;
  /** Whether each of them is ready, by its text. */
  readonly isReady: Map<string, boolean>;
}

export function repackSubsets(subsets: readonly EndpointSubset[]): EndpointSubset[] {
  const known = new Map<string, EndpointAddress>();
  const byPort = new Map<string, PortAddresses>();
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets)
    for (const port of ports.length === 0 ? [undefined] : ports) {
      const key = JSON.stringify(port ?? null);
      let ofPort = byPort.get(key);
      if (ofPort === undefined) byPort.set(key, (ofPort = { port, isReady: new Map() }));
      for (const [all, ready] of [
        [addresses, true],
        [notReadyAddresses, false],
      ] as const)
        for (const address of all) {
          const text = addressText(address);
          if (!known.has(text)) known.set(text, address);
          ofPort.isReady.set(text, ready && ofPort.isReady.get(text) !== false);
        }
    }
  const sharing = Map.groupBy(byPort.values(), ({ isReady }) =>
    JSON.stringify([...isReady].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
  return inOrder([...sharing.values()].map((alike) => toSubset(alike, known)));
}

/** By which they are told apart and ordered. */
const addressText = ({ ip, targetRef }: EndpointAddress) => `${ip} ${targetRef?.uid ?? ''}`;

function toSubset(
  sharing: readonly PortAddresses[],
  known: ReadonlyMap<string, EndpointAddress>,
): EndpointSubset {
  const all = [...(sharing[0]?.isReady ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const listed = (wanted: boolean) =>
    all.flatMap(([text, isReady]) => (isReady === wanted ? (known.get(text) ?? []) : []));
  const [ready, unready] = [listed(true), listed(false)];
  const ports = sharing.flatMap(({ port }) => port ?? []);
  return {
    ...(ready.length > 0 && { addresses: ready }),
    ...(unready.length > 0 && { notReadyAddresses: unready }),
    ...(ports.length > 0 && { ports: orderSubsetPorts(ports) }),
  };
}

/** COMPAT: by a hash of the whole, so that nothing can rely on the order but for it to stay. */
function inOrder(subsets: readonly EndpointSubset[]): EndpointSubset[] {
  if (subsets.length < 2) return [...subsets];
  const hashed = subsets.map((subset) => ({
    subset,
    hash: hashOfBuiltin(subset, 'io.k8s.api.core.v1.EndpointSubset'),
  }));
  return hashed.toSorted((a, b) => (a.hash < b.hash ? -1 : 1)).map(({ subset }) => subset);
}
