// `npm run bench`: how fast is the server on this machine? Start-up and memory are measured here,
// requests by the load generator that also measured kube-apiserver. Writes docs/benchmarks.md with
// `--write`, else prints the same text.
//
//   KEELSON_BENCH   folder of the load generator `load.mjs` (default: ../shared/bench)
//   --definitions   only what a thousand custom resource definitions cost; needs no generator
//   --fairness      only what clients feel of a hostile one; needs no generator
//   --bodies        only what a pod with 30 containers costs; needs neither generator nor server
//   --policy-tests  only what `keelson test` takes; needs no generator
//   --rbac          only how long RBAC decides; needs neither generator nor server
//   --tokens        only what service account tokens cost; likewise
//   cel             only expressions and policies, beside other engines; needs no generator
//   --ops N --conc 16,64 --list 1000,10000 --list-reps N --only seq,crud,list,watch   passed on to it

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { measureBodies } from './bodies.ts';
import { measureDefinitions } from './definitions.ts';
import { measureExpressions } from './expressions.ts';
import { measureFairness } from './fairness.ts';
import { measurePolicyTests, renderPolicyTests } from './policy-tests.ts';
import { measureRbac } from './rbac.ts';
import {
  bodiesHeading,
  expressionsHeading,
  fairnessHeading,
  rbacHeading,
  renderBodies,
  renderRbac,
  renderDefinitions,
  renderExpressions,
  renderFairness,
  renderReport,
  renderTokens,
  tokensHeading,
  type LoadResult,
  type Report,
} from './report.ts';
import { measureTokens } from './service-account-tokens.ts';
import { call, startServer, token, type BenchServer } from './server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const generator = resolve(root, process.env['KEELSON_BENCH'] ?? '../shared/bench', 'load.mjs');
const write = process.argv.includes('--write');
const fairnessOnly = process.argv.includes('--fairness');
const rbacOnly = process.argv.includes('--rbac');
const bodiesOnly = process.argv.includes('--bodies');
const tokensOnly = process.argv.includes('--tokens');
const passedOn = process.argv.slice(2).filter((argument) => argument !== '--write');
const page = join(root, 'docs/benchmarks.md');
const filledObjects = 10_000;

const definitionsOnly = process.argv.includes('--definitions');
const expressionsOnly = process.argv[2] === 'cel';
const policyTestsOnly = process.argv.includes('--policy-tests');
const isPart = [
  definitionsOnly,
  fairnessOnly,
  rbacOnly,
  bodiesOnly,
  tokensOnly,
  policyTestsOnly,
  expressionsOnly,
].includes(true);
if (!isPart && !existsSync(generator)) {
  console.error(`no load generator at ${generator}; set KEELSON_BENCH to its folder`);
  process.exit(2);
}

const directories: string[] = [];
const newDirectory = () => {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-bench-'));
  directories.push(directory);
  return directory;
};

const needsProgram = !rbacOnly && !bodiesOnly && !tokensOnly && !expressionsOnly;
const program = needsProgram ? join(buildInto(newDirectory()), 'keelson.mjs') : '';

try {
  if (expressionsOnly) showSection(expressionsHeading, renderExpressions(measureExpressions()));
  else if (definitionsOnly)
    console.log(renderDefinitions(await measureDefinitions(program, newDirectory)));
  else if (bodiesOnly) showSection(bodiesHeading, renderBodies(await measureBodies()));
  else if (policyTestsOnly) console.log(renderPolicyTests(measurePolicyTests(program)));
  else if (rbacOnly) showSection(rbacHeading, renderRbac(measureRbac()));
  else if (tokensOnly) showSection(tokensHeading, renderTokens(await measureTokens()));
  else if (fairnessOnly)
    showSection(fairnessHeading, renderFairness(await measureFairness(program, newDirectory)));
  else await measureAll();
} finally {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
}

async function measureAll(): Promise<void> {
  const start = await measureStart();
  const definitions = await measureDefinitions(program, newDirectory);
  const expressions = measureExpressions();
  const bodies = await measureBodies();
  const policyTests = measurePolicyTests(program);
  const http1 = await measureLoad([]);
  const http2 = await measureLoad(['--http2', '--only', 'crud', '--conc', '16']);
  const fairness = await measureFairness(program, newDirectory);
  const rbac = measureRbac();
  const measured = { start, definitions, expressions, bodies, policyTests };
  const report: Report = { ...measured, http1, http2, rbac, tokens, fairness };
  const text = renderReport(report);
  if (write) writeFileSync(page, text);
  else console.log(text);
}

/** With `--write`, the page keeps its other sections. */
function showSection(heading: string, section: string): void {
  if (!write) return console.log(section);
  const sections = readFileSync(page, 'utf8').split(/^(?=## )/m);
  const others = sections.map((text) => (text.startsWith(`${heading}\n`) ? section : text));
  const isNew = !others.includes(section);
  const texts = (isNew ? [...others, section] : others).map((text) => text.trimEnd());
  writeFileSync(page, `${texts.join('\n\n')}\n`);
}

/** What users start is the bundle, so that is what is measured. */
function buildInto(directory: string): string {
  const bundle = join(root, 'tools/build/bundle.ts');
  const { status } = spawnSync(process.execPath, [bundle, directory], { stdio: 'ignore' });
  if (status !== 0) throw new Error(`the build ended with ${status}`);
  return directory;
}

/** The best of three, for a busy machine only ever adds. */
async function measureStart(): Promise<Report['start']> {
  const empty: number[] = [];
  let idleMiB = 0;
  for (let i = 0; i < 3; i++) {
    const server = await startServer(program, newDirectory());
    empty.push(server.readyMs);
    if (i === 0) {
      await sleep(5000);
      idleMiB = server.residentMiB();
    }
    await server.stop();
  }
  const directory = newDirectory();
  const filling = await startServer(program, directory);
  await fill(filling);
  await filling.stop();
  const filled: number[] = [];
  for (let i = 0; i < 3; i++) {
    const server = await startServer(program, directory);
    filled.push(server.readyMs);
    await server.stop();
  }
  return { emptyMs: Math.min(...empty), filledMs: Math.min(...filled), filledObjects, idleMiB };
}

async function fill(server: BenchServer): Promise<void> {
  let left = filledObjects;
  const worker = async () => {
    while (left > 0) {
      const name = `filled-${left--}`;
      const body = { metadata: { name }, data: { key: 'x'.repeat(200) } };
      const status = await call(server.url, 'POST', '/api/v1/namespaces/default/configmaps', body);
      if (status !== 201) throw new Error(`${name}: ${status}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function measureLoad(options: readonly string[]): Promise<LoadResult> {
  const directory = newDirectory();
  const server = await startServer(program, directory);
  const out = join(directory, 'load.json');
  const flags = ['--server', server.url, '--insecure', '--token', token, '--out', out];
  const pid = ['--pid', `keelson=${server.pid}`];
  try {
    await run([generator, ...flags, ...pid, ...passedOn, ...options]);
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
