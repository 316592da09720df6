import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createSeededRandom,
  createSimulatedClock,
  type SimulatedClock,
} from '@keelson/apimachinery';
import fc from 'fast-check';
import { createDealer } from './dealer.ts';
import { createFlowCounts } from './flow-counts.ts';
import { createFlowHash } from './flow-hash.ts';
import { createLevelMeter } from './level-meter.ts';
import { QueueSet, type QueueSetShape } from './queue-set.ts';
import type { Ticket } from './ticket.ts';

const hashOf = createFlowHash(createSeededRandom(3));
const queueing: QueueSetShape = { mode: 'queue', queues: 64, handSize: 4, queueLengthLimit: 50 };

interface Ask {
  readonly flow?: string;
  readonly seats?: number;
  readonly finalSeats?: number;
  readonly additionalLatencyMs?: number;
}

function createLevel(shape: QueueSetShape, limit: number) {
  const clock = createSimulatedClock(0);
  const meter = createLevelMeter(clock.monotonic());
  const set = new QueueSet<string>({ clock, meter, shape, limit });
  const counts = createFlowCounts('level', 'schema');
  const start = ({ flow = 'a', seats = 1, finalSeats = 0, additionalLatencyMs = 0 }: Ask = {}) =>
    set.start({
      counts,
      estimate: { initialSeats: seats, finalSeats, additionalLatencyMs },
      distinguisher: flow,
      hash: (distinguisher) => hashOf('schema', distinguisher),
      details: flow,
    });
  const admitted = (ask: Ask = {}): Ticket<string> => {
    const ticket = start(ask);
    if (typeof ticket === 'string') throw new Error(ticket);
    return ticket;
  };
  return { clock, set, counts, meter, start, admitted };
}

describe('a level that refuses', () => {
  it('runs what has seats, and refuses the rest', () => {
    const { set, start, admitted } = createLevel({ mode: 'reject' }, 3);
    const held = admitted({ seats: 2 });
    assert.equal(start({ seats: 2 }), 'concurrency-limit');
    assert.equal(admitted().state, 'executing');
    assert.equal(start(), 'concurrency-limit');
    set.finish(held);
    assert.equal(set.seatsInUse, 1);
    assert.equal(admitted({ seats: 2 }).state, 'executing');
  });

  it('runs alone what is wider than itself', () => {
    const { set, start, admitted } = createLevel({ mode: 'reject' }, 3);
    const small = admitted();
    assert.equal(start({ seats: 9 }), 'concurrency-limit');
    set.finish(small);
    assert.equal(admitted({ seats: 9 }).state, 'executing');
    assert.equal(start(), 'concurrency-limit');
  });
});

it('an exempt level refuses nothing and counts everything', () => {
  const { set, admitted } = createLevel({ mode: 'exempt' }, 0);
  const tickets = Array.from({ length: 100 }, () => admitted({ seats: 5 }));
  assert.ok(tickets.every(({ state }) => state === 'executing'));
  assert.equal(set.seatsInUse, 500);
  tickets.forEach((ticket) => set.finish(ticket));
  assert.ok(set.isIdle);
});

