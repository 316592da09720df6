// The measured figures as docs/benchmarks.md shows them, each beside kube-apiserver's.

import { kubeApiserver, kubeApiserverStart } from './kube-apiserver.ts';

/** What the load generator writes. */
export interface LoadResult {
  readonly meta: {
    readonly date: string;
    readonly node: string;
    readonly cpus: number;
    readonly cpuModel: string;
    readonly after: Readonly<Record<string, { readonly rss: number }>>;
  };
  readonly results: readonly LoadPhase[];
}
export interface LoadPhase {
  readonly name: string;
  readonly errors: number;
  readonly opsPerSec?: number | undefined;
  readonly latencyMs?: { readonly p50: number; readonly p99: number } | undefined;
  readonly cpuMsPerOp?: number | undefined;
  readonly otherCpuPct?: number | undefined;
}
export interface Report {
  readonly start: {
    readonly emptyMs: number;
    readonly filledMs: number;
    readonly filledObjects: number;
    readonly idleMiB: number;
  };
  readonly http1: LoadResult;
  readonly http2: LoadResult;
}

export function renderReport({ start, http1, http2 }: Report): string {
  const { meta } = http1;
  const memoryMiB = Object.values(meta.after)[0]?.rss ?? 0;
  return `# Benchmarks

Made by \`npm run bench -- --write\` on ${meta.date.slice(0, 10)}: ${meta.cpus} × ${meta.cpuModel}, Node ${meta.node}, embedded storage
(every write is on the disk before it is answered), the load generator on the same cores. The figures of
kube-apiserver 1.36.2 with etcd 3.5.30 come from the same generator on two cores of a Xeon at 2.5 GHz, so
wall figures compare machines too; CPU per request is the steadier one. \`~\`: other programs used more
than a fifth of a core meanwhile.

## Start and memory

| | Keelson | kube-apiserver and etcd |
|---|---|---|
| start to \`/readyz\`, empty | ${seconds(start.emptyMs)} | ${seconds(kubeApiserverStart.emptyMs)} |
| start to \`/readyz\`, ${start.filledObjects.toLocaleString('en')} objects | ${seconds(start.filledMs)} | ${seconds(kubeApiserverStart.filledMs)} |
| resident when idle | ${start.idleMiB.toFixed(0)} MiB | ${kubeApiserverStart.idleMiB} MiB |
| resident after the load below | ${memoryMiB.toFixed(0)} MiB | 1,840 MiB |

## Requests over HTTP/1.1

${table(http1.results)}

## Requests over HTTP/2

${table(http2.results)}
`;
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

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

function figure(value: number | undefined): string {
  if (value === undefined) return '–';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2).replace(/\.0$/, '');
}
