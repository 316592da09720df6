// At most one leader, whatever happens to the candidates: they stand still, their clocks run
// unevenly, requests and answers are late or lost, they end and start anew. And when nothing more
// happens, somebody leads.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, type Clock, type SimulatedClock } from '@keelson/apimachinery';
import type { Lease } from '@keelson/apimachinery/types/coordination.k8s.io.v1';
import { createLeaderElector, defaultLeaseTimes, type LeaseTimes } from '@keelson/controllers';
import type { ResourceClient } from '@keelson/client';
import fc from 'fast-check';
import { simulateCluster } from '../testing/simulated-cluster.ts';

type LeaseClient = Pick<ResourceClient<Lease>, 'get' | 'create' | 'update'>;

const numRuns = Number(process.env['KEELSON_PROPERTY_RUNS'] ?? 12);
const leasesResource = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' };
/** Clocks of the fastest and the slowest: less than leaseDuration / renewDeadline apart. */
const rates = [0.85, 1, 1.2] as const;
/** Long after all leases have run out and all who can have tried. */
const calmMs = 60_000;

/** How the network treats one request. */
type Fate = 'passes' | 'is lost' | 'answer is lost' | 'is late' | 'answer is late';

interface Candidate {
  readonly identity: string;
  /** How many of its lives lead: an earlier one may not have ended yet. */
  readonly leads: number;
  readonly isStanding: boolean;
  /** Neither its timers run nor do answers reach it. */
  stand(ms: number): void;
  restart(): void;
  stop(): Promise<void>;
}

interface World {
  readonly clock: SimulatedClock;
  readonly leases: LeaseClient;
  readonly times: LeaseTimes;
  /** Of the next request, whoever sends it. */
  fate(): Fate;
  readonly lateMs: () => number;
  /** Called whenever somebody begins to lead. */
  onLeading(): void;
}

function createCandidate(world: World, index: number): Candidate {
  const { clock: base } = world;
  const rate = rates[index] ?? 1;
  let standsUntil = 0;
  const whenAwake = (fn: () => void) => {
    const leftMs = standsUntil - base.monotonic();
    if (leftMs > 0) base.after(leftMs, () => whenAwake(fn));
    else fn();
  };
  const awake = () => new Promise<void>((resolve) => whenAwake(resolve));
  const clock: Clock = {
    now: () => base.now(),
    monotonic: () => base.monotonic() * rate,
    after(delayMs, fn) {
      let isCancelled = false;
      const run = () => {
        if (!isCancelled) fn();
      };
      const cancel = base.after(delayMs / rate, () => whenAwake(run));
      return () => {
        isCancelled = true;
        cancel();
      };
    },
  };
  const late = () => new Promise<void>((resolve) => base.after(world.lateMs(), resolve));
  const through = async <T>(request: () => Promise<T>): Promise<T> => {
    const fate = world.fate();
    if (fate === 'is late') await late();
    if (fate === 'is lost') throw new Error('lost');
    const answer = await request();
    if (fate === 'answer is late') await late();
    if (fate === 'answer is lost') throw new Error('answer lost');
    await awake();
    return answer;
  };
  const leases: LeaseClient = {
    get: (name) => through(() => world.leases.get(name)),
    create: (lease) => through(() => world.leases.create(lease)),
    update: (lease) => through(() => world.leases.update(lease)),
  };
  let generation = 0;
  let leading = 0;
  let end = start();
  function start(): () => Promise<void> {
    const stop = new AbortController();
    const elector = createLeaderElector({
      leases,
      name: 'lock',
      identity: `candidate-${index}-${generation++}`,
      times: world.times,
      clock,
      random: createSeededRandom(index),
      recorder: { record() {} },
      log: { warn() {} },
      metrics: { leads() {}, slowPath() {} },
    });
    const running = elector.run(async (signal) => {
      if (signal.aborted) return;
      leading++;
      world.onLeading();
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      leading--;
    }, stop.signal);
    return () => {
      stop.abort();
      return running;
    };
  }
  return {
    get identity() {
      return `candidate-${index}-${generation - 1}`;
    },
    get leads() {
      return leading;
    },
    get isStanding() {
      return base.monotonic() < standsUntil;
    },
    stand: (ms) => void (standsUntil = Math.max(standsUntil, base.monotonic() + ms)),
    restart() {
      void end();
      end = start();
    },
    stop: () => end(),
  };
}

