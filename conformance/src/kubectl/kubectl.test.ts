// Runs the script with every kubectl of the machine against one server. Without a kubectl the test
// is skipped, and says so.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { findKubectls, type Kubectl } from './kubectls.ts';
import { script, type Step } from './script.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const only = process.env['KUBECTL_ONLY'];
const kubectls = findKubectls().filter((k) => only === undefined || k.label === only);

describe('kubectl', { skip: kubectls.length === 0 ? 'no kubectl on PATH' : false }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-kubectl-'));
  const kubeconfig = join(directory, 'kubeconfig');
  let server: ReturnType<typeof spawn>;

  before(async () => {
    server = spawn(
      process.execPath,
      [
        join(root, 'packages/keelson/src/main.ts'),
        'up',
        '--storage=memory',
        '--secure-port=0',
        `--data-dir=${directory}`,
        `--kubeconfig=${kubeconfig}`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise<void>((resolve, reject) => {
      server.once('exit', (code) => reject(new Error(`the server ended with exit code ${code}`)));
      server.stdout?.on(
        'data',
        (chunk: Buffer) => chunk.toString().includes('is ready') && resolve(),
      );
    });
    server.removeAllListeners('exit');
  });
  after(async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });

  for (const kubectl of kubectls) {
    it(`${kubectl.label} passes the script`, () => {
      const minor =
        kubectl.label === 'PATH' ? clientMinor(kubectl) : Number(kubectl.label.slice(2));
      const namespace = `k-${kubectl.label.toLowerCase().replaceAll('.', '-')}`;
      const problems = script
        .filter((step) => minor >= (step.since ?? 0))
        .flatMap((step) => problemOf(kubectl, step, namespace));
      assert.deepEqual(problems, []);
    });
  }

  function problemOf(kubectl: Kubectl, step: Step, namespace: string): string[] {
    const words = step.run
      .split(' ')
      .map((word) => word.replaceAll('${ns}', namespace).replaceAll('${dir}', directory));
    const scope = step.cluster === true ? [] : ['-n', namespace];
    const command = words.indexOf('--');
    const args =
      command < 0
        ? [...words, ...scope]
        : [...words.slice(0, command), ...scope, ...words.slice(command)];
    const result = spawnSync(
      kubectl.path,
      [
        '--kubeconfig',
        kubeconfig,
        '--cache-dir',
        join(directory, `cache-${kubectl.label}`),
        ...args,
      ],
      {
        input: (step.stdin ?? '').replaceAll('${ns}', namespace),
        encoding: 'utf8',
        timeout: 60_000,
        env: { ...process.env, ...step.env },
      },
    );
    const output = `${result.stdout}${result.stderr}`.trim();
    const okay = step.fails === true ? result.status !== 0 : result.status === (step.exitCode ?? 0);
    if (okay && step.expect.test(step.fails === true ? output : result.stdout.trim() || output))
      return [];
    return [
      `kubectl ${args.join(' ')}\n  exit ${result.status}, wanted ${step.expect}\n  ${output.slice(0, 400)}`,
    ];
  }
});

function clientMinor(kubectl: Kubectl): number {
  const { stdout } = spawnSync(kubectl.path, ['version', '--client', '-o', 'json'], {
    encoding: 'utf8',
  });
  return Number(/"minor": "(\d+)/.exec(stdout)?.[1] ?? 99);
}
