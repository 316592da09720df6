// The report as JUnit XML, which continuous integration shows. Suites are test suites, cases are
// test cases, a suite that cannot be run has one case with an error.

import { countOf, detailLines } from './report-text.ts';
import type { CaseResult } from './run-suite.ts';
import type { PolicyTestRun, SuiteRun } from './run-suites.ts';

export function formatJunitReport(run: PolicyTestRun): string {
  const { cases, failed, problems } = countOf(run.suites);
  const totals = {
    tests: cases,
    failures: failed,
    errors: problems,
    time: seconds(run.durationMs),
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'keelson test', ...totals })}>`,
    ...run.suites.flatMap(suiteLines),
    '</testsuites>',
    '',
  ].join('\n');
}

function suiteLines(one: SuiteRun): string[] {
  const { cases, failed, problems } = countOf([one]);
  const name = one.suite?.name ?? one.file;
  const time = seconds(one.results.reduce((sum, { durationMs }) => sum + durationMs, 0));
  const counts = { tests: cases, failures: failed, errors: problems, time };
  return [
    `  <testsuite${attributes({ name, file: one.file, ...counts })}>`,
    ...one.results.flatMap((result) => caseLines(name, result)),
    ...(one.problem === undefined ? [] : problemLines(name, one.problem)),
    '  </testsuite>',
  ];
}

function caseLines(suite: string, result: CaseResult): string[] {
  const { testCase, release, differences, durationMs } = result;
  const { file, line } = testCase.source;
  const classname = release === '' ? suite : `${suite} [${release}]`;
  const named = { name: testCase.name, classname, file, line, time: seconds(durationMs) };
  const [first] = differences;
  if (first === undefined) return [`    <testcase${attributes(named)}/>`];
  const message = `expected ${first.expected}, was ${first.actual}`;
  return [
    `    <testcase${attributes(named)}>`,
    `      <failure${attributes({ message })}>${escapeXml(detailLines(result).join('\n'))}</failure>`,
    '    </testcase>',
  ];
}

function problemLines(suite: string, problem: string): string[] {
  return [
    `    <testcase${attributes({ name: 'the suite can be run', classname: suite })}>`,
    `      <error${attributes({ message: problem })}/>`,
    '    </testcase>',
  ];
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([key, value]) => ` ${key}="${escapeXml(String(value)).replaceAll('\n', '&#10;')}"`)
    .join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** XML 1.0 has no control characters, not even escaped, and no lone surrogates. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
