/**
 * The state of one evaluation: variables, loop variables, and what it has cost so far.
 */

import type { Bindings, EvaluationOptions } from '../program.ts';
import { noSuchAttribute } from '../values/error.ts';
import type { CelResult } from '../values/value.ts';

/**
 * Evaluates a node. Errors are values; only an evaluation that is given up throws,
 * `EvaluationCancelled`.
 */
export type Evaluator = (frame: Frame) => CelResult;

/** Ends an evaluation from anywhere within. Does not leave `Program.evaluate`. */
export class EvaluationCancelled extends Error {}

/**
 * What the functions of one evaluation may make, in characters, bytes and elements. Costs alone do
 * not bound that: a `replace` makes much of little. An evaluation within Kubernetes' limits stays
 * below a fifth of it.
 */
const allocationMax = 2 ** 26;

/** What a frame needs to know beside the options of an evaluation. */
export interface FrameLimits {
  readonly interruptionCheckFrequency: number;
  /** Where the values of nodes are noted, by id, when somebody wants to know why. */
  readonly observations?: Map<number, CelResult>;
}

/** One evaluation. A class for the sake of speed: there is one for every evaluation. */
export class Frame {
  cost = 0;
  /** Loop variables and accumulators; undefined where a binding was not yet needed. */
  readonly slots: (CelResult | undefined)[] = [];
  readonly observations: FrameLimits['observations'];
  readonly #bindings: Bindings;
  readonly #costLimit: number;
  readonly #signal: EvaluationOptions['signal'];
  readonly #checkFrequency: number;
  #iterations = 0;
  #allocated = 0;

  constructor(bindings: Bindings, options: EvaluationOptions, limits: FrameLimits) {
    this.#bindings = bindings;
    this.#costLimit = options.costLimit ?? Number.POSITIVE_INFINITY;
    this.#signal = options.signal;
    this.#checkFrequency = limits.interruptionCheckFrequency;
    this.observations = limits.observations;
  }

  /** Adds to the cost; throws when that is more than is allowed. */
  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#costLimit) {
      throw new EvaluationCancelled('operation cancelled: actual cost limit exceeded');
    }
  }

  /** Counts what a function made, in characters, bytes or elements; throws when it is too much. */
  allocate(size: number): void {
    this.#allocated += size;
    if (this.#allocated > allocationMax) {
      throw new EvaluationCancelled('operation cancelled: allocation limit exceeded');
    }
  }

  /** Called once per iteration; throws when the evaluation was aborted. */
  iterate(): void {
    if (++this.#iterations % this.#checkFrequency === 0 && this.#signal?.aborted === true) {
      throw new EvaluationCancelled('operation interrupted');
    }
  }

  variable(name: string): CelResult {
    const bindings = this.#bindings;
    let value: CelResult | undefined;
    if (typeof bindings === 'function') value = bindings(name);
    // SECURITY: own properties only, so that no name reaches what every object inherits.
    else if (Object.hasOwn(bindings, name)) value = bindings[name];
    return value === undefined ? noSuchAttribute(name) : value;
  }
}

/** A frame for what is computed before any evaluation: no variables, no loops, no limit. */
export function constantFrame(): Frame {
  return new Frame({}, {}, { interruptionCheckFrequency: 1 });
}
