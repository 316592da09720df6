// The server that the scripts of this folder run against: `keelson up` with three nodes, in memory.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../packages/keelson/src/main.ts', import.meta.url));

export interface ScriptServer {
  readonly kubeconfig: string;
  /** For files of the script; gone with the server. */
  readonly directory: string;
  stop(): Promise<void>;
}

/** `more` are flags of `keelson up`. Rejects when the server does not come up. */
export async function startScriptServer(...more: readonly string[]): Promise<ScriptServer> {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-kubectl-'));
  const kubeconfig = join(directory, 'kubeconfig');
  const flags = [
    '--storage=memory',
    '--secure-port=0',
    '--nodes=3',
    '--feature-gates=StorageVersionMigrator=true',
    '--runtime-config=storagemigration.k8s.io/v1beta1=true',
    '--horizontal-pod-autoscaler-sync-period=1s',
    `--data-dir=${directory}`,
    ...more,
  ];
  const server = spawn(process.execPath, [main, 'up', ...flags, `--kubeconfig=${kubeconfig}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    server.once('exit', (code) => reject(new Error(`the server ended with exit code ${code}`)));
    server.stdout.on('data', (chunk: Buffer) => chunk.toString().includes('is ready') && resolve());
  });
  server.removeAllListeners('exit');
  return {
    kubeconfig,
    directory,
    async stop() {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
