// A process of its own with a store in it, for tests that kill it, limit it or lock it out.
//
//   storage-child.ts open <dir>             opens and closes; prints `opened` or the error
//   storage-child.ts hold <dir>             opens, prints `opened`, stays
//   storage-child.ts write <dir> <seed>     writes until killed or until a write fails
//
// `write` prints a line before it starts an operation and one after it was acknowledged, each in
// one system call, so that the parent knows what was promised whenever the child dies.

import { writeSync } from 'node:fs';
import { createSeededRandom, systemClock } from '@keelson/apimachinery';
import type { Random } from '@keelson/apimachinery';
import { openEmbeddedStorage } from '../embedded/open.ts';
import { isStorageError } from '../storage.ts';
import type { Storage } from '../storage.ts';
import { sealedObject } from './sealed-object.ts';

const writers = 8;
const keysPerWriter = 4;

function print(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (;;)
    try {
      // A line this short is written whole or not at all.
      writeSync(1, bytes);
      return;
    } catch (error) {
      // The pipe is full while a busy machine lets the parent wait.
      if (!isFull(error)) throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
}

const pause = new Int32Array(new SharedArrayBuffer(4));
const isFull = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'EAGAIN';

/** Each writer has keys of its own, so the order of its own operations is the order of each key. */
async function runWriter(storage: Storage, writer: number, random: Random): Promise<void> {
  for (;;) {
    const key = `/registry/kill/w${writer}/k${Math.floor(random.float() * keysPerWriter)}`;
    const isDelete = random.float() < 0.2;
    const padding = Math.floor(random.float() ** 4 * 30_000);
    const token = isDelete ? '-' : String(Math.floor(random.float() * 2 ** 31));
    print(`begin ${key} ${token}`);
    await storage.guaranteedUpdate(key, () =>
      isDelete ? undefined : sealedObject(key, token, padding),
    );
    print(`done ${key} ${token}`);
  }
}

async function write(storage: Storage, seed: number): Promise<void> {
  const random = createSeededRandom(seed);
  const timer = setInterval(() => void storage.compact(storage.revision() - 20), 10);
  try {
    await Promise.all(Array.from({ length: writers }, (_, i) => runWriter(storage, i, random)));
  } finally {
    clearInterval(timer);
  }
}

const [mode, dir = '', seed = '1'] = process.argv.slice(2);
try {
  const storage = await openEmbeddedStorage({
    dir,
    clock: systemClock,
    historyEventsMax: 200,
    // Small, so that kills hit checkpoints too.
    walBytesMax: 128 * 1024,
  });
  print('opened');
  if (mode === 'write') await write(storage, Number(seed));
  if (mode === 'hold') setInterval(() => {}, 1000);
  else await storage.close();
} catch (error) {
  if (!isStorageError(error)) throw error;
  print(`error ${error.code} ${error.message}`);
  process.exitCode = 3;
}
