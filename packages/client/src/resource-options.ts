// Options of the verbs and how they become query parameters and bodies.

import type { JsonObject } from '@keelson/apimachinery';

export interface GetOptions {
  readonly resourceVersion?: string;
  readonly subresource?: string;
  readonly signal?: AbortSignal;
}

export interface SelectionOptions {
  /** `app=web,tier!=db`. */
  readonly labelSelector?: string;
  /** `metadata.name=web`. */
  readonly fieldSelector?: string;
}

export interface ListOptions extends SelectionOptions {
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends SelectionOptions {
  /** Deliver what came after it. Absent or `0`: what is there first, as ADDED. */
  readonly resourceVersion?: string;
  /** What is there first, then a bookmark that says so. */
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
  /**
   * Connects again when the watch ends, from the last revision that is known: the one asked for, or
   * that of a bookmark. Default true. An expired revision ends the watch with a StatusError (410).
   */
  readonly resume?: boolean;
  readonly signal?: AbortSignal;
}

export interface WriteOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  /** `status`, `scale`, `finalize` … */
  readonly subresource?: string;
  readonly signal?: AbortSignal;
}
export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Takes over fields that other managers own. */
  readonly force?: boolean;
}
export type PatchType = 'json' | 'merge' | 'strategic';

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export type Query = [name: string, value: string][];

export function selectionQuery(options: SelectionOptions): Query {
  return defined([
    ['labelSelector', options.labelSelector],
    ['fieldSelector', options.fieldSelector],
  ]);
}

export function listQuery(options: ListOptions): Query {
  return [
    ...selectionQuery(options),
    ...defined([
      ['limit', options.limit],
      ['continue', options.continue],
      ['resourceVersion', options.resourceVersion],
      ['resourceVersionMatch', options.resourceVersionMatch],
    ]),
  ];
}

export function writeQuery(options: WriteOptions): Query {
  return defined([
    ['dryRun', options.dryRun === true ? 'All' : undefined],
    ['fieldManager', options.fieldManager],
    ['fieldValidation', options.fieldValidation],
  ]);
}

/** The body of a deletion, or undefined when nothing was asked for. */
export function deleteBody(options: DeleteOptions): JsonObject | undefined {
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = options;
  const wanted: JsonObject = {};
  if (gracePeriodSeconds !== undefined) wanted['gracePeriodSeconds'] = gracePeriodSeconds;
  if (propagationPolicy !== undefined) wanted['propagationPolicy'] = propagationPolicy;
  if (preconditions !== undefined) wanted['preconditions'] = { ...preconditions };
  if (dryRun === true) wanted['dryRun'] = ['All'];
  if (Object.keys(wanted).length === 0) return undefined;
  return { kind: 'DeleteOptions', apiVersion: 'v1', ...wanted };
}

export function defined(
  pairs: readonly (readonly [string, string | number | boolean | undefined])[],
): Query {
  const out: Query = [];
  for (const [name, value] of pairs) if (value !== undefined) out.push([name, String(value)]);
  return out;
}
