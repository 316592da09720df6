// Addresses that nothing listens at, each given to one at a time: nodes have theirs in
// 172.16.0.0/12, the pods of each node in a /24 of 10.128.0.0/9.

export const nodesMax = 32_000;

/** `index` counts nodes from 1. */
export function nodeAddress(index: number): string {
  return `172.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

/** That of the node whose pods have such addresses; undefined for others. */
export function nodeIndexOf(podAddress: string): number | undefined {
  const [, high, low] = /^10\.(\d{1,3})\.(\d{1,3})\.\d{1,3}$/.exec(podAddress) ?? [];
  const index = ((Number(high) - 128) << 8) | Number(low);
  return index >= 1 && index <= nodesMax ? index : undefined;
}

export interface PodAddresses {
  /** Throws when all are taken: a node has more addresses than it takes pods. */
  take(): string;
  /** One that a pod has already. */
  reserve(address: string): void;
  release(address: string): void;
}

export function createPodAddresses(index: number): PodAddresses {
  const prefix = `10.${128 + (index >> 8)}.${index & 255}.`;
  const taken = new Set<string>();
  let last = 1;
  return {
    take() {
      for (let tries = 0; tries < 254; tries++) {
        last = last >= 254 ? 1 : last + 1;
        const address = `${prefix}${last}`;
        if (taken.has(address)) continue;
        taken.add(address);
        return address;
      }
      throw new Error('the node has no address left');
    },
    reserve: (address) => void taken.add(address),
    release: (address) => void taken.delete(address),
  };
}
