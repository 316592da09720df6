// `keelson test`: how long one suite takes from the start of the process, which is what a hook
// before a commit waits for, and the whole policy library.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seconds } from './figures.ts';
import type { Section } from './section.ts';

export const policyTestsSection: Section = {
  name: 'policy-tests',
  heading: 'Policy tests',
  measure: async ({ program }) => renderPolicyTests(measurePolicyTests(program())),
};

export interface PolicyTestFigures {
  readonly oneSuiteMs: number;
  /** Of the processor, user and system. */
  readonly oneSuiteCpuMs: number;
  readonly libraryMs: number;
  readonly suites: number;
  readonly cases: number;
}

const library = fileURLToPath(new URL('../../examples/policies', import.meta.url));

/** The best of five, for a busy machine only ever adds. */
function measurePolicyTests(program: string): PolicyTestFigures {
  const one = Array.from({ length: 5 }, () => run(program, join(library, 'image-tags')));
  const all = run(program, library);
  const [suites = '0', cases = '0'] =
    /^(\d+) suites, (\d+) of \2 cases passed/m.exec(all.output)?.slice(1) ?? [];
  if (Number(cases) === 0) throw new Error(`the library does not pass:\n${all.output}`);
  return {
    oneSuiteMs: Math.min(...one.map(({ ms }) => ms)),
    oneSuiteCpuMs: Math.min(...one.map(({ cpuMs }) => cpuMs)),
    libraryMs: all.ms,
    suites: Number(suites),
    cases: Number(cases),
  };
}

function run(program: string, path: string) {
  const startedAt = performance.now();
  // Through a shell, so that the child's time is in `times` when it ends.
  const { stdout, stderr, status } = spawnSync(
    '/bin/sh',
    ['-c', `"$0" "$1" test "$2"; times`, process.execPath, program, path],
    { encoding: 'utf8' },
  );
  const ms = performance.now() - startedAt;
  if (status !== 0) throw new Error(`keelson test ended with ${status}: ${stderr}`);
  return { ms, cpuMs: childCpuMs(stdout), output: stdout };
}

/** The second line of `times`: user and system time of children, `0m1.234s 0m0.567s`. */
function childCpuMs(output: string): number {
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  return [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
}

function renderPolicyTests(figures: PolicyTestFigures): string {
  const { oneSuiteMs, oneSuiteCpuMs, libraryMs, suites, cases } = figures;
  return `| \`keelson test\` | |
|---|---|
| one suite, from the start of the process to its end | ${seconds(oneSuiteMs)} (${seconds(oneSuiteCpuMs)} of processor) |
| the policy library, ${suites} suites with ${cases} cases | ${seconds(libraryMs)} |
`;
}
