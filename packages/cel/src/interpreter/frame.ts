/**
 * The state of one evaluation: variables, loop variables, and what it has cost so far.
 */

import type { Bindings, EvaluationOptions } from '../program.ts';
import { noSuchAttribute } from '../values/error.ts';
import type { CelResult, CelValue } from '../values/value.ts';

/**
 * Evaluates a node. Errors are values; only an evaluation that is given up throws,
 * `EvaluationCancelled`.
 */
export type Evaluator = (frame: Frame) => CelResult;

/** Ends an evaluation from anywhere within. Does not leave `Program.evaluate`. */
export class EvaluationCancelled extends Error {}

/** One evaluation. */
export interface Frame {
  /** Loop variables and accumulators; undefined where a binding was not yet needed. */
  readonly slots: (CelResult | undefined)[];
  cost: number;
  /** Adds to the cost; throws when that is more than is allowed. */
  charge(cost: number): void;
  /** Counts what a function made, in characters, bytes or elements; throws when it is too much. */
  allocate(size: number): void;
  /** Called once per iteration; throws when the evaluation was aborted. */
  iterate(): void;
  variable(name: string): CelResult;
}

/**
 * What the functions of one evaluation may make, in characters, bytes and elements. Costs alone do
 * not bound that: a `replace` makes much of little. An evaluation within Kubernetes' limits stays
 * below a fifth of it.
 */
const allocationMax = 2 ** 26;

/** What a frame needs to know beside the options of an evaluation. */
export interface FrameLimits {
  readonly interruptionCheckFrequency: number;
}

/** A frame in which nothing has been evaluated. */
export function createFrame(
  bindings: Bindings,
  options: EvaluationOptions,
  limits: FrameLimits,
): Frame {
  const costLimit = options.costLimit ?? Number.POSITIVE_INFINITY;
  const { signal } = options;
  let iterations = 0;
  let allocated = 0;
  const frame: Frame = {
    slots: [],
    cost: 0,
    charge: (cost) => {
      frame.cost += cost;
      if (frame.cost > costLimit) {
        throw new EvaluationCancelled('operation cancelled: actual cost limit exceeded');
      }
    },
    allocate: (size) => {
      allocated += size;
      if (allocated > allocationMax) {
        throw new EvaluationCancelled('operation cancelled: allocation limit exceeded');
      }
    },
    iterate: () => {
      if (++iterations % limits.interruptionCheckFrequency === 0 && signal?.aborted === true) {
        throw new EvaluationCancelled('operation interrupted');
      }
    },
    variable:
      typeof bindings === 'function'
        ? (name) => bindings(name) ?? noSuchAttribute(name)
        : (name) => ownVariable(bindings, name),
  };
  return frame;
}

function ownVariable(bindings: Readonly<Record<string, CelResult>>, name: string): CelResult {
  if (!Object.hasOwn(bindings, name)) return noSuchAttribute(name);
  const value: CelValue | CelResult | undefined = bindings[name];
  return value === undefined ? noSuchAttribute(name) : value;
}
