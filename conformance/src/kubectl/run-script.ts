// Runs the steps of a script with one kubectl, one after the other, and tells which did not do what
// they should. The process stays responsive meanwhile: it may serve a webhook itself.

import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { readForwarded } from './forwarded-port.ts';
import type { Kubectl } from './kubectls.ts';
import type { Line, Step } from './script.ts';
import type { ScriptServer } from './server.ts';

export interface ScriptRun {
  readonly kubectl: Kubectl;
  readonly server: ScriptServer;
  /** What `${name}` stands for in commands, input and expectations; `ns` and `dir` at least. */
  readonly variables: Readonly<Record<string, string>>;
}

const stepTimeoutMs = 60_000;

/** In order; the lines of one `together` run side by side. */
export type Script = readonly (Step | { readonly together: readonly Line[] })[];

/** The problems of all steps; none when the script passed. */
export async function runScript(run: ScriptRun, script: Script): Promise<string[]> {
  const minor = minorOf(run.kubectl);
  const problems: string[] = [];
  const follow = async (line: Script): Promise<void> => {
    for (const step of line) {
      if ('together' in step) await Promise.all(step.together.map(follow));
      else if (minor >= (step.since ?? 0)) problems.push(...(await problemsOf(run, step)));
    }
  };
  await follow(script);
  return problems;
}

function minorOf({ label, path }: Kubectl): number {
  if (label !== 'PATH') return Number(label.slice(2));
  const { stdout } = spawnSync(path, ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  return Number(/"minor": "(\d+)/.exec(stdout)?.[1] ?? 99);
}

async function problemsOf(run: ScriptRun, step: Step): Promise<string[]> {
  const filled = (text: string) =>
    text.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => run.variables[name] ?? whole);
  const words = step.run.split(' ').map(filled);
  const scope = step.cluster === true ? [] : ['-n', run.variables['ns'] ?? ''];
  const command = words.indexOf('--');
  const at = command < 0 ? words.length : command;
  const args = [...words.slice(0, at), ...scope, ...words.slice(at)];
  const { code, stdout, stderr } = await runKubectl(run, args, step, filled(step.stdin ?? ''));
  const output = `${stdout}${stderr}`.trim();
  const okay = step.fails === true ? code !== 0 : code === (step.exitCode ?? 0);
  const shown = step.fails === true ? output : stdout.trim() || output;
  const expected = new RegExp(filled(step.expect.source), step.expect.flags);
  if (okay && expected.test(shown)) return [];
  return [
    `kubectl ${args.join(' ')}\n  exit ${code}, wanted ${expected}\n  ${output.slice(0, 400)}`,
  ];
}

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runKubectl(
  { kubectl, server }: ScriptRun,
  args: readonly string[],
  step: Step,
  stdin: string,
): Promise<Outcome> {
  const cache = join(server.directory, `cache-${kubectl.label}`);
  const flags = ['--kubeconfig', server.kubeconfig, '--cache-dir', cache];
  return new Promise((resolve, reject) => {
    const child = spawn(kubectl.path, [...flags, ...args], {
      env: { ...process.env, ...step.env },
      timeout: stepTimeoutMs,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', reject);
    const { forwarded } = step;
    if (forwarded === undefined) child.once('close', (code) => resolve({ code, stdout, stderr }));
    else
      readForwarded(child, forwarded).then(
        ({ code, answer }) => resolve({ code, stdout: answer, stderr }),
        reject,
      );
    // A command that reads nothing may have ended before its input was written.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
  });
}
