// API Priority and Fairness: finds the FlowSchema of a request, and lets it through when its priority
// level has seats for it; before that it may wait in a queue, and it may be refused. The classification is
// told in two headers, by uid: names could tell a caller how little it matters.
//
//   watches              occupy seats only until they have sent what was there at their start
//   other long-running   are not looked at
//   waiting              a quarter of the time that the request has, at most a minute; then 429

import type { Clock } from '@keelson/apimachinery';
import type { ServerLimits } from '../config.ts';
import type { RequestContext } from '../request-context.ts';
import type { Filter, Next } from '../request-pipeline.ts';
import { isLongRunning, requestedTimeoutMs } from './deadline.ts';
import type { Flow, FlowController } from './flow-control/flow-controller.ts';
import { isExempt } from './flow-control/priority-level.ts';
import type { RefusalReason } from './flow-control/queue-set.ts';
import type { Ticket } from './flow-control/ticket.ts';
import type { ReadWriteMeter } from './flow-control/read-write-meter.ts';
import { refuseTooMany } from './flow-control/refusal.ts';
import type { TakeTurn } from './flow-control/turns.ts';
import type { WatchCounts } from './flow-control/watch-counts.ts';
import type { EstimateWork, WorkEstimate } from './flow-control/work-estimate.ts';

export interface FlowControlOptions {
  readonly controller: FlowController;
  readonly estimate: EstimateWork;
  readonly watches: WatchCounts;
  readonly readWrite: ReadWriteMeter;
  readonly takeTurn: TakeTurn;
  readonly clock: Clock;
  readonly limits: ServerLimits;
}

/** The longest that any request may wait in a queue. */
const waitMaxMs = 60_000;

export function createFlowControlFilter(options: FlowControlOptions): Filter {
  const { controller, estimate } = options;
  return {
    name: 'flow-control',
    handle(context, next) {
      const { info, user, response } = context;
      if (info.verb !== 'watch' && isLongRunning(context)) return next();
      const flow = controller.classify(user, info);
      const { level, counts } = flow;
      response.setHeader('x-kubernetes-pf-flowschema-uid', flow.schemaUid);
      response.setHeader('x-kubernetes-pf-prioritylevel-uid', level.uid);
      const work = estimate(info, level, counts);
      const rest: Rest = { flow, next, options };
      return work instanceof Promise
        ? work.then((known) => seat(context, known, rest))
        : seat(context, work, rest);
    },
  };
}

interface Rest {
  readonly flow: Flow;
  readonly next: Next;
  readonly options: FlowControlOptions;
}

/** At once when there are seats, else after waiting, or not at all. */
function seat(context: RequestContext, work: WorkEstimate, rest: Rest): Promise<void> {
  const { flow } = rest;
  flow.counts.estimatedSeats.observe(Math.max(work.initialSeats, work.finalSeats));
  const ticket = flow.level.queues.start({
    counts: flow.counts,
    estimate: work,
    distinguisher: flow.distinguisher(context.user, context.info),
    hash: flow.hash,
    details: context,
  });
  if (typeof ticket === 'string') return refuse(context, flow, ticket);
  if (ticket.state !== 'waiting') return run(ticket, context, rest, false);
  return wait(ticket, context, rest).then((outcome) =>
    outcome === 'dispatched'
      ? run(ticket, context, rest, true)
      : refuse(context, flow, outcome, ticket),
  );
}

/** Until the ticket is dispatched, its time is up or the client is gone. */
function wait(
  ticket: Ticket,
  context: RequestContext,
  { flow, options: { clock, limits, readWrite } }: Rest,
): Promise<'dispatched' | 'time-out' | 'cancelled'> {
  const kind = kindOf(context);
  const { queues } = flow.level;
  const { requestTimeoutMs } = limits;
  const timeMs = isLongRunning(context)
    ? requestTimeoutMs
    : requestedTimeoutMs(context, requestTimeoutMs);
  const leftMs = context.receivedAtMs + Math.min(waitMaxMs, timeMs / 4) - clock.now();
  readWrite.change('waiting', kind, 1, clock.monotonic());
  return new Promise((resolve) => {
    const end = (outcome: 'dispatched' | 'time-out' | 'cancelled') => {
      cancelTimer();
      context.signal.removeEventListener('abort', onAbort);
      readWrite.change('waiting', kind, -1, clock.monotonic());
      resolve(outcome);
    };
    const giveUp = (why: 'time-out' | 'cancelled') => {
      if (queues.leave(ticket as Ticket<RequestContext>)) end(why);
    };
    const onAbort = () => giveUp('cancelled');
    const cancelTimer = clock.after(Math.max(0, leftMs), () => giveUp('time-out'));
    ticket.onDispatch = () => end('dispatched');
    context.signal.addEventListener('abort', onAbort, { once: true });
    if (context.signal.aborted) onAbort();
  });
}

