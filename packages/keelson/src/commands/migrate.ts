// `keelson migrate psp FILE…`: from PodSecurityPolicies to Pod Security levels. Exit codes: 0 the
// plan admits everything, 1 it refuses something that was given, 2 a file could not be read.

import { InvalidArgumentError, type Command } from 'commander';
import {
  formatMigrationManifests,
  formatMigrationReport,
  planMigration,
  readObjects,
  SourceError,
} from '@keelson/advisor';
import { createCluster } from '../create-cluster.ts';
import { isFileError } from './file-error.ts';
import { sourceFiles } from './source-files.ts';
import type { TestEnvironment } from './test.ts';

interface MigrateFlags {
  readonly output: 'text' | 'yaml';
  readonly release?: number;
}

export function addMigrateCommand(program: Command, environment: TestEnvironment): void {
  const migrate = program.command('migrate').description('from what is gone to what there is');
  migrate
    .command('psp')
    .description(
      'propose Pod Security levels and mutating policies in place of PodSecurityPolicies',
    )
    .argument(
      '<file...>',
      'YAML of PodSecurityPolicies, their roles and bindings, namespaces, pods and workloads',
    )
    .option('-o, --output <format>', 'text, or yaml: the manifests', parseOutput, 'text')
    .option(
      '--release <version>',
      'whose Pod Security Standards to take (default: the newest)',
      parseMinor,
    )
    .action(async (files: readonly string[], flags: MigrateFlags) => {
      environment.exit(await runMigratePsp(files, flags, environment));
    });
}

/** Gives the exit code. */
async function runMigratePsp(
  files: readonly string[],
  { output, release }: MigrateFlags,
  environment: TestEnvironment,
): Promise<number> {
  try {
    const objects = files.flatMap((file) =>
      readObjects(sourceFiles, file, { named: { file, line: 1 } }),
    );
    const plan = await planMigration({
      objects,
      ...(release === undefined ? {} : { minor: release }),
      createCluster: (options) => createCluster({ ...options, controllers: [] }),
    });
    const refused = plan.namespaces.some(({ pods }) =>
      pods.some((pod) => pod.refusal !== undefined),
    );
    if (output === 'yaml') {
      environment.print(formatMigrationManifests(plan));
      if (refused) environment.printError(formatMigrationReport(plan));
    } else environment.print(formatMigrationReport(plan));
    return refused ? 1 : 0;
  } catch (error) {
    if (!(error instanceof SourceError) && !isFileError(error)) throw error;
    environment.printError(`keelson: ${error.message}\n`);
    return 2;
  }
}

function parseOutput(text: string): 'text' | 'yaml' {
  if (text === 'text' || text === 'yaml') return text;
  throw new InvalidArgumentError('text or yaml.');
}

function parseMinor(text: string): number {
  const [, minor] = /^1\.(\d{1,3})$/.exec(text) ?? [];
  if (minor !== undefined) return Number(minor);
  throw new InvalidArgumentError('a release is written as 1.30.');
}
