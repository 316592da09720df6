// Requests of all kinds, sent by the load generator that also measured kube-apiserver.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { figure } from './figures.ts';
import { kubeApiserver } from './kube-apiserver.ts';
import type { BenchTools, Section } from './section.ts';
import { startServer, token } from './server.ts';

export const http1Section: Section = {
  name: 'http1',
  heading: 'Requests over HTTP/1.1',
  measure: async (tools) => {
    const result = await measureLoad(tools, []);
    const memoryMiB = Object.values(result.meta.after)[0]?.rss ?? 0;
    return `${table(result.results)}

Resident afterwards: ${memoryMiB.toFixed(0)} MiB; kube-apiserver and etcd: 1,840 MiB.
`;
  },
};
export const http2Section: Section = {
  name: 'http2',
  heading: 'Requests over HTTP/2',
  measure: async (tools) => {
    const options = ['--http2', '--only', 'crud', '--conc', '16'];
    return `${table((await measureLoad(tools, options)).results)}\n`;
  },
};

/** What the load generator writes. */
interface LoadResult {
  readonly meta: {
    readonly after: Readonly<Record<string, { readonly rss: number }>>;
  };
  readonly results: readonly LoadPhase[];
}
interface LoadPhase {
  readonly name: string;
  readonly errors: number;
  readonly opsPerSec?: number | undefined;
  readonly latencyMs?: { readonly p50: number; readonly p99: number } | undefined;
  readonly cpuMsPerOp?: number | undefined;
  readonly otherCpuPct?: number | undefined;
}

async function measureLoad(tools: BenchTools, options: readonly string[]): Promise<LoadResult> {
  const { program, newDirectory, generator, generatorOptions } = tools;
  if (!existsSync(generator))
    throw new Error(`no load generator at ${generator}; set KEELSON_BENCH to its folder`);
  const directory = newDirectory();
  const server = await startServer(program(), directory);
  const out = join(directory, 'load.json');
  const flags = ['--server', server.url, '--insecure', '--token', token, '--out', out];
  const pid = ['--pid', `keelson=${server.pid}`];
  try {
    await run([generator, ...flags, ...pid, ...generatorOptions, ...options]);
  } finally {
    await server.stop();
  }
  return JSON.parse(readFileSync(out, 'utf8')) as LoadResult;
}

function run(args: readonly string[]): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    child.once('exit', (code) =>
      code === 0 ? done() : fail(new Error(`the load generator ended with ${code}`)),
    );
  });
}

function table(phases: readonly LoadPhase[]): string {
  const rows = phases
    .filter(({ name }) => !name.endsWith('/fill'))
    .map((phase) => {
      const theirs = kubeApiserver[phase.name];
      const busy = (phase.otherCpuPct ?? 0) > 20 ? ' ~' : '';
      const errors = phase.errors > 0 ? ` (${phase.errors} errors)` : '';
      const cells = [
        `${phase.name}${busy}${errors}`,
        figure(phase.opsPerSec),
        figure(phase.latencyMs?.p50),
        figure(phase.latencyMs?.p99),
        figure(phase.cpuMsPerOp),
        figure(theirs?.opsPerSec),
        figure(theirs?.p50Ms),
        figure(theirs?.cpuMsPerOp),
      ];
      return `| ${cells.join(' | ')} |`;
    });
  return [
    '| phase | requests/s | p50 ms | p99 ms | CPU ms per request | kube-apiserver: requests/s | p50 ms | CPU ms |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
