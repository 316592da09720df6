// What storage costs: durable creates per second by number of writers and size of object, start-up
// on a directory with 10,000 objects, and what watchers cost a write. Prints a table.
//
//   node packages/apiserver/src/storage/testing/storage-bench.ts [--dir /path] [--seconds 2]

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '@keelson/apimachinery';
import type { KubeObject } from '@keelson/apimachinery';
import { openEmbeddedStorage } from '../embedded/open.ts';
import { createMemoryStorage } from '../memory/memory-storage.ts';
import type { Storage } from '../storage.ts';
import { testKey } from './test-objects.ts';

const { values: flags } = parseArgs({
  options: {
    dir: { type: 'string', default: tmpdir() },
    seconds: { type: 'string', default: '2' },
  },
});
const root = mkdtempSync(join(flags.dir, 'keelson-bench-'));
const durationMs = Number(flags.seconds) * 1000;
let directories = 0;

function openNew(dir = join(root, String(directories++))): Promise<Storage> {
  return openEmbeddedStorage({ dir, clock: systemClock });
}

/** A pod of about `bytes` bytes: many small fields, as real ones have. */
function podOf(name: string, bytes: number): KubeObject {
  return { ...podTemplate(bytes), metadata: { name, namespace: 'default', uid: `uid-of-${name}` } };
}

const templates = new Map<number, KubeObject>();

/** The part that pods share; making it is not what is measured. */
function podTemplate(bytes: number): KubeObject {
  const known = templates.get(bytes);
  if (known !== undefined) return known;
  const env = Array.from({ length: Math.ceil(bytes / 64) }, (_, i) => ({
    name: `VARIABLE_${i}`,
    value: `the value of variable ${i}`,
  }));
  const spec = { containers: [{ name: 'main', image: 'registry.example/app:1', env }] };
  const template: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec };
  templates.set(bytes, template);
  return template;
}

function print(what: string, result: string): void {
  process.stdout.write(`${what.padEnd(58)}${result}\n`);
}

async function creates(name: string, storage: Storage, writers: number, bytes: number) {
  const latencies: number[] = [];
  const begin = systemClock.monotonic();
  let count = 0;
  const writer = async () => {
    while (systemClock.monotonic() - begin < durationMs) {
      const id = `pod-${count++}`;
      const started = systemClock.monotonic();
      await storage.create(testKey(id), podOf(id, bytes));
      latencies.push(systemClock.monotonic() - started);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  const rate = (latencies.length / (systemClock.monotonic() - begin)) * 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2);
  print(
    `${name}: creates of ${bytes} B, ${writers} writers`,
    `${rate.toFixed(0).padStart(7)}/s   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms`,
  );
}

async function startUp(bytes: number): Promise<void> {
  const dir = join(root, 'start-up');
  for (const isCompacted of [false, true]) {
    rmSync(dir, { recursive: true, force: true });
    const storage = await openNew(dir);
    const ids = Array.from({ length: 10_000 }, (_, i) => `pod-${i}`);
    await Promise.all(ids.map((id) => storage.create(testKey(id), podOf(id, bytes))));
    if (isCompacted) await storage.compact(storage.revision());
    await storage.close();
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const begin = systemClock.monotonic();
      const again = await openNew(dir);
      times.push(systemClock.monotonic() - begin);
      await again.close();
    }
    const kind = isCompacted ? 'as state' : 'as history';
    print(
      `start-up with 10,000 objects of ${bytes} B, ${kind}`,
      times.map((t) => t.toFixed(0).padStart(5)).join('') + ' ms',
    );
  }
}

async function fanOut(watchers: number, isConcerned: boolean): Promise<void> {
  const storage = createMemoryStorage();
  let delivered = 0;
  for (let i = 0; i < watchers; i++) {
    storage.watch(isConcerned ? '/registry/configmaps/' : `/registry/others${i}/`, {
      signal: new AbortController().signal,
      onEvents: (events) => {
        delivered += events.length;
      },
      onEnd: () => {},
    });
  }
  const writes = 20_000;
  const objects = Array.from({ length: 100 }, (_, i) => podOf(`pod-${i}`, 200));
  const begin = systemClock.monotonic();
  for (let i = 0; i < writes; i++) {
    const object = objects[i % 100];
    if (object !== undefined) await storage.create(testKey(`pod-${i}`), object);
  }
  const perWrite = ((systemClock.monotonic() - begin) / writes) * 1000;
  const kind = isConcerned ? 'of the prefix' : 'of other prefixes';
  print(
    `memory: a create with ${watchers} watchers ${kind}`,
    `${perWrite.toFixed(2).padStart(7)} µs   ${delivered} deliveries`,
  );
}

try {
  for (const bytes of [1024, 4096]) {
    for (const writers of [1, 16, 64]) {
      const storage = await openNew();
      await creates('embedded', storage, writers, bytes);
      await storage.close();
    }
  }
  await creates('memory', createMemoryStorage(), 64, 1024);
  for (const bytes of [1024, 4096]) await startUp(bytes);
  for (const watchers of [0, 1, 100, 1000]) await fanOut(watchers, true);
  await fanOut(1000, false);
} finally {
  rmSync(root, { recursive: true, force: true });
}
