import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allocateSeats, type SeatClaim } from './seat-allocation.ts';

const claim = (lower: number, target: number, upper: number): SeatClaim => ({
  lower,
  target,
  upper,
});

const rows: readonly (readonly [string, number, readonly SeatClaim[], readonly number[]])[] = [
  ['equal wishes, equal parts', 30, [claim(0, 5, 99), claim(0, 5, 99)], [15, 15]],
  ['in proportion', 30, [claim(0, 10, 99), claim(0, 20, 99)], [10, 20]],
  ['too many wishes', 15, [claim(0, 10, 99), claim(0, 20, 99)], [5, 10]],
  ['a lower bound', 30, [claim(20, 20, 99), claim(0, 40, 99)], [20, 10]],
  ['an upper bound', 30, [claim(0, 10, 12), claim(0, 10, 99)], [12, 18]],
  ['nobody wishes', 30, [claim(0, 0, 99), claim(0, 0, 99)], [15, 15]],
  ['not even the lower bounds', 10, [claim(8, 8, 99), claim(8, 8, 99)], [8, 8]],
  ['all at their upper bounds', 100, [claim(0, 5, 10), claim(0, 5, 10)], [10, 10]],
];
for (const [name, total, claims, expected] of rows)
  test(name, () => {
    const { seats } = allocateSeats(total, claims);
    assert.deepEqual(
      seats.map((count) => Math.round(count * 1000) / 1000),
      expected,
    );
  });

test('within bounds, nothing left over, and one fraction for all that have a choice', () => {
  const anyClaim = fc
    .tuple(fc.nat(50), fc.nat(50), fc.nat(300))
    .map(([lower, more, room]) => claim(lower, Math.max(1, lower + more), lower + room));
  fc.assert(
    fc.property(
      fc.array(anyClaim, { minLength: 1, maxLength: 8 }),
      fc.nat(600),
      (claims, total) => {
        const { seats, fairFraction } = allocateSeats(total, claims);
        const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
        const low = sum(claims.map(({ lower }) => lower));
        const high = sum(claims.map(({ upper }) => upper));
        const expected = Math.min(Math.max(total, low), high);
        assert.ok(Math.abs(sum(seats) - expected) < 1e-6, `${sum(seats)} for ${expected}`);
        seats.forEach((count, i) => {
          const { lower, upper, target } = claims[i] ?? claim(0, 0, 0);
          assert.ok(count >= lower && count <= upper);
          if (count > lower && count < upper)
            assert.ok(Math.abs(count - fairFraction * target) < 1e-6);
        });
      },
    ),
  );
});
