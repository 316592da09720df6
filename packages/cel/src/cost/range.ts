/**
 * Arithmetic of cost and size ranges, saturating at 2^64 as the unsigned integers of cel-go do.
 */

import type { CostEstimate, SizeEstimate } from './cost.ts';

/** The largest cost and size. */
export const rangeMax: number = 2 ** 64;

/** What is said about a size of which nothing is known. */
export const unknownSize: SizeEstimate = { min: 0, max: rangeMax };

/** No cost at all. */
export const noCost: CostEstimate = { min: 0, max: 0 };

/** Exactly this cost or size. */
export function exactly(amount: number): CostEstimate {
  return { min: amount, max: amount };
}

/** Both, one after the other. */
export function addRanges(left: CostEstimate, right: CostEstimate): CostEstimate {
  return { min: saturate(left.min + right.min), max: saturate(left.max + right.max) };
}

/** One for each of the other. */
export function multiplyRanges(left: CostEstimate, right: CostEstimate): CostEstimate {
  return { min: saturate(left.min * right.min), max: saturate(left.max * right.max) };
}

/** A share of a range, rounded up. */
export function scaleRange(range: CostEstimate, factor: number): CostEstimate {
  return { min: scale(range.min, factor), max: scale(range.max, factor) };
}

/** Either of the two. */
export function uniteRanges(left: CostEstimate, right: CostEstimate): CostEstimate {
  return { min: Math.min(left.min, right.min), max: Math.max(left.max, right.max) };
}

function scale(amount: number, factor: number): number {
  return saturate(Math.ceil(amount * factor));
}

function saturate(amount: number): number {
  return Math.min(amount, rangeMax);
}
