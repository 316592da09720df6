// `keelson up`: one process that is a cluster's control plane.

import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Features, Listener } from '@keelson/apiserver';
import { startControlPlane, type ControlPlane } from '../control-plane.ts';
import { formatKubeconfig } from '../kubeconfig.ts';
import { createLogger } from '../log.ts';
import { adminName, writePrivate, type Pki } from '../pki.ts';
import { readAuthenticationFlags } from './authentication-flags.ts';
import { StartError, startErrorOf, usage } from './start-error.ts';
import { readUpChoices } from './up-choices.ts';
import { addUpFlags, type UpFlags } from './up-flags.ts';
import { listen, openStorage, preparePki, shownHost } from './up-server.ts';
import { readUpServiceAccounts } from './up-service-account-flags.ts';

export interface UpEnvironment {
  print(text: string): void;
  printError(text: string): void;
  /** Calls `stop` when the process is asked to end. */
  onStop(stop: (signal: string) => void): void;
  exit(code: number): void;
  readonly home: string;
}

export function addUpCommand(program: Command, environment: UpEnvironment): void {
  const command = program
    .command('up')
    .description('start a control plane and write a kubeconfig for it');
  addUpFlags(command, environment.home).action(async (flags: UpFlags) => {
    try {
      await runUp(flags, environment);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      environment.printError(`keelson: ${error.message}\n`);
      environment.exit(error.exitCode);
    }
  });
}

/** Resolves when the server is ready; it then runs until `onStop` asks it to end. */
async function runUp(flags: UpFlags, environment: UpEnvironment): Promise<void> {
  const { plane, listener, text } = await open(flags, environment);
  let stopping = false;
  environment.onStop(() => {
    if (stopping) return;
    stopping = true;
    void stop(plane, listener).then(() => environment.exit(0));
  });
  // Last, for whoever waits for it may ask for the end at once.
  environment.print(text);
}

interface Opened {
  readonly plane: ControlPlane;
  readonly listener: Listener;
  /** What to do with it, for people. */
  readonly text: string;
}

async function open(flags: UpFlags, { printError }: UpEnvironment): Promise<Opened> {
  const choices = readUpChoices(flags);
  const { features, limits, serviceRanges } = choices;
  const logger = createLogger(flags.v, printError);
  const identity = usage(() =>
    readAuthenticationFlags(flags, features, (text) => logger.warn(text)),
  );
  const dataDir = resolve(flags.dataDir);
  const storage = await openStorage(flags, dataDir);
  let plane: ControlPlane | undefined, listener: Listener | undefined;
  try {
    const pki = preparePki(flags, dataDir, serviceRanges);
    const tokens = usage(() => readUpServiceAccounts(flags, features, () => pki.serviceAccountKey));
    let address = `${flags.bindAddress}:${flags.securePort}`;
    plane = await startControlPlane({
      storage,
      pki,
      ...identity,
      ...choices,
      ...tokens,
      serverAddress: () => address,
      logger,
    });
    listener = await listen(flags, { pki, plane, limits });
    address = `${shownHost(flags.bindAddress)}:${listener.port}`;
    const kubeconfig = resolve(flags.kubeconfig ?? join(dataDir, 'kubeconfig'));
    writeKubeconfig(kubeconfig, address, pki);
    return { plane, listener, text: readyText({ address, kubeconfig }, flags, features) };
  } catch (error) {
    await listener?.close(0);
    await (plane ?? storage).close();
    throw startErrorOf(error);
  }
}

function writeKubeconfig(file: string, address: string, { authority, admin }: Pki): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writePrivate(
    file,
    formatKubeconfig({
      server: `https://${address}`,
      certificateAuthorityPem: authority.certificatePem,
      user: adminName,
      client: admin,
    }),
  );
}

/** Watches are closed, requests under way get a moment, data is flushed. */
async function stop(plane: ControlPlane, listener: Listener): Promise<void> {
  plane.server.shutDown();
  await listener.close(2_000);
  await plane.close();
}

function readyText(
  { address, kubeconfig }: { readonly address: string; readonly kubeconfig: string },
  { storage, dataDir }: UpFlags,
  { emulated: { major, minor } }: Features,
): string {
  return [
    `Keelson is ready: Kubernetes ${major}.${minor} API on https://${address}`,
    `  state       ${storage === 'memory' ? 'in memory, gone when this process ends' : resolve(dataDir)}`,
    `  kubeconfig  ${kubeconfig}`,
    '',
    'Try it:',
    `  export KUBECONFIG=${kubeconfig}`,
    '  kubectl get namespaces',
    '',
    '',
  ].join('\n');
}
