// Runs the cases of a suite. For each of its clusters what is there is created once, then the
// policies; a case starts from a fork of that. Where a case left nothing behind (the revision has
// not moved) the next one takes its place. What a case says is there before is created before the
// policies, which may not allow it.

import type { AdvisedCluster, AdvisedClusterOptions } from '../cluster.ts';
import { requestOf } from './case-request.ts';
import { createFixtures } from '../fixtures/create-fixtures.ts';
import { missingNamespaces } from './missing-namespaces.ts';
import { differencesOf, type Difference } from './judge.ts';
import { identityOf, namespaceOf, showIdentity } from '../sources/object-names.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import { createResourcePaths, type ResourcePaths } from '../fixtures/resource-paths.ts';
import type { SourcedObject } from '../sources/source.ts';
import type { Suite, TestCase } from './suite.ts';

export interface CaseResult {
  readonly suite: Suite;
  /** `1.30`; empty for the newest. */
  readonly release: string;
  readonly testCase: TestCase;
  /** `Deployment shop/web`. */
  readonly subject: string;
  readonly outcome: Outcome;
  /** Empty when everything is as expected. */
  readonly differences: readonly Difference[];
  readonly durationMs: number;
}

export interface SuiteRunner {
  /** A cluster without objects; the runner forks it and leaves it as it is. */
  clusterOf(options: AdvisedClusterOptions): Promise<AdvisedCluster>;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
}

/** Throws SourceError when the suite cannot be run. */
export async function* runSuite(suite: Suite, runner: SuiteRunner): AsyncGenerator<CaseResult> {
  for (const options of suite.clusters) {
    const empty = await runner.clusterOf(options);
    await using before = disposable(await empty.fork());
    const paths = createResourcePaths();
    const stage: Stage = { suite, paths, before: before.cluster };
    await create(stage, before.cluster, [...missingNamespaces(suite), ...suite.objects]);
    await using ready = disposable(await before.cluster.fork());
    await create(stage, ready.cluster, suite.policies);
    await using fork = createReusedFork(ready.cluster);
    for (const testCase of suite.cases) {
      const startedAt = runner.now();
      const outcome = await runCase(testCase, stage, fork);
      const subject = testCase.object ?? testCase.oldObject;
      yield {
        suite,
        release: options.emulatedVersion ?? '',
        testCase,
        subject: subject === undefined ? '' : showSubject(subject, testCase),
        outcome,
        differences: differencesOf(testCase.expect, outcome),
        durationMs: runner.now() - startedAt,
      };
    }
  }
}

function showSubject({ object }: SourcedObject, { namespace }: TestCase): string {
  const { kind, name } = identityOf(object);
  return showIdentity({ apiVersion: '', kind, namespace: namespaceOf(object, namespace), name });
}

interface Stage {
  readonly suite: Suite;
  readonly paths: ResourcePaths;
  /** With all objects, without policies. */
  readonly before: AdvisedCluster;
}

function create(
  { paths }: Stage,
  cluster: AdvisedCluster,
  objects: readonly SourcedObject[],
  namespace = 'default',
): Promise<void> {
  return createFixtures({ cluster, paths, namespace }, objects);
}

async function runCase(testCase: TestCase, stage: Stage, fork: ReusedFork): Promise<Outcome> {
  const { given, oldObject, namespace } = testCase;
  const existing = oldObject === undefined ? given : [...given, oldObject];
  const ask = async (cluster: AdvisedCluster) => {
    const request = await requestOf(testCase, cluster, stage.paths);
    return outcomeOf(await cluster.decide(request), testCase.operation);
  };
  if (existing.length === 0) return ask(await fork.take());
  await using own = disposable(await stage.before.fork());
  await create(stage, own.cluster, existing, namespace);
  await create(stage, own.cluster, stage.suite.policies);
  return await ask(own.cluster);
}

interface ReusedFork extends AsyncDisposable {
  /** A cluster that is as the original; taken until the next call. */
  take(): Promise<AdvisedCluster>;
}

function createReusedFork(original: AdvisedCluster): ReusedFork {
  let fork: AdvisedCluster | undefined;
  let revision = 0;
  return {
    async take() {
      if (fork === undefined || fork.revision() !== revision) {
        await fork?.close();
        fork = await original.fork();
        revision = fork.revision();
      }
      return fork;
    },
    [Symbol.asyncDispose]: async () => fork?.close(),
  };
}

function disposable(cluster: AdvisedCluster) {
  return { cluster, [Symbol.asyncDispose]: () => cluster.close() };
}
