// Divides the seats of the server among priority levels: each gets the same fraction of what it wants,
// within its own bounds. Levels that want little leave the rest to the others.

export interface SeatClaim {
  readonly lower: number;
  readonly upper: number;
  /** What the level would like to have; not below `lower`. */
  readonly target: number;
}

export interface SeatAllocation {
  /** In the order of the claims; their sum is what there is, as far as the bounds allow. */
  readonly seats: readonly number[];
  /** What fraction of its target a level within its bounds gets. */
  readonly fairFraction: number;
}

/**
 * Finds the fraction at which the claims, each held within its bounds, sum up to `total`. The sum
 * grows with the fraction in straight pieces, which meet where a claim reaches a bound.
 */
export function allocateSeats(total: number, claims: readonly SeatClaim[]): SeatAllocation {
  const at = (fraction: number) =>
    claims.map(({ lower, upper, target }) =>
      Math.min(upper, Math.max(lower, target === 0 ? lower : fraction * target)),
    );
  const bends = claims
    .filter(({ target }) => target > 0)
    .flatMap(({ lower, upper, target }) => [lower / target, upper / target])
    .toSorted((a, b) => a - b);
  let below = 0;
  let sumBelow = sum(at(below));
  if (sumBelow >= total) return { seats: at(below), fairFraction: below };
  for (const bend of bends) {
    const sumHere = sum(at(bend));
    if (sumHere >= total) {
      const slope = (sumHere - sumBelow) / (bend - below);
      const fairFraction = slope > 0 ? below + (total - sumBelow) / slope : bend;
      return { seats: at(fairFraction), fairFraction };
    }
    [below, sumBelow] = [bend, sumHere];
  }
  return { seats: spread(total, at(below), claims), fairFraction: below };
}

/** What nobody asked for goes to the levels without demand, in equal parts. */
function spread(total: number, seats: readonly number[], claims: readonly SeatClaim[]): number[] {
  const idle = claims.filter(({ target }) => target === 0).length;
  const part = idle === 0 ? 0 : Math.max(0, total - sum(seats)) / idle;
  return seats.map((count, i) => {
    const claim = claims[i];
    return claim?.target === 0 ? Math.min(claim.upper, count + part) : count;
  });
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
