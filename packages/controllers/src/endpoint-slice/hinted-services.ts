// Which Services have hints by topology, and for which zones: who gets them, or loses them, is told
// once, and when nodes come and go those whose zones do not fit any more are looked at again.

import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { EventText } from '../machinery/event-recorder.ts';
import type { AddressType } from './pod-endpoint.ts';
import {
  isOverloaded,
  processorShares,
  withoutHints,
  withTopologyHints,
  type HintedSlices,
  type ZoneCounts,
  type ZoneShares,
} from './topology-hints.ts';

export interface ServiceSlices {
  readonly service: string;
  readonly addressType: AddressType;
  readonly slices: HintedSlices;
}

export interface HintedServices {
  /** With hints, or without any where they cannot be given. */
  give(of: ServiceSlices): HintedSlices;
  /** The Service does not ask for hints by topology (any more). */
  take(of: Omit<ServiceSlices, 'slices'>): void;
  /** Keys of Services that have to be looked at, now that nodes have changed. */
  overloaded(): readonly string[];
  nodesChanged(): void;
  forget(service: string): void;
}

export function createHintedServices(
  nodes: () => readonly Node[],
  tell: (service: string, text: EventText) => void,
): HintedServices {
  const counts = new Map<string, Map<AddressType, ZoneCounts>>();
  const hinted = new Set<string>();
  let shares: { readonly known: ZoneShares | undefined } | undefined;
  const sharesNow = () => (shares ??= { known: processorShares(nodes()) }).known;
  const disabled = ({ service, addressType }: Omit<ServiceSlices, 'slices'>, why: string) =>
    tell(service, {
      type: 'Warning',
      reason: 'TopologyAwareHintsDisabled',
      message: `${why}, addressType: ${addressType}`,
    });
  const remove = ({ service, addressType }: Omit<ServiceSlices, 'slices'>) => {
    const ofService = counts.get(service);
    ofService?.delete(addressType);
    if (ofService?.size === 0) counts.delete(service);
    hinted.delete(service);
  };
  return {
    give(of) {
      const outcome = withTopologyHints(of.slices, sharesNow());
      if ('problem' in outcome) {
        disabled(of, outcome.problem);
        remove(of);
        return withoutHints(of.slices);
      }
      const { service, addressType } = of;
      const ofService = counts.get(service) ?? new Map<AddressType, ZoneCounts>();
      counts.set(service, ofService.set(addressType, outcome.byZone));
      if (!hinted.has(service)) {
        hinted.add(service);
        const message = `Topology Aware Hints has been enabled, addressType: ${addressType}`;
        tell(service, { type: 'Normal', reason: 'TopologyAwareHintsEnabled', message });
      }
      return outcome.slices;
    },
    take(of) {
      if (hinted.has(of.service)) disabled(of, 'Topology Aware Hints has been disabled');
      remove(of);
    },
    overloaded: () =>
      [...counts]
        .filter(([, byType]) => [...byType.values()].some((one) => isOverloaded(one, sharesNow())))
        .map(([service]) => service),
    nodesChanged() {
      shares = undefined;
    },
    forget(service) {
      counts.delete(service);
      hinted.delete(service);
    },
  };
}
