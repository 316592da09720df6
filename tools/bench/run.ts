// `npm run bench`: how fast is the server on this machine?
//
//   npm run bench                      everything, printed
//   npm run bench -- --write           everything, into docs/benchmarks.md
//   npm run bench -- NAME… [--write]   only these sections (sections.ts); the page keeps the others
//
//   KEELSON_BENCH   folder of the load generator `load.mjs` (default: ../shared/bench)
//   --ops N --conc 16,64 --list 1000,10000 --list-reps N --only seq,crud,list,watch   passed on to it

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchTools, Section } from './section.ts';
import { sections } from './sections.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = join(root, 'docs/benchmarks.md');
const { names, write, generatorOptions } = readArguments(process.argv.slice(2));
const wanted = names.length === 0 ? sections : sections.filter(({ name }) => names.includes(name));

const directories: string[] = [];
const tools = createTools();
try {
  for (const section of wanted) show(section, await section.measure(tools));
  if (write && names.length === 0) replaceHead();
} finally {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
}

/** Names come before options. */
function readArguments(args: readonly string[]) {
  const rest = args.filter((argument) => argument !== '--write');
  const firstOption = rest.findIndex((argument) => argument.startsWith('--'));
  const count = firstOption < 0 ? rest.length : firstOption;
  const known = sections.map(({ name }) => name);
  const unknown = rest.slice(0, count).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`no such benchmark: ${unknown.join(', ')}; there are ${known.join(', ')}`);
    process.exit(2);
  }
  return {
    names: rest.slice(0, count),
    write: args.includes('--write'),
    generatorOptions: rest.slice(count),
  };
}

function createTools(): BenchTools {
  let built: string | undefined;
  const newDirectory = () => {
    const directory = mkdtempSync(join(tmpdir(), 'keelson-bench-'));
    directories.push(directory);
    return directory;
  };
  return {
    newDirectory,
    program: () => (built ??= join(buildInto(newDirectory()), 'keelson.mjs')),
    generator: resolve(root, process.env['KEELSON_BENCH'] ?? '../shared/bench', 'load.mjs'),
    generatorOptions,
  };
}

function buildInto(directory: string): string {
  const bundle = join(root, 'tools/build/bundle.ts');
  const { status } = spawnSync(process.execPath, [bundle, directory], { stdio: 'ignore' });
  if (status !== 0) throw new Error(`the build ended with ${status}`);
  return directory;
}

function show({ heading }: Section, text: string): void {
  const section = `## ${heading}\n\n${text.trimEnd()}\n`;
  if (!write) return console.log(section);
  const [head = '', ...present] = readFileSync(page, 'utf8').split(/^(?=## )/m);
  const texts = new Map(present.map((other) => [headingOf(other), other.trimEnd()]));
  texts.set(heading, section.trimEnd());
  const inOrder = sections.map((other) => texts.get(other.heading)).filter(Boolean);
  writeFileSync(page, `${[head.trimEnd(), ...inOrder].join('\n\n')}\n`);
}

function headingOf(section: string): string {
  return section.slice('## '.length, section.indexOf('\n'));
}

function replaceHead(): void {
  const [, ...present] = readFileSync(page, 'utf8').split(/^(?=## )/m);
  const [{ model = 'unknown' } = {}] = cpus();
  const date = new Date().toISOString().slice(0, 10);
  const head = `# Benchmarks

Made by \`npm run bench -- --write\` on ${date}: ${cpus().length} × ${model}, Node ${process.version}, embedded storage
(every write is on the disk before it is answered), the load generator on the same cores. The figures of
kube-apiserver 1.36.2 with etcd 3.5.30 come from the same generator on two cores of a Xeon at 2.5 GHz, so
wall figures compare machines too; CPU per request is the steadier one. \`~\`: other programs used more
than a fifth of a core meanwhile.

`;
  writeFileSync(page, head + present.join(''));
}
