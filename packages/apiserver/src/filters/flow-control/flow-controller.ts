// The configuration of API Priority and Fairness as it is in force: follows FlowSchemas and
// PriorityLevelConfigurations, keeps the queues of every level, and adjusts their seats.
//
// INVARIANT: a change is in force when its write is answered. Views are told of it before that, and
// whoever asks next sees it digested. The mandatory schemas and levels are there even when nobody has
// stored them: every request matches something, and masters are exempt.

import type { Clock, KubeObject, Random } from '@keelson/apimachinery';
import type {
  FlowSchema,
  PriorityLevelConfiguration,
} from '@keelson/apimachinery/types/flowcontrol.apiserver.k8s.io.v1';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { ObjectSource } from '../../object-source.ts';
import {
  catchAllName,
  exemptName,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
} from '../../registry/flowcontrol/mandatory-objects.ts';
import type { RequestInfo } from '../../request-context.ts';
import { createClassification, sortFlowSchemas, type Classify } from './classification.ts';
import { createFlowCounts, type FlowCounts } from './flow-counts.ts';
import { createFlowHash, type FlowHash } from './flow-hash.ts';
import { createPriorityLevel, readPlan, shareSeats, type PriorityLevel } from './priority-level.ts';
import { adjustLimits, adjustmentPeriodMs } from './seat-borrowing.ts';

export interface FlowControllerOptions {
  readonly schemas: ObjectSource;
  readonly levels: ObjectSource;
  /** Seats of the whole server. */
  readonly serverSeats: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Told how many requests may run, and wait, at all levels together. */
  readonly onRoom: (phase: 'executing' | 'waiting', room: number) => void;
}

/** What a request was found to belong to. */
export interface Flow {
  readonly schemaName: string;
  readonly schemaUid: string;
  readonly level: PriorityLevel;
  readonly counts: FlowCounts;
  /** What tells the flows of the schema apart. */
  distinguisher(user: UserInfo, info: RequestInfo): string;
  hash(distinguisher: string): FlowHash;
}

export interface FlowController {
  classify(user: UserInfo, info: RequestInfo): Flow;
  /** By name. */
  levels(): readonly PriorityLevel[];
  counts(): Iterable<FlowCounts>;
  /** To be called when a request has finished: a level that was waited for may go. */
  settled(level: PriorityLevel): void;
  readonly fairFraction: number;
  /** Stops following, and the clock. */
  close(): void;
}

/** Hashes of one schema's flows that are remembered. */
const hashesKeptMax = 1_000;
/** Pairs of schema and level that are counted apart; further ones share one. */
const countedFlowsMax = 5_000;