describe('a level with queues', () => {
  it('queues what has no seat, up to the length of a queue', () => {
    const shape = { ...queueing, handSize: 1, queueLengthLimit: 2 };
    const { set, start, admitted } = createLevel(shape, 1);
    const [first, second, third] = [admitted(), admitted(), admitted()];
    assert.deepEqual([first.state, second.state], ['executing', 'waiting']);
    assert.equal(start(), 'queue-full');
    let dispatched = 0;
    second.onDispatch = () => dispatched++;
    set.finish(first);
    assert.deepEqual([second.state, third.state, dispatched], ['executing', 'waiting', 1]);
    assert.equal(admitted().state, 'waiting');
  });

  it('a request that leaves is not dispatched, and cannot leave twice', () => {
    const { set, counts, admitted } = createLevel(queueing, 1);
    const first = admitted();
    const second = admitted({ seats: 3 });
    assert.equal(set.leave(first), false);
    assert.equal(set.leave(second), true);
    assert.equal(set.leave(second), false);
    assert.deepEqual([set.waiting, counts.waiting, counts.seatsWaiting], [0, 0, 0]);
    set.finish(first);
    set.finish(first);
    assert.deepEqual([set.seatsInUse, set.isIdle], [0, true]);
  });

  it('seats at the end of a write are held for its latency', async () => {
    const { clock, set, admitted } = createLevel(queueing, 10);
    const write = admitted({ finalSeats: 8, additionalLatencyMs: 5 });
    set.finish(write);
    assert.deepEqual([set.executing, set.seatsInUse], [0, 8]);
    const wide = admitted({ seats: 4 });
    assert.equal(wide.state, 'waiting');
    await clock.advance(5);
    assert.deepEqual([wide.state, set.seatsInUse], ['executing', 4]);
  });

  it('final seats beyond the limit take longer instead', () => {
    const { admitted } = createLevel(queueing, 10);
    const write = admitted({ finalSeats: 20, additionalLatencyMs: 5 });
    assert.deepEqual([write.finalSeats, write.additionalLatencyMs], [10, 10]);
  });

  it('more seats start what waits, fewer stop nothing', () => {
    const { set, admitted } = createLevel(queueing, 1);
    const tickets = Array.from({ length: 4 }, (_, i) => admitted({ flow: `f${i}` }));
    set.setLimit(3);
    assert.equal(set.executing, 3);
    set.setLimit(1);
    assert.equal(set.executing, 3);
    tickets.filter(({ state }) => state === 'executing').forEach((ticket) => set.finish(ticket));
    assert.equal(set.executing, 1);
  });

  it('what waits in queues that are gone still runs', () => {
    const { set, admitted, start } = createLevel(queueing, 1);
    const first = admitted();
    const waiting = Array.from({ length: 9 }, (_, i) => admitted({ flow: `f${i}` }));
    set.configure({ mode: 'reject' });
    assert.equal(start(), 'concurrency-limit');
    set.finish(first);
    for (let i = 0; i < 9; i++) {
      const running = waiting.find(({ state }) => state === 'executing');
      assert.ok(running, `after ${i}`);
      set.finish(running);
    }
    assert.ok(set.isIdle);
  });

  it('a queue that was idle has saved nothing up', async () => {
    const { clock, set, admitted } = createLevel(queueing, 1);
    const busy = admitted({ flow: 'busy' });
    await clock.advance(60_000);
    set.finish(busy);
    const now = admitted({ flow: 'late' });
    // R has grown by a minute; who comes now is not behind by it.
    const dump = set.queues().find(({ executing }) => executing.includes(now));
    assert.ok((dump?.nextDispatchR ?? 0) >= 59, JSON.stringify(dump?.nextDispatchR));
  });
});

it('a queue that used less than its part has saved nothing up either', async () => {
  const level = createLevel({ ...queueing, queues: 512, handSize: 1, queueLengthLimit: 99 }, 2);
  const { clock, set } = level;
  // One long request: its queue is never idle, and uses half of what it could.
  const long = level.admitted({ flow: 'saver' });
  void serve(level, [{ name: 'flood', width: 1, tasks: 60 }], { serviceMs: 10, forMs: 0 });
  await clock.advance(10_000);
  const order: string[] = [];
  for (let i = 0; i < 40; i++) {
    const ticket = level.admitted({ flow: 'saver' });
    ticket.onDispatch = () => {
      order.push('saver');
      clock.after(10, () => set.finish(ticket));
    };
  }
  const before = set.waiting;
  await clock.advance(200);
  set.finish(long);
  // Twenty places came free meanwhile.
  assert.ok(before > 90);
  assert.ok(order.length >= 5 && order.length <= 13, String(order.length));
});

/** Flows that each keep so many requests going; how many each got done in the time. */
async function serve(
  level: ReturnType<typeof createLevel>,
  flows: readonly { readonly name: string; readonly width: number; readonly tasks: number }[],
  options: { readonly serviceMs: number; readonly forMs: number },
): Promise<Map<string, number>> {
  const { clock, set } = level;
  const done = new Map(flows.map(({ name }) => [name, 0]));
  const begin = (flow: (typeof flows)[number]): void => {
    const ticket = level.start({ flow: flow.name, seats: flow.width });
    if (typeof ticket === 'string') return void clock.after(1, () => begin(flow));
    const run = () =>
      clock.after(options.serviceMs, () => {
        done.set(flow.name, (done.get(flow.name) ?? 0) + 1);
        set.finish(ticket);
        begin(flow);
      });
    if (ticket.state === 'executing') run();
    else ticket.onDispatch = run;
  };
  for (const flow of flows) for (let i = 0; i < flow.tasks; i++) begin(flow);
  for (let t = 0; t < options.forMs; t += 100) await clock.advance(100);
  return done;
}

