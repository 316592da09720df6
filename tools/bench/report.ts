// The measured figures as docs/benchmarks.md shows them, each beside kube-apiserver's.

import type { BodyFigures } from './bodies.ts';
import type { DefinitionFigures, Percentiles } from './definitions.ts';
import type { ExpressionFigures } from './expressions.ts';
import type { FairnessFigures } from './fairness.ts';
import type { RbacFigures } from './rbac.ts';
import type { TokenFigure } from './service-account-tokens.ts';
import { kubeApiserver, kubeApiserverStart } from './kube-apiserver.ts';
import { renderPolicyTests, type PolicyTestFigures } from './policy-tests.ts';

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
  readonly definitions: DefinitionFigures;
  readonly expressions: ExpressionFigures;
  readonly bodies: BodyFigures;
  readonly policyTests: PolicyTestFigures;
  readonly http1: LoadResult;
  readonly http2: LoadResult;
  readonly rbac: readonly RbacFigures[];
  readonly tokens: readonly TokenFigure[];
  readonly fairness: FairnessFigures;
}

export function renderReport(report: Report): string {
  const { start, definitions, expressions, bodies, policyTests, http1, http2, fairness } = report;
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

${renderDefinitions(definitions)}
${renderExpressions(expressions)}
${renderBodies(bodies)}
${renderPolicyTests(policyTests)}
## Requests over HTTP/1.1

${table(http1.results)}

## Requests over HTTP/2

${table(http2.results)}

${renderRbac(report.rbac)}
${renderTokens(report.tokens)}
${renderFairness(fairness)}`;
}

/** A section that may be measured alone. */
export const rbacHeading = '## RBAC decisions';

export function renderRbac(figures: readonly RbacFigures[]): string {
  const sizes = figures.map(({ roles }) => roles.toLocaleString('en'));
  const lines = (figures[0]?.rows ?? []).map(({ name }, i) => {
    const micros = figures.map(({ rows }) => `${(rows[i]?.micros ?? 0).toFixed(1)} µs`);
    return `| ${name} | ${micros.join(' | ')} |`;
  });
  return `${rbacHeading}

One decision in process, with so many roles and as many bindings: of a user with one of the bindings,
and of a member of the group that all of them are to.

| roles | ${sizes.join(' | ')} |
|---|${sizes.map(() => '---|').join('')}
${lines.join('\n')}
`;
}

/** May be measured alone. */
export const tokensHeading = '## Service account tokens';

export function renderTokens(figures: readonly TokenFigure[]): string {
  const lines = figures.map(
    ({ name, micros }) => `| ${name} | ${micros.toFixed(1)} | ${Math.round(1e6 / micros)} |`,
  );
  return `${tokensHeading}

Keys on P-256, in process and without a socket; processor time of all threads. Objects that a token is
bound to are looked up each time.

| | µs of one core | per second and core |
|---|---|---|
${lines.join('\n')}
`;
}

/** May be measured alone. */
export const bodiesHeading = '## A pod with 30 containers';

export function renderBodies({ rows, load }: BodyFigures): string {
  const lines = rows.map(({ name, cpu, p50 }) => `| ${name} | ${figure(cpu)} | ${figure(p50)} |`);
  return `${bodiesHeading}

Decoded, and sent one after the other through the whole server in memory, with all admission plugins but without HTTP
and disk.${busyNote(load)}

| | CPU ms | p50 ms |
|---|---|---|
${lines.join('\n')}
`;
}

/** May be measured alone. */
export const fairnessHeading = '## One hostile client';

export function renderFairness({ rows, load }: FairnessFigures): string {
  const lines = rows.map(({ name, clients, hostile }) => {
    const { served, failed, p50, p99, p999, max } = clients;
    const lists = hostile === undefined ? '–' : `${hostile.served} / ${hostile.refused}`;
    const times = [p50, p99, p999, max].map(figure).join(' | ');
    return `| ${name} | ${served} | ${failed} | ${times} | ${lists} |`;
  });
  return `${fairnessHeading}

64 clients read one object every 100 ms for 20 seconds, while another one sends 10,000 lists of all 5,000
objects over 256 connections; what the 64 get. A request is due at its time whether or not those before it
were answered, and its time counts from then. Clients, hostile client and server share the cores.${busyNote(load)}

| | served | failed | p50 ms | p99 ms | p99.9 ms | longest ms | lists served / refused |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}
`;
}

export const expressionsHeading = '## Expressions and policies';

/** Also measured alone, by `npm run bench -- cel`. */
export function renderExpressions(figures: ExpressionFigures): string {
  const { engines, rows, matchNs, podSecurityNs, load } = figures;
  const times = (values: readonly (number | undefined)[]) => values.map(duration).join(' | ');
  const head = `| ${engines.map((name) => `\`${name}\``).join(' | ')} |\n|---${'|---'.repeat(engines.length)}|`;
  const shown = (expression: string) => `\`${expression.replaceAll('||', '\\|\\|')}\``;
  return `${expressionsHeading}

Of a pod with three containers, all engines in one process, the best of many short rounds; \`–\` where an engine refuses
the expression or gets it wrong. Ours is given JSON, checks types, and counts and limits costs.${busyNote(load)}

| evaluate ${head}
${rows.map((row) => `| ${shown(row.expression)} | ${times(row.evaluateNs)} |`).join('\n')}

| compile ${head}
${rows.map((row) => `| ${shown(row.expression)} | ${times(row.compileNs)} |`).join('\n')}

| | |
|---|---|
| 500 bound policies for another resource | ${duration(matchNs.otherResource)} |
| 500 bound policies for other namespaces | ${duration(matchNs.otherNamespace)} |
| Pod Security, restricted | ${duration(podSecurityNs)} |
`;
}

