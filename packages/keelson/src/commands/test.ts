// `keelson test DIR…`: policy tests without a cluster. Exit codes are for continuous integration:
// 0 everything is as expected, 1 something is not, 2 a suite could not be read or run.

import { writeFileSync } from 'node:fs';
import { InvalidArgumentError, type Command } from 'commander';
import { systemClock } from '@keelson/apimachinery';
import {
  countOf,
  formatJsonReport,
  formatJunitReport,
  formatTextReport,
  runPolicyTests,
  type PolicyTestRun,
} from '@keelson/advisor';
import { FeatureGateError } from '@keelson/apiserver';
import { createCluster } from '../create-cluster.ts';
import { isFileError } from './file-error.ts';
import { sourceFiles } from './source-files.ts';

export interface TestEnvironment {
  print(text: string): void;
  printError(text: string): void;
  exit(code: number): void;
}

type Format = 'text' | 'junit' | 'json';

interface TestFlags {
  readonly output: Format;
  readonly outputFile?: string;
  readonly release: readonly string[];
  readonly filter?: RegExp;
  readonly verbose: boolean;
}

export function addTestCommand(program: Command, environment: TestEnvironment): void {
  program
    .command('test')
    .description('run policy tests against the whole API server, in this process')
    .argument('<path...>', 'directories with keelson-test.yaml or kyverno-test.yaml, or such files')
    .option('-o, --output <format>', 'text, junit or json', parseFormat, 'text')
    .option('--output-file <file>', 'where to write the report; a text report is printed besides')
    .option(
      '--release <version>',
      'Kubernetes release to run against (1.26 to 1.36) instead of those of the suites; repeatable',
      (version: string, list: readonly string[]) => [...list, parseRelease(version)],
      [],
    )
    .option('--filter <pattern>', 'only cases whose `suite: case` matches', parsePattern)
    .option('-v, --verbose', 'a line for each case', false)
    .action(async (paths: readonly string[], flags: TestFlags) => {
      environment.exit(await runTests(paths, flags, environment));
    });
}

/** Gives the exit code. */
async function runTests(
  paths: readonly string[],
  flags: TestFlags,
  environment: TestEnvironment,
): Promise<number> {
  let run: PolicyTestRun;
  try {
    run = await runPolicyTests({
      files: sourceFiles,
      createCluster: (options) => createCluster({ ...options, controllers: [] }),
      clock: systemClock,
      paths,
      releases: flags.release,
      ...(flags.filter === undefined ? {} : { filter: flags.filter }),
    });
    report(run, flags, environment);
  } catch (error) {
    if (!isFileError(error) && !(error instanceof FeatureGateError)) throw error;
    environment.printError(`keelson: ${error.message}\n`);
    return 2;
  }
  const { failed, problems } = countOf(run.suites);
  return problems > 0 ? 2 : failed > 0 ? 1 : 0;
}

function report(run: PolicyTestRun, flags: TestFlags, environment: TestEnvironment): void {
  const { output, outputFile, verbose } = flags;
  const text = formats[output](run, verbose);
  if (outputFile === undefined) return environment.print(text);
  writeFileSync(outputFile, text);
  environment.print(formatTextReport(run, { verbose }));
}

const formats: Readonly<Record<Format, (run: PolicyTestRun, verbose: boolean) => string>> = {
  text: (run, verbose) => formatTextReport(run, { verbose }),
  junit: formatJunitReport,
  json: formatJsonReport,
};

function parseFormat(text: string): Format {
  if (text === 'text' || text === 'junit' || text === 'json') return text;
  throw new InvalidArgumentError('text, junit or json.');
}

function parseRelease(text: string): string {
  if (/^1\.\d+$/.test(text)) return text;
  throw new InvalidArgumentError('a release is written as 1.30.');
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : 'no pattern.');
  }
}
