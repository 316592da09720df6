// The report for people: a line for each suite, and whatever is not as expected with its reasons.

import { explainOutcome } from './explain-outcome.ts';
import type { CaseResult } from './run-suite.ts';
import type { PolicyTestRun, SuiteRun } from './run-suites.ts';

export interface TextReportOptions {
  /** Every case has a line. */
  readonly verbose?: boolean;
}

export function formatTextReport(run: PolicyTestRun, options: TextReportOptions = {}): string {
  const lines = run.suites.flatMap((suite) => suiteLines(suite, options));
  return [...lines, '', summaryOf(run), ''].join('\n');
}

function suiteLines({ file, suite, results, problem }: SuiteRun, options: TextReportOptions) {
  const failed = results.filter(({ differences }) => differences.length > 0);
  const passed = results.length - failed.length;
  const mark = problem !== undefined ? '!' : failed.length > 0 ? '✗' : '✓';
  const shown = options.verbose === true ? results : failed;
  return [
    `${mark} ${suite?.name ?? file}  ${passed} of ${results.length}${releasesOf(results)}`,
    ...shown.flatMap((result) => caseLines(result)),
    ...(problem === undefined ? [] : [`    cannot be run: ${problem}`]),
  ];
}

function releasesOf(results: readonly CaseResult[]): string {
  const releases = new Set(results.map(({ release }) => release).filter((name) => name !== ''));
  return releases.size === 0 ? '' : ` (Kubernetes ${[...releases].join(', ')})`;
}

function caseLines(result: CaseResult): string[] {
  const { testCase, release, differences } = result;
  const { file, line } = testCase.source;
  const where = release === '' ? '' : ` [${release}]`;
  if (differences.length === 0) return [`    ✓ ${testCase.name}${where}`];
  return [
    `    ✗ ${testCase.name}${where}  ${file}:${line}`,
    ...detailLines(result).map((text) => `        ${text.replaceAll('\n', '\n          ')}`),
  ];
}

/** What is different and why: also the text of other reports. */
export function detailLines(result: CaseResult): string[] {
  return [
    ...result.differences.flatMap(({ expected, actual }) => [
      `expected ${expected}`,
      `was      ${actual}`,
    ]),
    ...explainOutcome(result),
  ];
}

function summaryOf({ suites, durationMs }: PolicyTestRun): string {
  const { cases, failed, problems } = countOf(suites);
  const parts = [
    `${suites.length} ${suites.length === 1 ? 'suite' : 'suites'}`,
    `${cases - failed} of ${cases} cases passed`,
    ...(problems > 0 ? [`${problems} could not be run`] : []),
  ];
  return `${parts.join(', ')} in ${(durationMs / 1000).toFixed(1)} s`;
}

export function countOf(suites: readonly SuiteRun[]) {
  const results = suites.flatMap((one) => one.results);
  return {
    cases: results.length,
    failed: results.filter(({ differences }) => differences.length > 0).length,
    problems: suites.filter(({ problem }) => problem !== undefined).length,
  };
}