function busyNote(load: number): string {
  return load > 0.5 ? ` The machine was busy: ${load.toFixed(1)} programs wanted a core.` : '';
}

function duration(ns: number | undefined): string {
  if (ns === undefined) return '–';
  return ns < 1000 ? `${ns.toFixed(0)} ns` : `${figure(ns / 1000)} µs`;
}

/** Also printed alone, by `npm run bench -- --definitions`. */
export function renderDefinitions(figures: DefinitionFigures): string {
  const { definitions, definitionBytes, aggregatedBytes } = figures;
  const times = ({ p50, p99, max }: Percentiles) =>
    `${figure(p50)} / ${figure(p99)} / ${figure(max)} ms`;
  const kib = (bytes: number) => `${Math.round(bytes / 1024).toLocaleString('en')} KiB`;
  const each = (value: number) => `${value.toFixed(0)} KiB`;
  const rows: readonly (readonly [string, string])[] = [
    ['definitions and objects created per second', figure(figures.createPerSec)],
    ['resident for each definition with its object', each(figures.residentKiBEach)],
    ['the same when all documents are in memory too', each(figures.residentAllKiBEach)],
    ['start to `/readyz`', seconds(figures.startMs)],
    ['GET of another object, p50 / p99 / max: alone', times(figures.quietMs)],
    ['while ten definitions a second are created', times(figures.meanwhileMs)],
    ['while all documents are made anew', times(figures.documentsMeanwhileMs)],
    ['after one more definition: the resource answers', `${figure(figures.servedMs)} ms`],
    ['its group in discovery', `${figure(figures.discoveryMs)} ms`],
    ['aggregated discovery', `${figure(figures.aggregatedMs)} ms`],
    ['its OpenAPI version 3 document', `${figure(figures.openApiV3Ms)} ms`],
    ['the OpenAPI version 2 document', `${figure(figures.openApiV2Ms)} ms`],
    [`aggregated discovery (${kib(aggregatedBytes)}) per second`, figure(figures.aggregatedPerSec)],
  ];
  return `## ${definitions.toLocaleString('en')} custom resource definitions

Definitions of ${kib(definitionBytes)} in ${figures.groups} groups, with an object each.

| | Keelson |
|---|---|
${rows.map(([what, value]) => `| ${what} | ${value} |`).join('\n')}
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
