// The report as JSON, for programs. Its members are described in docs/guides/policy-tests.md.

import { countOf } from './report-text.ts';
import type { PolicyTestRun } from './run-suites.ts';

export function formatJsonReport({ suites, durationMs }: PolicyTestRun): string {
  const report = {
    ...countOf(suites),
    durationMs: Math.round(durationMs),
    suites: suites.map(({ file, suite, results, problem }) => ({
      name: suite?.name ?? file,
      file,
      ...(problem === undefined ? {} : { problem }),
      results: results.map(({ testCase, release, subject, outcome, differences, ...rest }) => ({
        name: testCase.name,
        ...testCase.source,
        ...(release === '' ? {} : { release }),
        passed: differences.length === 0,
        durationMs: Math.round(rest.durationMs),
        object: subject,
        differences,
        outcome: {
          allowed: outcome.allowed,
          status: outcome.status,
          ...(outcome.allowed ? {} : { message: outcome.message, refusedBy: outcome.refusedBy }),
          warnings: outcome.warnings,
          policies: outcome.policies,
        },
      })),
    })),
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
