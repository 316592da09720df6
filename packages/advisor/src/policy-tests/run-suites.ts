// Policy tests from beginning to end: finds the suites, runs them one after the other, and collects
// what came of each.

import type { Clock } from '@keelson/apimachinery';
import type { AdvisedCluster, AdvisedClusterOptions, ClusterFactory } from '../cluster.ts';
import { readKyvernoFile } from './kyverno-file.ts';
import { runSuite, type CaseResult } from './run-suite.ts';
import { readSuiteFile } from './suite-file.ts';
import type { SourceFiles } from '../sources/object-files.ts';
import { findSuiteFiles, kyvernoFileNames } from './suite-files.ts';
import { SourceError } from '../sources/source.ts';
import type { Suite } from './suite.ts';

export interface PolicyTestOptions {
  readonly files: SourceFiles;
  readonly createCluster: ClusterFactory;
  readonly clock: Clock;
  /** Files of suites, or directories in which they are looked for. */
  readonly paths: readonly string[];
  /** Releases to run every suite against, instead of its own. */
  readonly releases?: readonly string[];
  /** Only cases whose `suite: case` matches. */
  readonly filter?: RegExp;
  /** Called as results come. */
  readonly onResult?: (result: CaseResult) => void;
}

export interface SuiteRun {
  /** The file, where the suite could not be read. */
  readonly file: string;
  readonly suite?: Suite;
  readonly results: readonly CaseResult[];
  /** Why the suite could not be read or run to its end. */
  readonly problem?: string;
}

export interface PolicyTestRun {
  readonly suites: readonly SuiteRun[];
  readonly durationMs: number;
}

/** A suite that cannot be run does not keep the others from running. */
export async function runPolicyTests(options: PolicyTestOptions): Promise<PolicyTestRun> {
  const { files, clock, paths } = options;
  const startedAt = clock.monotonic();
  const clusters = createClusters(options.createCluster);
  const suites: SuiteRun[] = [];
  try {
    for (const path of paths) {
      const found = findSuiteFiles(files, path);
      if (found.length === 0)
        suites.push({ file: path, results: [], problem: `${path}: there are no suites here` });
      for (const file of found) suites.push(await runFile(file, options, clusters));
    }
  } finally {
    await clusters.close();
  }
  return { suites, durationMs: clock.monotonic() - startedAt };
}

async function runFile(
  file: string,
  options: PolicyTestOptions,
  clusters: Clusters,
): Promise<SuiteRun> {
  const { files, clock, filter } = options;
  const results: CaseResult[] = [];
  let suite: Suite | undefined;
  try {
    suite = selected(readSuite(files, file), options);
    const runner = { clusterOf: clusters.of, now: () => clock.monotonic() };
    if (filter !== undefined && suite.cases.length === 0) return { file, suite, results };
    for await (const result of runSuite(suite, runner)) {
      results.push(result);
      options.onResult?.(result);
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { file, results, problem: error.message, ...(suite && { suite }) };
  }
  return { file, suite, results };
}

function readSuite(files: SourceFiles, file: string): Suite {
  const isKyverno = kyvernoFileNames.some((name) => file === name || file.endsWith(`/${name}`));
  return isKyverno ? readKyvernoFile(files, file) : readSuiteFile(files, file);
}

function selected(suite: Suite, { releases = [], filter }: PolicyTestOptions): Suite {
  const [first = {}] = suite.clusters;
  const cases =
    filter === undefined
      ? suite.cases
      : suite.cases.filter(({ name }) => filter.test(`${suite.name}: ${name}`));
  if (releases.length === 0) return { ...suite, cases };
  return {
    ...suite,
    cases,
    clusters: releases.map((emulatedVersion) => ({ ...first, emulatedVersion })),
  };
}

interface Clusters {
  of(options: AdvisedClusterOptions): Promise<AdvisedCluster>;
  close(): Promise<void>;
}

/** One cluster for all suites that want the same. */
function createClusters(create: ClusterFactory): Clusters {
  const made = new Map<string, Promise<AdvisedCluster>>();
  return {
    of(options) {
      const key = JSON.stringify(options);
      const cluster = made.get(key) ?? create(options);
      made.set(key, cluster);
      return cluster;
    },
    async close() {
      const settled = await Promise.allSettled(made.values());
      for (const one of settled) if (one.status === 'fulfilled') await one.value.close();
    },
  };
}
