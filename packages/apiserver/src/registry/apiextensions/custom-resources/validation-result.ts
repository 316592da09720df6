// What a schema says about a value: findings, and how many checks passed, by which the best of
// several failed alternatives is chosen.

import type { FieldError } from '@keelson/apimachinery';

export interface Finding {
  /** The text by which findings are told apart; a second one with the same text is dropped. */
  readonly text: string;
  /** The error when the validated value stands at `path` in its object. */
  toError(path: string): FieldError;
}

export interface Result {
  readonly findings: Finding[];
  matches: number;
  add(finding: Finding): void;
  merge(other: Result): void;
}

export function createResult(findings: Finding[] = [], matches = 0): Result {
  const result: Result = {
    findings,
    matches,
    add(finding) {
      if (findings.some((known) => known.text === finding.text)) return;
      findings.push(finding);
    },
    merge(other) {
      for (const finding of other.findings) result.add(finding);
      result.matches += other.matches;
    },
  };
  return result;
}