describe('fairness, in simulated time', () => {
  it('a flow that floods gets no more than one that does not', async () => {
    const level = createLevel(queueing, 4);
    const flows = [
      { name: 'flood', width: 1, tasks: 40 },
      { name: 'modest', width: 1, tasks: 4 },
    ];
    const done = await serve(level, flows, { serviceMs: 10, forMs: 4000 });
    const [flood = 0, modest = 0] = [done.get('flood'), done.get('modest')];
    assert.ok(flood + modest > 1500, `${flood} + ${modest}`);
    // The flood is spread over its hand of four queues, the modest one over as many of its own.
    assert.ok(modest > 0.4 * (flood + modest), `${modest} beside ${flood}`);
  });

  it('a lone request waits for little, however many others wait', async () => {
    const level = createLevel(queueing, 2);
    const { clock, set } = level;
    void serve(level, [{ name: 'flood', width: 1, tasks: 150 }], { serviceMs: 20, forMs: 0 });
    await clock.advance(1000);
    assert.ok(set.waiting > 100);
    const waits: number[] = [];
    for (let i = 0; i < 20; i++) {
      const ticket = level.admitted({ flow: 'lone' });
      const since = clock.monotonic();
      await until(clock, () => ticket.state === 'executing');
      waits.push(clock.monotonic() - since);
      await clock.advance(20);
      set.finish(ticket);
    }
    assert.ok(Math.max(...waits) <= 40, String(waits));
  });

  it('wide requests are counted by their seats', async () => {
    const level = createLevel(queueing, 4);
    const flows = [
      { name: 'wide', width: 4, tasks: 8 },
      { name: 'narrow', width: 1, tasks: 16 },
    ];
    const done = await serve(level, flows, { serviceMs: 10, forMs: 8000 });
    const [wide = 0, narrow = 0] = [done.get('wide'), done.get('narrow')];
    const share = (wide * 4) / (wide * 4 + narrow);
    assert.ok(share > 0.3 && share < 0.7, `${wide} × 4 beside ${narrow}`);
  });

  it('flows of equal appetite get equal parts, whatever they are called', async () => {
    const deal = createDealer(1024, 2);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 4 }),
        async (names) => {
          // Flows that were dealt the same queue share it.
          const hands = names.flatMap((name) => deal(hashOf('schema', name)));
          fc.pre(new Set(hands).size === hands.length);
          const level = createLevel({ ...queueing, queues: 1024, handSize: 2 }, 3);
          const flows = names.map((name) => ({ name, width: 1, tasks: 12 }));
          const done = await serve(level, flows, { serviceMs: 10, forMs: 2000 });
          const counts = [...done.values()];
          const fair = counts.reduce((a, b) => a + b, 0) / counts.length;
          for (const count of counts)
            assert.ok(Math.abs(count - fair) < 0.1 * fair + 3, `${counts}`);
        },
      ),
      { numRuns: 10 },
    );
  });
});

it('whatever happens, the books balance and no seat is wasted', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('start' as const),
      flow: fc.constantFrom('a', 'b', 'c'),
      seats: fc.integer({ min: 1, max: 6 }),
      latency: fc.constantFrom(0, 0, 5),
    }),
    fc.record({ do: fc.constant('finish' as const), which: fc.nat() }),
    fc.record({ do: fc.constant('leave' as const), which: fc.nat() }),
    fc.record({ do: fc.constant('limit' as const), limit: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20 }) }),
  );
  return fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const level = createLevel({ ...queueing, queues: 8, queueLengthLimit: 5 }, 4);
      const { set, counts, clock } = level;
      const tickets: Ticket<string>[] = [];
      for (const one of steps) {
        if (one.do === 'start') {
          const { flow, seats, latency } = one;
          const finalSeats = latency === 0 ? 0 : seats;
          const ticket = level.start({ flow, seats, finalSeats, additionalLatencyMs: latency });
          if (typeof ticket !== 'string') tickets.push(ticket);
        } else if (one.do === 'limit') set.setLimit(one.limit);
        else if (one.do === 'wait') await clock.advance(one.ms);
        else {
          const ticket = tickets[one.which % Math.max(1, tickets.length)];
          if (ticket !== undefined) set[one.do](ticket);
        }
        checkBooks(level, tickets);
      }
      for (const ticket of tickets) set.leave(ticket);
      for (const ticket of tickets) set.finish(ticket);
      await clock.advance(1000);
      assert.deepEqual([set.waiting, set.executing, set.seatsInUse], [0, 0, 0]);
      assert.deepEqual([counts.seatsInUse, counts.seatsWaiting, set.activeQueues], [0, 0, 0]);
    }),
    { numRuns: 150 },
  );
});

function checkBooks({ set }: ReturnType<typeof createLevel>, tickets: readonly Ticket<string>[]) {
  const seats = (state: string) =>
    tickets
      .filter((ticket) => ticket.state === state)
      .reduce((sum, one) => sum + Math.max(one.initialSeats, one.finalSeats), 0);
  assert.equal(set.executing, tickets.filter(({ state }) => state === 'executing').length);
  assert.equal(set.waiting, tickets.filter(({ state }) => state === 'waiting').length);
  assert.equal(set.seatsInUse, seats('executing') + seats('lingering'));
  const inQueues = set.queues().flatMap(({ waiting }) => waiting);
  assert.equal(inQueues.length, set.waiting);
  // Something waits only because the next one does not fit.
  if (set.waiting > 0 && set.seatsInUse < set.limit) {
    const narrowest = Math.max(...inQueues.map((t) => Math.max(t.initialSeats, t.finalSeats)));
    assert.ok(set.seatsInUse + narrowest > set.limit);
  }
}

async function until(clock: SimulatedClock, isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !isSo(); i++) await clock.advance(1);
}
