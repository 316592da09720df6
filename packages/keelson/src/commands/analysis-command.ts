// What the commands that analyse have in common: where the cluster comes from, and which failures are
// the user's to repair.

import type { Command } from 'commander';
import { UnreadableError } from '@keelson/advisor';
import { DecodeError, isStatusError, type JsonObject } from '@keelson/apimachinery';
import { KubeconfigError, TransportError } from '@keelson/client';
import { connectToServer, readServerObjects, type LiveServer } from '../analysis/live-server.ts';
import { readObjectFiles } from '../analysis/object-files.ts';
import { openOfflineCluster, type OfflineCluster } from '../analysis/offline-cluster.ts';

export interface AnalysisEnvironment {
  print(text: string): void;
  printError(text: string): void;
  exit(code: number): void;
  readonly home: string;
}

export interface SourceFlags {
  readonly state?: readonly string[];
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly emulatedVersion?: string;
  readonly output: 'text' | 'json';
}

export interface AnalyzedCluster {
  readonly offline: OfflineCluster;
  /** Absent for files. */
  readonly live?: LiveServer;
  close(): Promise<void>;
}

export function addSourceFlags(command: Command): Command {
  return command
    .option(
      '--state <path>',
      'file or directory with objects of a cluster, YAML or JSON; repeatable',
      (path: string, list: readonly string[] | undefined) => [...(list ?? []), path],
    )
    .option('--kubeconfig <file>', 'a cluster to ask instead (default: ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--emulated-version <version>', 'the Kubernetes release of --state, 1.26 to 1.36')
    .option('-o, --output <format>', 'text or json', parseOutput, 'text');
}

function parseOutput(text: string): 'text' | 'json' {
  if (text === 'text' || text === 'json') return text;
  throw new UnreadableError(`output is text or json, not ${JSON.stringify(text)}`);
}

/** The file that is named, or the user's own. */
export function kubeconfigOf(
  { kubeconfig }: Pick<SourceFlags, 'kubeconfig'>,
  { home }: AnalysisEnvironment,
): string {
  return kubeconfig ?? `${home}/.kube/config`;
}

/** The caller closes it. */
export async function openAnalyzedCluster(
  flags: Omit<SourceFlags, 'output'>,
  environment: AnalysisEnvironment,
): Promise<AnalyzedCluster> {
  const { state, emulatedVersion } = flags;
  const live =
    state === undefined
      ? connectToServer(kubeconfigOf(flags, environment), flags.context)
      : undefined;
  try {
    const objects =
      live === undefined ? readObjectFiles(state ?? []) : await readLive(live, environment);
    const offline = await openOfflineCluster(objects, emulatedVersion);
    for (const problem of offline.leftOut) environment.printError(`left out: ${problem}\n`);
    const close = async () => {
      live?.close();
      await offline.cluster.close();
    };
    return { offline, ...(live === undefined ? {} : { live }), close };
  } catch (error) {
    live?.close();
    throw error;
  }
}

async function readLive(
  { client }: LiveServer,
  environment: AnalysisEnvironment,
): Promise<readonly JsonObject[]> {
  const { objects, missing } = await readServerObjects(client);
  if (missing.length > 0)
    environment.printError(`you may not list ${missing.join(', ')}: the analysis lacks them\n`);
  return objects;
}

/** Runs the command; failures of the user's input are one sentence and exit code 2. */
export async function runAnalysis(
  environment: AnalysisEnvironment,
  run: () => Promise<number>,
): Promise<void> {
  try {
    environment.exit(await run());
  } catch (error) {
    if (!isRepairable(error)) throw error;
    environment.printError(`keelson: ${error.message}\n`);
    environment.exit(2);
  }
}

function isRepairable(error: unknown): error is Error {
  return (
    error instanceof UnreadableError ||
    error instanceof DecodeError ||
    error instanceof KubeconfigError ||
    error instanceof TransportError ||
    isStatusError(error) ||
    (error instanceof Error && 'syscall' in error)
  );
}
