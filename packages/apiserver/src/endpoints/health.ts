// /livez, /readyz and /healthz: named checks, all of which must pass. `?verbose` lists them,
// `?exclude=NAME` leaves one out, `/readyz/NAME` asks a single one. Format of
// k8s.io/apiserver/pkg/server/healthz.

import type { RequestContext } from '../request-context.ts';
import { respondText } from './respond.ts';

export interface HealthCheck {
  readonly name: string;
  /** A reason when the check fails. It is logged, never shown. */
  check(): string | undefined;
}
export type HealthEndpoint = 'livez' | 'readyz' | 'healthz';
export type HealthChecks = Readonly<Record<HealthEndpoint, readonly HealthCheck[]>>;

/** False when the path is no health path. */
export function serveHealth(
  context: RequestContext,
  checks: HealthChecks,
  onFailure: (name: string, reason: string) => void,
): boolean {
  const match = /^\/(livez|readyz|healthz)(?:\/(.+))?$/.exec(context.info.path);
  if (match === null) return false;
  const endpoint = match[1] as HealthEndpoint;
  const list = checks[endpoint];
  if (match[2] !== undefined) {
    const single = list.find((c) => c.name === match[2]);
    if (single === undefined) return notFound(context);
    return serveSingle(context, single, onFailure);
  }
  serveAll(context, endpoint, list, onFailure);
  return true;
}

function notFound(context: RequestContext): true {
  respondText(context, '404 page not found\n', 404);
  return true;
}

function serveSingle(
  context: RequestContext,
  check: HealthCheck,
  onFailure: (name: string, reason: string) => void,
): true {
  const reason = check.check();
  if (reason === undefined) respondText(context, 'ok');
  else {
    onFailure(check.name, reason);
    respondText(context, `internal server error: ${check.name} failed\n`, 500);
  }
  return true;
}

function serveAll(
  context: RequestContext,
  endpoint: HealthEndpoint,
  list: readonly HealthCheck[],
  onFailure: (name: string, reason: string) => void,
): void {
  const excluded = new Set(context.info.query.getAll('exclude'));
  const unused = new Set(excluded);
  const lines: string[] = [];
  let failed = false;
  for (const check of list) {
    if (excluded.has(check.name)) {
      unused.delete(check.name);
      lines.push(`[+]${check.name} excluded: ok\n`);
      continue;
    }
    const reason = check.check();
    if (reason === undefined) lines.push(`[+]${check.name} ok\n`);
    else {
      failed = true;
      onFailure(check.name, reason);
      lines.push(`[-]${check.name} failed: reason withheld\n`);
    }
  }
  if (unused.size > 0)
    lines.push(
      `warn: some health checks cannot be excluded: no matches for ${[...unused].map((n) => JSON.stringify(n)).join(', ')}\n`,
    );
  if (failed) return respondText(context, `${lines.join('')}${endpoint} check failed\n`, 500);
  if (!context.info.query.has('verbose')) return respondText(context, 'ok');
  respondText(context, `${lines.join('')}${endpoint} check passed\n`);
}
