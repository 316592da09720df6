// `/debug/api_priority_and_fairness/…`: what priority levels, queues and requests look like right now, as
// tables for people, in kube-apiserver's form. Whoever may `get` the paths sees whose requests wait.

import { formatApiVersion, type Clock } from '@keelson/apimachinery';
import { respondText } from '../../endpoints/respond.ts';
import type { PathHandler } from '../../endpoints/router.ts';
import type { RequestContext } from '../../request-context.ts';
import type { FlowController } from './flow-controller.ts';
import type { PriorityLevel } from './priority-level.ts';
import type { QueueDump } from './fair-queue.ts';
import type { Ticket } from './ticket.ts';

const folder = '/debug/api_priority_and_fairness/';

export function createFlowControlDumps(controller: FlowController, clock: Clock): PathHandler {
  const dumps: Readonly<Record<string, (context: RequestContext) => Table>> = {
    dump_priority_levels: () => dumpLevels(controller.levels()),
    dump_queues: () => dumpQueues(controller.levels()),
    dump_requests: ({ info }) => {
      const withDetails = (info.query.get('includeRequestDetails') ?? '') !== '';
      return dumpRequests(controller.levels(), { clock, withDetails });
    },
  };
  return (context) => {
    const { path } = context.info;
    if (!path.startsWith(folder)) return false;
    const dump = dumps[path.slice(folder.length)];
    if (dump === undefined) return false;
    respondText(context, renderTable(dump(context)));
    return true;
  };
}

type Table = readonly (readonly string[])[];

function dumpLevels(levels: readonly PriorityLevel[]): Table {
  return [
    [
      'PriorityLevelName',
      'ActiveQueues',
      'IsIdle',
      'IsQuiescing',
      'WaitingRequests',
      'ExecutingRequests',
      'DispatchedRequests',
      'RejectedRequests',
      'TimedoutRequests',
      'CancelledRequests',
    ],
    ...levels.map((level) => {
      const { name, queues, quiescing } = level;
      const numbers = [queues.waiting, queues.executing, level.dispatched];
      const refusals = [level.refused, level.timedOut, level.cancelled];
      const waitingIn = queues.queues().filter(({ waiting }) => waiting.length > 0).length;
      return [name, waitingIn, queues.isIdle, quiescing, ...numbers, ...refusals].map(String);
    }),
  ];
}

function dumpQueues(levels: readonly PriorityLevel[]): Table {
  const row = ({ name }: PriorityLevel, queue: QueueDump<unknown>) => [
    name,
    String(queue.index),
    String(queue.waiting.length),
    String(queue.executing.length),
    String(queue.seatsInUse),
    seatSeconds(queue.nextDispatchR),
    String(queue.initialSeatsSum),
    String(queue.maxSeatsSum),
    seatSeconds(queue.totalWorkSum),
  ];
  return [
    [
      'PriorityLevelName',
      'Index',
      'PendingRequests',
      'ExecutingRequests',
      'SeatsInUse',
      'NextDispatchR',
      'InitialSeatsSum',
      'MaxSeatsSum',
      'TotalWorkSum',
    ],
    ...levels.flatMap((level) => level.queues.queues().map((queue) => row(level, queue))),
  ];
}

interface RequestDumpOptions {
  readonly clock: Clock;
  readonly withDetails: boolean;
}

function dumpRequests(levels: readonly PriorityLevel[], options: RequestDumpOptions): Table {
  const rows: string[][] = [[...requestColumns, ...(options.withDetails ? detailColumns : [])]];
  for (const level of levels) {
    const add = (queue: number, place: number, ticket: Ticket<RequestContext>) =>
      rows.push([level.name, ...requestCells(ticket, [queue, place], options)]);
    for (const ticket of level.queues.queueless()) add(-1, -1, ticket);
    for (const { index, executing, waiting } of level.queues.queues()) {
      for (const ticket of executing) add(index, -1, ticket);
      waiting.forEach((ticket, place) => add(index, place, ticket));
    }
  }
  return rows;
}

const requestColumns = [
  'PriorityLevelName',
  'FlowSchemaName',
  'QueueIndex',
  'RequestIndexInQueue',
  'FlowDistingsher',
  'ArriveTime',
  'InitialSeats',
  'FinalSeats',
  'AdditionalLatency',
  'StartTime',
];
const detailColumns = [
  'UserName',
  'Verb',
  'APIPath',
  'Namespace',
  'Name',
  'APIVersion',
  'Resource',
  'SubResource',
];

function requestCells(
  ticket: Ticket<RequestContext>,
  [queue, place]: readonly [number, number],
  { clock, withDetails }: RequestDumpOptions,
): string[] {
  const { counts, details } = ticket;
  const { info, user } = details;
  const wallMs = (monotonicMs: number) => clock.now() - (clock.monotonic() - monotonicMs);
  const cells = [
    counts.flowSchema,
    String(queue),
    String(place),
    ticket.distinguisher,
    formatInstant(wallMs(ticket.arrivedAtMs)),
    String(ticket.initialSeats),
    String(ticket.finalSeats),
    formatDuration(ticket.additionalLatencyMs),
    ticket.startedAtMs === undefined ? zeroInstant : formatInstant(wallMs(ticket.startedAtMs)),
  ];
  if (!withDetails) return cells;
  const { verb, path, namespace, name, resource, subresource } = info;
  const apiVersion = info.version === '' ? '' : formatApiVersion(info);
  return [...cells, user.name, verb, path, namespace, name, apiVersion, resource, subresource];
}

const zeroInstant = '0001-01-01T00:00:00Z';

/** RFC 3339 without zeros at the end. */
function formatInstant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}

function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}

const seatSeconds = (value: number) => `${value.toFixed(8)}ss`;

/**
 * Cells end in a comma, but for the last, and are filled up to the widest of their column, which is at
 * least eight wide.
 *
 * SECURITY: user names and paths may hold anything; a line feed in them must not make a row.
 */
function renderTable(rows: Table): string {
  const clean = rows.map((row) => row.map((cell) => cell.replaceAll(/[\u0000-\u001f]/g, ' ')));
  const widths: number[] = [];
  for (const row of clean)
    row.slice(0, -1).forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 8, cell.length + 2);
    });
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : `${cell},`.padEnd(widths[i] ?? 8)))
      .join('');
  return clean.map((row) => `${line(row)}\n`).join('');
}
