// Kills a writing process at random moments, again and again, over one store, and asserts after
// each kill that no acknowledged write is lost, that nothing is half written and that revisions
// only grow.
//
//   node packages/apiserver/src/storage/testing/kill-loop.ts --kills 200 [--seed 1] [--dir /path]

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSeededRandom, systemClock } from '@keelson/apimachinery';
import { openEmbeddedStorage } from '../embedded/open.ts';
import type { Revision, StorageKey } from '../storage.ts';
import { tokenOf } from './sealed-object.ts';

export interface KillLoopOptions {
  readonly kills: number;
  readonly seed: number;
  /** The store's directory. */
  readonly dir: string;
}
export interface KillLoopResult {
  /** Acknowledged writes over all rounds. */
  readonly acknowledged: number;
  /**
   * Writes that were under way when the process was killed, by whether they were found afterwards.
   */
  readonly survived: number;
  readonly vanished: number;
}

/** What may be found under a key: what was last acknowledged, or the write that was under way. */
interface Promised {
  /** `-` for a deletion. */
  acknowledged: string;
  underWay: string | undefined;
}

// The first writes come this long after the start; kills are spread over them.
const killAfterMsMax = 60;

/** Rejects with an AssertionError that names the round when a promise was broken. */
export async function runKillLoop(options: KillLoopOptions): Promise<KillLoopResult> {
  const random = createSeededRandom(options.seed);
  const promises = new Map<StorageKey, Promised>();
  const result = { acknowledged: 0, survived: 0, vanished: 0 };
  let revision: Revision = 1;
  for (let round = 0; round < options.kills; round++) {
    const delayMs = random.float() * killAfterMsMax;
    const lines = await killedWriter(options.dir, round + options.seed * 1000, delayMs);
    for (const line of lines) applyLine(promises, line, result);
    revision = await verify(options.dir, promises, { round, revision, result });
  }
  return result;
}

/** Runs the child, kills it `delayMs` after its store is open, returns the lines it has printed. */
function killedWriter(dir: string, seed: number, delayMs: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'storage-child.ts'), 'write', dir, String(seed)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    if (chunks.length === 0) systemClock.after(delayMs, () => child.kill('SIGKILL'));
    chunks.push(chunk);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1);
      if (signal === 'SIGKILL') resolve(lines);
      else reject(new Error(`the writer ended with ${code}: ${lines.at(-1)}`));
    });
  });
}

function applyLine(
  promises: Map<StorageKey, Promised>,
  line: string,
  result: { acknowledged: number },
): void {
  const [what, key = '', token = ''] = line.split(' ');
  if (what === 'begin') {
    const acknowledged = promises.get(key)?.acknowledged ?? '-';
    promises.set(key, { acknowledged, underWay: token });
  } else if (what === 'done') {
    promises.set(key, { acknowledged: token, underWay: undefined });
    result.acknowledged++;
  }
}

async function verify(
  dir: string,
  promises: Map<StorageKey, Promised>,
  from: {
    readonly round: number;
    readonly revision: Revision;
    readonly result: { survived: number; vanished: number };
  },
): Promise<Revision> {
  const storage = await openEmbeddedStorage({ dir, clock: systemClock });
  const { entries, revision } = await storage.list('/registry/kill/');
  const found = new Map(entries.map((entry) => [entry.key, tokenOf(entry.key, entry.object)]));
  assert.ok(revision >= from.revision, `round ${from.round}: the revision fell back`);
  for (const key of found.keys()) assert.ok(promises.has(key), `round ${from.round}: ${key}`);
  for (const [key, { acknowledged, underWay }] of promises) {
    const token = found.get(key) ?? '-';
    const where = `round ${from.round}, ${key}: found ${token}`;
    assert.ok(token === acknowledged || token === underWay, `${where}, promised ${acknowledged}`);
    if (underWay !== undefined && token === underWay) from.result.survived++;
    else if (underWay !== undefined) from.result.vanished++;
    promises.set(key, { acknowledged: token, underWay: undefined });
  }
  await storage.close();
  return revision;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      dir: { type: 'string', default: tmpdir() },
    },
  });
  const root = mkdtempSync(join(values.dir, 'keelson-kill-'));
  const kills = Number(values.kills);
  const begin = systemClock.monotonic();
  try {
    const result = await runKillLoop({
      kills,
      seed: Number(values.seed),
      dir: join(root, 'store'),
    });
    const seconds = ((systemClock.monotonic() - begin) / 1000).toFixed(1);
    process.stdout.write(
      `${kills} kills in ${seconds} s: ${result.acknowledged} acknowledged writes, none lost; ` +
        `of those under way ${result.survived} survived whole, ${result.vanished} vanished\n`,
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