/** The rest of the pipeline, in the seats of the ticket. */
async function run(
  ticket: Ticket<RequestContext>,
  context: RequestContext,
  { flow, next, options }: Rest,
  hasWaited: boolean,
): Promise<void> {
  const { clock, controller, readWrite, watches } = options;
  const { level, counts } = flow;
  const kind = kindOf(context);
  const isWatch = context.info.verb === 'watch';
  noteDispatch(ticket, flow, context);
  const startedAtMs = ticket.startedAtMs ?? ticket.arrivedAtMs;
  readWrite.change('executing', kind, 1, startedAtMs);
  const turn = isExempt(level)
    ? undefined
    : options.takeTurn({ seats: ticket.initialSeats, hasWaited });
  let isReleased = false;
  const release = () => {
    if (isReleased) return;
    isReleased = true;
    level.queues.finish(ticket);
    turn?.end();
    controller.settled(level);
    const nowMs = clock.monotonic();
    readWrite.change('executing', kind, -1, nowMs);
    counts.executionSeconds[isWatch ? 'watch' : 'regular'].observe((nowMs - startedAtMs) / 1000);
  };
  const forgetWatch = isWatch ? watches.register(context.info) : undefined;
  if (isWatch) context.onWatchStarted = release;
  try {
    if (turn !== undefined) await turn.begin;
    await next();
  } finally {
    release();
    forgetWatch?.();
  }
}

function noteDispatch(
  ticket: Ticket,
  { schemaName, level, counts }: Flow,
  context: RequestContext,
) {
  counts.dispatched++;
  level.dispatched++;
  const waitedMs = (ticket.startedAtMs ?? ticket.arrivedAtMs) - ticket.arrivedAtMs;
  if (level.plan.shape.mode === 'queue') counts.waitSeconds.executed.observe(waitedMs / 1000);
  if (!context.trace.enabled) return;
  const seats = Math.max(ticket.initialSeats, ticket.finalSeats);
  context.trace.record({
    stage: 'flow-control',
    by: schemaName,
    outcome: 'allow',
    reason: `priority level ${JSON.stringify(level.name)} has seats for it`,
    detail: { flowSchema: schemaName, priorityLevel: level.name, seats, waitedMs },
  });
}

async function refuse(
  context: RequestContext,
  flow: Flow,
  reason: RefusalReason,
  ticket?: Ticket,
): Promise<void> {
  const { level, counts, schemaName } = flow;
  counts.rejected[reason]++;
  level.refused++;
  if (reason === 'time-out') level.timedOut++;
  if (reason === 'cancelled') level.cancelled++;
  if (level.plan.shape.mode === 'queue') {
    const waitedMs = ticket === undefined ? 0 : level.queues.nowMs - ticket.arrivedAtMs;
    counts.waitSeconds.refused.observe(waitedMs / 1000);
  }
  level.retryAfter.noteRefusal(level.queues.nowMs);
  refuseTooMany(context, level.retryAfter.seconds(), {
    stage: 'flow-control',
    by: schemaName,
    outcome: 'deny',
    reason: `priority level ${JSON.stringify(level.name)} refuses it: ${reason}`,
    detail: { flowSchema: schemaName, priorityLevel: level.name, reason },
  });
}

function kindOf({ info: { verb } }: RequestContext): 'readOnly' | 'mutating' {
  return verb === 'get' || verb === 'list' || verb === 'watch' ? 'readOnly' : 'mutating';
}
