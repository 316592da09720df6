import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import { createRevisionWaits } from './revision-waits.ts';

const object = (name: string) => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name } });

function createSubject(revisionWaitersMax = 10) {
  const clock = createSimulatedClock();
  const storage = createMemoryStorage({ clock });
  const shutdown = new AbortController();
  const limits = { revisionWaitMs: 3000, revisionWaitersMax };
  const waits = createRevisionWaits({ storage, clock, limits, shutdown: shutdown.signal });
  const ended: string[] = [];
  let count = 0;
  return {
    clock,
    shutdown,
    ended,
    write: () => storage.create(`/registry/configmaps/a/${++count}`, object('a')),
    /** Waits for so many writes from now, or fewer. */
    wait(name: string, writes: number, signal = new AbortController().signal) {
      return waits.until(storage.revision() + writes, signal).then(() => ended.push(name));
    },
  };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('waits for a revision', () => {
  it('end at once when it is there', async () => {
    const { wait, ended } = createSubject();
    await wait('now', 0);
    assert.deepEqual(ended, ['now']);
  });

  it('end with the write that reaches it, each with its own', async () => {
    const { wait, write, ended } = createSubject();
    const all = [wait('second', 2), wait('first', 1)];
    await write();
    await settle();
    assert.deepEqual(ended, ['first']);
    await write();
    await Promise.all(all);
    assert.deepEqual(ended, ['first', 'second']);
  });

  it('end after three seconds', async () => {
    const { wait, clock, ended } = createSubject();
    const waiting = wait('never', 1);
    await clock.advance(2999);
    await settle();
    assert.deepEqual(ended, []);
    await clock.advance(1);
    await waiting;
    assert.deepEqual(ended, ['never']);
  });

  it('end when the client or the server goes', async () => {
    const { wait, shutdown, ended } = createSubject();
    const client = new AbortController();
    const all = [wait('client', 1, client.signal), wait('other', 1)];
    client.abort();
    await settle();
    assert.deepEqual(ended, ['client']);
    shutdown.abort();
    await Promise.all(all);
    await wait('late', 1);
    assert.deepEqual(ended, ['client', 'other', 'late']);
  });

  it('are only so many', async () => {
    const { wait, write, ended } = createSubject(2);
    const all = [wait('a', 1), wait('b', 1)];
    await wait('too many', 1);
    assert.deepEqual(ended, ['too many']);
    await write();
    await Promise.all(all);
    await Promise.all([wait('again', 1), write()]);
    assert.deepEqual(ended, ['too many', 'a', 'b', 'again']);
  });
});