export function createFlowController(options: FlowControllerOptions): FlowController {
  const { schemas, levels, clock, serverSeats } = options;
  const hash = createFlowHash(options.random);
  const counts = createCounts();
  let current = new Map<string, PriorityLevel>();
  let classify: Classify<Flow> = () => undefined;
  let catchAll: Flow | undefined;
  let isStale = true;
  let fairFraction = 0;
  let adjustedAtMs = clock.monotonic();
  let isClosed = false;
  let cancelTimer: (() => void) | undefined;
  const adjust = () => {
    const nowMs = clock.monotonic();
    const periods = Math.max(0, (nowMs - adjustedAtMs) / adjustmentPeriodMs);
    adjustedAtMs = nowMs;
    fairFraction = adjustLimits([...current.values()], { serverSeats, nowMs, periods });
  };
  const digest = () => {
    isStale = false;
    current = digestLevels(levels.list(), current, options);
    tellRoom([...current.values()], options.onRoom);
    adjust();
    const flows = digestSchemas(schemas.list(), current).map((schema) => {
      const level = current.get(schema.spec.priorityLevelConfiguration.name);
      if (level === undefined) throw new Error('a flow schema without its level was kept');
      return [schema, createFlow(schema, level, { counts, hash })] as const;
    });
    classify = createClassification(flows);
    catchAll = flows.find(([schema]) => schema.metadata.name === catchAllName)?.[1];
  };
  /** Adjusts every ten seconds while there is something to do, and once when there is again. */
  const keepAdjusted = () => {
    if (isStale) digest();
    if (cancelTimer !== undefined || isClosed) return;
    if (clock.monotonic() - adjustedAtMs >= adjustmentPeriodMs) adjust();
    cancelTimer = clock.after(adjustmentPeriodMs, () => {
      cancelTimer = undefined;
      adjust();
      if ([...current.values()].some(({ queues }) => !queues.isIdle)) keepAdjusted();
    });
  };
  const changed = () => void (isStale = true);
  const stops = [schemas.subscribe(changed), levels.subscribe(changed)];
  return {
    classify(user, info) {
      keepAdjusted();
      const flow = classify(user, info) ?? catchAll;
      if (flow !== undefined) return flow;
      throw new Error('the catch-all flow schema is missing');
    },
    levels() {
      keepAdjusted();
      return [...current.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    counts: () => counts.all(),
    settled(level) {
      if (level.quiescing && level.queues.isIdle) isStale = true;
    },
    get fairFraction() {
      return fairFraction;
    },
    close() {
      isClosed = true;
      for (const stop of stops) stop();
      cancelTimer?.();
    },
  };
}

/** The levels there are now, with the queues of those that were there before. */
function digestLevels(
  objects: readonly KubeObject[],
  before: ReadonlyMap<string, PriorityLevel>,
  { clock, serverSeats }: FlowControllerOptions,
): Map<string, PriorityLevel> {
  const now = new Map<string, PriorityLevel>();
  const keep = (configuration: PriorityLevelConfiguration) => {
    const { name = '', uid = '' } = configuration.metadata;
    const plan = readPlan(configuration);
    if (plan === undefined) return;
    const level = before.get(name) ?? createPriorityLevel(name, plan, clock);
    level.plan = plan;
    level.uid = uid;
    level.quiescing = false;
    level.queues.configure(plan.shape);
    now.set(name, level);
  };
  for (const object of objects) keep(object as unknown as PriorityLevelConfiguration);
  for (const name of [exemptName, catchAllName]) {
    const spec = mandatoryPriorityLevels[name];
    if (!now.has(name) && spec !== undefined) keep({ metadata: { name }, spec });
  }
  for (const [name, level] of before) {
    if (now.has(name) || level.queues.isIdle) continue;
    level.quiescing = true;
    now.set(name, level);
  }
  const levels = [...now.values()];
  const allShares = levels.reduce((sum, { plan }) => sum + plan.shares, 0);
  for (const level of levels) shareSeats(level, serverSeats, allShares);
  return now;
}

function tellRoom(levels: readonly PriorityLevel[], onRoom: FlowControllerOptions['onRoom']): void {
  const room = ({ plan: { shape } }: PriorityLevel) =>
    shape.mode === 'queue' ? shape.queues * shape.queueLengthLimit : 0;
  const sum = (count: (level: PriorityLevel) => number) =>
    levels.reduce((total, level) => total + count(level), 0);
  onRoom('waiting', sum(room));
  onRoom(
    'executing',
    sum(({ nominalSeats }) => nominalSeats),
  );
}

/** In matching order; without those whose level is missing or going. */
function digestSchemas(
  objects: readonly KubeObject[],
  levels: ReadonlyMap<string, PriorityLevel>,
): FlowSchema[] {
  const usable = objects
    .map((object) => object as unknown as FlowSchema)
    .filter(({ spec }) => levels.get(spec.priorityLevelConfiguration.name)?.quiescing === false);
  const sorted = sortFlowSchemas(usable);
  const has = (name: string) => usable.some(({ metadata }) => metadata.name === name);
  const mandatory = (name: string): FlowSchema[] => {
    const spec = mandatoryFlowSchemas[name];
    return has(name) || spec === undefined ? [] : [{ metadata: { name }, spec }];
  };
  return [...mandatory(exemptName), ...sorted, ...mandatory(catchAllName)];
}

interface FlowParts {
  readonly counts: Counts;
  readonly hash: (schema: string, flow: string) => FlowHash;
}

function createFlow(schema: FlowSchema, level: PriorityLevel, { counts, hash }: FlowParts): Flow {
  const { name = '', uid = '' } = schema.metadata;
  const method = schema.spec.distinguisherMethod?.type;
  const hashes = new Map<string, FlowHash>();
  return {
    schemaName: name,
    schemaUid: uid,
    level,
    counts: counts.of(level.name, name),
    distinguisher: (user, info) =>
      method === 'ByUser' ? user.name : method === 'ByNamespace' ? info.namespace : '',
    hash(distinguisher) {
      const known = hashes.get(distinguisher);
      if (known !== undefined) return known;
      if (hashes.size >= hashesKeptMax) hashes.clear();
      const fresh = hash(name, distinguisher);
      hashes.set(distinguisher, fresh);
      return fresh;
    },
  };
}

interface Counts {
  of(priorityLevel: string, flowSchema: string): FlowCounts;
  all(): Iterable<FlowCounts>;
}

function createCounts(): Counts {
  const known = new Map<string, FlowCounts>();
  const others = createFlowCounts('', '');
  return {
    of(priorityLevel, flowSchema) {
      const key = `${priorityLevel}/${flowSchema}`;
      const found = known.get(key);
      if (found !== undefined) return found;
      if (known.size >= countedFlowsMax) return others;
      const fresh = createFlowCounts(priorityLevel, flowSchema);
      known.set(key, fresh);
      return fresh;
    },
    all: () => known.values(),
  };
}
