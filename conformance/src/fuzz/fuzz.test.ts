// Twenty thousand odd requests over real TLS connections. The server must answer each of them as a
// Kubernetes API server may, keep its memory within bounds, and serve as before at the end.
//
// KEELSON_FUZZ_SEED tries other requests (`KEELSON_FUZZ_SEED=$RANDOM`), KEELSON_FUZZ_REQUESTS more.

import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { createSeededRandom } from '@keelson/apimachinery';
import { createChance, type Chance } from './chance.ts';
import { openConnection, sendAndAbandon, type Answer } from './connection.ts';
import { createRequests, foundation, serializeRequest, type FuzzRequest } from './requests.ts';
import { startServerProcess, type ServerProcess } from './server-process.ts';
import { problemOf } from './verdict.ts';

const seed = Number(process.env['KEELSON_FUZZ_SEED'] ?? 1);
const requestsWanted = Number(process.env['KEELSON_FUZZ_REQUESTS'] ?? 20_000);
const connections = 16;
// A watch that is still open after this is left; its answer so far is judged.
const patienceMs = 150;
const answerMs = 20_000;
const memoryGrowthMaxMiB = 600;

describe(`fuzzing the server, seed ${seed}`, { timeout: 540_000 }, () => {
  let server: ServerProcess;
  const problems = new Map<string, string>();
  const statuses = new Map<number, number>();
  const slowest: { ms: number; what: string }[] = [];
  before(async () => {
    server = await startServerProcess();
    const connection = await openConnection(server.target);
    for (const request of foundation()) {
      const answer = await connection.send(
        serializeRequest(request, `Bearer ${server.adminToken}`),
        { isHead: false, patienceMs: answerMs },
      );
      assert.equal(
        answer?.status,
        201,
        `${request.target}: ${answer?.body.toString().slice(0, 300)}`,
      );
    }
    connection.close();
  });
  after(() => server.stop());

  it(`answers ${requestsWanted} odd requests as Kubernetes may`, async () => {
    console.log(`seed ${seed}`);
    const startMiB = server.memoryMiB();
    const chance = createChance(createSeededRandom(seed));
    const next = createRequests(chance);
    let left = requestsWanted;
    await Promise.all(
      Array.from({ length: connections }, async () => {
        let connection = await openConnection(server.target);
        while (left > 0) {
          left--;
          if (left % 200 === 0) void abandon(chance, next(), server);
          if (!connection.usable) connection = await openConnection(server.target);
          const request = next();
          const token = chance.percent(95) ? server.adminToken : server.nobodyToken;
          const isWatch = request.target.includes('watch');
          const sentAt = performance.now();
          const answer = await connection.send(serializeRequest(request, `Bearer ${token}`), {
            isHead: request.method === 'HEAD',
            patienceMs: isWatch || request.malformedHttp ? patienceMs : answerMs,
          });
          record(request, answer);
          noteTime(request, performance.now() - sentAt);
          assert.equal(server.exited, undefined, `the server ended: ${server.log().slice(-2000)}`);
        }
        connection.close();
      }),
    );
    console.log(
      `answers: ${[...statuses]
        .toSorted(([a], [b]) => a - b)
        .map(([status, count]) => `${status}×${count}`)
        .join(' ')}; memory ${startMiB.toFixed(0)} → ${server.memoryMiB().toFixed(0)} MiB`,
    );
    assert.equal(
      problems.size,
      0,
      [...problems]
        .slice(0, 40)
        .map(([what, where]) => `${what}\n    ${where}`)
        .join('\n'),
    );
    assert.ok(
      (slowest[0]?.ms ?? 0) < answerMs,
      slowest.map(({ ms, what }) => `${ms.toFixed(0)} ms ${what}`).join('\n'),
    );
    assert.ok(
      server.memoryMiB() - startMiB < memoryGrowthMaxMiB,
      `memory grew from ${startMiB} to ${server.memoryMiB()} MiB`,
    );
  });

  it('has nothing in its log that looks like a bug', () => {
    assert.equal(bugsIn(server.log()), '');
  });

  it('serves as before', async () => {
    const connection = await openConnection(server.target);
    for (const target of [
      '/readyz',
      '/api/v1/namespaces/fuzz',
      '/api/v1/namespaces/kube-system/configmaps',
    ]) {
      const answer = await connection.send(
        serializeRequest(
          { method: 'GET', target, headers: [], body: undefined, malformedHttp: false },
          `Bearer ${server.adminToken}`,
        ),
        { isHead: false, patienceMs: answerMs },
      );
      assert.equal(answer?.status, 200, target);
    }
    connection.close();
  });

  function noteTime(request: FuzzRequest, ms: number): void {
    slowest.push({ ms, what: describeRequest(request) });
    slowest.sort((a, b) => b.ms - a.ms);
    slowest.length = Math.min(slowest.length, 10);
  }

  function record(request: FuzzRequest, answer: Answer | undefined): void {
    statuses.set(answer?.status ?? 0, (statuses.get(answer?.status ?? 0) ?? 0) + 1);
    // What a patient client would still get is not known for these.
    if (request.malformedHttp && answer === undefined) return;
    const problem = problemOf(request, answer);
    if (problem === undefined) return;
    const shape = problem.replaceAll(/"(?:[^"\\]|\\.)*"|\d+/g, '…').slice(0, 90);
    if (!problems.has(`${request.method} ${shape}`))
      problems.set(`${request.method} ${shape}`, `${problem}\n    ${describeRequest(request)}`);
  }
});

function describeRequest(request: FuzzRequest): string {
  const headers = request.headers.map((h) => h.slice(0, 60)).join('; ');
  const body = Buffer.from(request.body ?? []).toString('utf8');
  return `${request.method} ${request.target.slice(0, 200)} [${headers}] ${body.slice(0, 300)}`;
}

/** The distinct errors of a log, each with how often it came, its first lines and one path. */
function bugsIn(log: string): string {
  const found = new Map<string, { count: number; path: string }>();
  for (const line of log.split('\n').filter((l) => l !== '')) {
    const entry = parseLogLine(line);
    if (entry === undefined) continue;
    const head = entry.error.split('\n').slice(0, 12).join('\n');
    const key = head.replaceAll(/"(?:[^"\\]|\\.)*"/g, '"…"');
    found.set(key, { count: (found.get(key)?.count ?? 0) + 1, path: entry.path });
  }
  return [...found].map(([head, { count, path }]) => `${count}× ${path}: ${head}`).join('\n');
}

/** Errors of requests, and whatever is no log line at all, such as a crash. */
function parseLogLine(line: string): { error: string; path: string } | undefined {
  if (!line.startsWith('{')) return { error: line, path: '' };
  const entry = JSON.parse(line) as { error?: string; path?: string; msg?: string; level?: number };
  return (entry.level ?? 0) < 50
    ? undefined
    : { error: entry.error ?? entry.msg ?? '', path: entry.path ?? '' };
}

/** Half-open connections and bodies that never come to their end. */
async function abandon(chance: Chance, request: FuzzRequest, server: ServerProcess): Promise<void> {
  const bytes = serializeRequest(request, `Bearer ${server.adminToken}`);
  await sendAndAbandon(server.target, bytes.subarray(0, chance.below(bytes.byteLength)), 500);
}
