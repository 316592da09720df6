// The order in which a request passes the filters. This array is the only place that decides it,
// and ARCHITECTURE.md is compared with it by a test.

import type { RequestContext } from './request-context.ts';

export type Next = () => Promise<void>;
export interface Filter {
  readonly name: string;
  handle(context: RequestContext, next: Next): Promise<void>;
}

/** Outermost first. */
export const pipelineOrder = [
  'request-metrics',
  'respond-errors',
  'deadline',
  'decision-trace',
  'authentication',
  'trace-permission',
  'audit',
  'impersonation',
  'flow-control',
  'authorization',
  'endpoints',
] as const;
export type FilterName = (typeof pipelineOrder)[number];

/** Composes the filters, which must be exactly those of `pipelineOrder`. */
export function composePipeline(
  filters: Readonly<Record<FilterName, Filter>>,
): (context: RequestContext) => Promise<void> {
  const ordered = pipelineOrder.map((name) => filters[name]);
  const run = (context: RequestContext, index: number): Promise<void> => {
    const filter = ordered[index];
    if (filter === undefined) return Promise.resolve();
    return filter.handle(context, () => run(context, index + 1));
  };
  return (context) => run(context, 0);
}
