// Choices from a seed: everything that the fuzz test does follows from one number.

import type { Random } from '@keelson/apimachinery';

export interface Chance {
  /** Integer in [0, count). */
  below(count: number): number;
  /** True in `percent` of 100 cases. */
  percent(percent: number): boolean;
  /** One of `choices`, which are not empty. */
  pick<T>(choices: readonly T[]): T;
  bytes(count: number): Uint8Array;
}

export function createChance(random: Random): Chance {
  const below = (count: number) => Math.floor(random.float() * count);
  return {
    below,
    percent: (percent) => random.float() * 100 < percent,
    pick(choices) {
      const choice = choices[below(choices.length)];
      if (choice === undefined && choices.length === 0) throw new Error('nothing to choose from');
      return choice as (typeof choices)[number];
    },
    bytes: (count) => random.bytes(count),
  };
}
