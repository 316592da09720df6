// The request header `Keelson-Explain: 1` asks how the request is decided. The answer, whatever it
// is, then names its trace in `Keelson-Trace`, and `/debug/keelson/traces/<id>` shows it.
//
// Needs the permission to `create` `decisiontraces.keelson.dev` in the namespace of the request; who
// lacks it is told so in a warning, and the request is decided as any other. It is the permission of
// whoever sent the request, not of the user it acts as. A request that fails to authenticate is
// recorded too: its sender learns an id, and whoever may read traces which check failed.
//
// Two filters with authentication between them: `decision-trace` and `trace-permission`.

import { isStatusError, noDecisionTrace } from '@keelson/apimachinery';
import type { Authorizer } from '../../authorization/authorizer.ts';
import type { Filter } from '../../request-pipeline.ts';
import type { RequestContext } from '../../request-context.ts';
import type { RecordedTrace, TraceStore } from './trace-store.ts';

export const traceGroup = 'keelson.dev';
export const traceResource = 'decisiontraces';
const traceHeader = 'keelson-trace';

export interface ExplainFilters {
  readonly 'decision-trace': Filter;
  readonly 'trace-permission': Filter;
}

export function createExplainFilters(store: TraceStore, authorizer: Authorizer): ExplainFilters {
  // Of requests between the two filters.
  const opened = new Map<RequestContext, RecordedTrace>();
  return {
    'decision-trace': {
      name: 'decision-trace',
      handle(context, next) {
        if (context.request.headers['keelson-explain'] !== '1') return next();
        const trace = store.open(context);
        opened.set(context, trace);
        // Permission is asked for right after authentication, and settles the trace.
        const settle = () => {
          if (opened.delete(context)) refer(context, store, trace);
        };
        return follow({ context, trace, settle }, next);
      },
    },
    'trace-permission': {
      name: 'trace-permission',
      async handle(context, next) {
        const trace = opened.get(context);
        if (trace === undefined) return next();
        opened.delete(context);
        if (await mayExplain(context, authorizer)) {
          trace.requester = context.user;
          refer(context, store, trace);
          context.annotate('keelson.dev/trace', trace.id);
        } else {
          context.trace = noDecisionTrace;
          context.warn(
            `Keelson-Explain was ignored: user ${JSON.stringify(context.user.name)} cannot create ${traceResource}.${traceGroup}`,
          );
        }
        return next();
      },
    },
  };
}

interface Followed {
  readonly context: RequestContext;
  readonly trace: RecordedTrace;
  readonly settle: () => void;
}

/** Notes what the answer was, and as whom the request went on. */
async function follow(
  { context, trace, settle }: Followed,
  next: () => Promise<void>,
): Promise<void> {
  try {
    await next();
    trace.code = context.response.status;
  } catch (error) {
    const { code = 500, reason = 'InternalError' } = isStatusError(error) ? error.status : {};
    trace.code = code;
    context.trace.record({ stage: 'answer', by: 'server', outcome: 'error', reason });
    settle();
    throw error;
  } finally {
    if (context.impersonator !== undefined) trace.impersonated = context.user;
  }
}

function refer({ response }: RequestContext, store: TraceStore, trace: RecordedTrace): void {
  store.keep(trace);
  if (!response.headersSent) response.setHeader(traceHeader, trace.id);
}

async function mayExplain(context: RequestContext, authorizer: Authorizer): Promise<boolean> {
  const attributes = {
    isResource: true,
    verb: 'create',
    group: traceGroup,
    version: 'v1alpha1',
    resource: traceResource,
    subresource: '',
    namespace: context.info.namespace,
    name: '',
  } as const;
  const { decision } = await authorizer.authorize(context.user, attributes, noDecisionTrace);
  return decision === 'allow';
}