const fates = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('passes') },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Fate>('is lost', 'answer is lost', 'is late', 'answer is late'),
  },
);
const events = fc.array(
  fc.record({
    what: fc.constantFrom('wait', 'stand', 'restart'),
    who: fc.nat(2),
    ms: fc.integer({ min: 1, max: 25_000 }),
  }),
  { minLength: 5, maxLength: 25 },
);

interface History {
  readonly events: readonly { readonly what: string; readonly who: number; readonly ms: number }[];
  readonly fates: readonly Fate[];
}

interface Outcome {
  /** Leaders at a time. */
  readonly most: number;
  /** Who leads when all is calm. */
  readonly leads: number;
  readonly holderAfterwards: string | undefined;
}

async function live(
  t: Parameters<typeof simulateCluster>[0],
  history: History,
  times: LeaseTimes,
): Promise<Outcome> {
  const { client, clock } = await simulateCluster(t, { controllers: [] });
  const network = createSeededRandom(history.fates.length);
  let requests = 0;
  let isCalm = false;
  let most = 0;
  const candidates: Candidate[] = [];
  const count = () => {
    const awake = candidates.filter((one) => !one.isStanding);
    most = Math.max(
      most,
      awake.reduce((sum, { leads }) => sum + leads, 0),
    );
  };
  const world: World = {
    clock,
    leases: client.resource<Lease>(leasesResource).namespace('kube-system'),
    times,
    fate: () =>
      isCalm ? 'passes' : (history.fates[requests++ % history.fates.length] ?? 'passes'),
    lateMs: () => network.float() * 12_000,
    onLeading: count,
  };
  candidates.push(...rates.map((_, index) => createCandidate(world, index)));
  for (const { what, who, ms } of history.events) {
    if (what === 'stand') candidates[who]?.stand(ms);
    else if (what === 'restart') candidates[who]?.restart();
    else
      for (let passedMs = 0; passedMs < ms; passedMs += 500) {
        await clock.advance(500);
        count();
      }
  }
  isCalm = true;
  await clock.advance(calmMs);
  count();
  const { spec } = await world.leases.get('lock');
  const holders = candidates.filter((one) => spec?.holderIdentity === one.identity);
  const leads = holders.reduce((sum, one) => sum + one.leads, 0);
  const ended = Promise.all(candidates.map((one) => one.stop()));
  await clock.advance(calmMs);
  await ended;
  const { spec: last } = await world.leases.get('lock');
  return { most, leads, holderAfterwards: last?.holderIdentity };
}

const histories = fc.record({
  events,
  fates: fc.array(fates, { minLength: 1, maxLength: 30 }),
});

test('never two leaders, one in the end, and none after it', { timeout: 300_000 }, (t) =>
  fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const { most, leads, holderAfterwards } = await live(t, history, defaultLeaseTimes);
      assert.ok(most <= 1, `${most} leaders at a time`);
      assert.equal(leads, 1, 'somebody leads when all is calm');
      assert.equal(holderAfterwards, '', 'given back');
    }),
    { numRuns },
  ),
);

test('a leader that holds on for longer than others wait is found out', async (t) => {
  const reckless: LeaseTimes = { ...defaultLeaseTimes, renewDeadlineMs: 25_000 };
  for (const history of fc.sample(histories, { seed: 1, numRuns: 30 }))
    if ((await live(t, history, reckless)).most > 1) return;
  assert.fail('no history with two leaders');
});
