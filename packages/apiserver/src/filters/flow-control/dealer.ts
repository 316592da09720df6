// Shuffle sharding: the hash of a flow deals it a hand of queues, as a shuffled deck would. Flows share
// some queues with some others, and hardly ever all of them with a single one.

import type { FlowHash } from './flow-hash.ts';

/** Deals `handSize` different cards of 0 … `deckSize`-1, in the order of the deal. */
export type Dealer = (hash: FlowHash) => readonly number[];

/**
 * `deckSize` is at most 10 million and the number of possible hands at most 2^60, as validation of
 * PriorityLevelConfigurations sees to; then all hands are nearly equally likely.
 */
export function createDealer(deckSize: number, handSize: number): Dealer {
  // Busy flows are dealt the same hand again and again, and keep their hash object.
  const dealt = new WeakMap<FlowHash, readonly number[]>();
  return (hash) => {
    const known = dealt.get(hash);
    if (known !== undefined) return known;
    const hand = deal(hash, deckSize, handSize);
    dealt.set(hash, hand);
    return hand;
  };
}

function deal({ high, low }: FlowHash, deckSize: number, handSize: number): number[] {
  const hand: number[] = [];
  const sorted: number[] = [];
  for (let i = 0; i < handSize; i++) {
    // One digit of the hash, in the base of the cards that are left.
    const left = deckSize - i;
    const quotient = Math.floor(high / left);
    const upper = (high - quotient * left) * 65_536 + (low >>> 16);
    const upperQuotient = Math.floor(upper / left);
    const lower = (upper - upperQuotient * left) * 65_536 + (low & 0xffff);
    const lowerQuotient = Math.floor(lower / left);
    let card = lower - lowerQuotient * left;
    high = quotient;
    low = upperQuotient * 65_536 + lowerQuotient;
    // The card-th of those that are left: step over the dealt ones below it.
    let place = 0;
    for (; place < i && card >= (sorted[place] ?? 0); place++) card++;
    for (let j = i; j > place; j--) sorted[j] = sorted[j - 1] ?? 0;
    sorted[place] = card;
    hand.push(card);
  }
  return hand;
}
