// Compares what a cluster did with what a case expects. Each difference is a sentence; what nobody
// expects anything of is not looked at.

import { isJsonObject, jsonEqual, type JsonObject, type JsonValue } from '@keelson/apimachinery';
import type { Outcome, PolicyOutcome } from './outcome.ts';
import type { Expectation, TextExpectation } from './suite.ts';

export interface Difference {
  readonly expected: string;
  readonly actual: string;
}

export function differencesOf(expect: Expectation, outcome: Outcome): Difference[] {
  return [
    ...verdict(expect, outcome),
    ...policies(expect, outcome),
    ...answer(expect, outcome),
    ...besides(expect, outcome),
    ...(expect.object === undefined ? [] : members(expect.object, outcome.object, 'object')),
  ];
}

const quoted = (text: string): string => JSON.stringify(text);

function verdict({ allowed }: Expectation, outcome: Outcome): Difference[] {
  if (allowed === undefined || allowed === outcome.allowed) return [];
  const refusal = `refused by ${outcome.refusedBy.join(', ')} (${outcome.status}): ${outcome.message}`;
  return allowed
    ? [{ expected: 'allowed', actual: refusal }]
    : [{ expected: 'refused', actual: 'allowed' }];
}

function policies(expect: Expectation, { policies: asked, allowed }: Outcome): Difference[] {
  const differences: Difference[] = [];
  const add = (expected: string, actual: string) => differences.push({ expected, actual });
  const wanted = expect.allowed === false ? 'refused' : 'allowed';
  for (const policy of expect.policies) {
    const own = asked.filter((one) => one.policy === policy);
    const results = own.filter(({ binding }) => isBinding(expect, binding)).map((o) => o.result);
    if (results.includes(wanted)) continue;
    add(`${wanted} by policy ${policy}${bindingText(expect)}`, resultText(own, allowed));
  }
  for (const policy of expect.notAsked) {
    const own = asked.filter((one) => one.policy === policy && one.result !== 'not asked');
    if (own.length > 0) add(`policy ${policy} not asked`, resultText(own, allowed));
  }
  for (const policy of expect.found) {
    const own = asked.filter((one) => one.policy === policy);
    if (own.some(({ findings }) => findings.length > 0)) continue;
    add(
      `policy ${policy} finds something`,
      own.length === 0 ? 'it was not asked' : 'it finds nothing',
    );
  }
  return differences;
}

function isBinding({ binding }: Expectation, actual: string): boolean {
  return binding === undefined || binding === actual;
}

function bindingText({ binding }: Expectation): string {
  return binding === undefined ? '' : ` with binding ${binding}`;
}

function resultText(asked: readonly PolicyOutcome[], allowed: boolean): string {
  if (asked.length === 0)
    return `it was not asked; the request was ${allowed ? 'allowed' : 'refused'}`;
  return asked.map(({ binding, result }) => `${result} (binding ${binding})`).join(', ');
}

function answer(expect: Expectation, outcome: Outcome): Difference[] {
  const differences: Difference[] = [];
  const add = (expected: string, actual: string) => differences.push({ expected, actual });
  const { plugin, status, reason, message } = expect;
  if (plugin !== undefined && !outcome.refusedBy.includes(plugin))
    add(`refused by ${plugin}`, outcome.refusedBy.join(', ') || 'allowed');
  if (status !== undefined && status !== outcome.status)
    add(`status ${status}`, `status ${outcome.status}`);
  if (reason !== undefined && reason !== outcome.reason)
    add(`reason ${reason}`, `reason ${outcome.reason || 'none'}`);
  if (message !== undefined && !holds(message, outcome.message))
    add(`message ${describeText(message)}`, `message ${quoted(outcome.message)}`);
  return differences;
}

/** What is said besides the answer: warnings, and annotations of the audit event. */
function besides({ warnings, auditAnnotations }: Expectation, outcome: Outcome): Difference[] {
  const differences: Difference[] = [];
  const shown = outcome.warnings.map(quoted).join(', ') || 'none';
  if (warnings?.length === 0 && outcome.warnings.length > 0)
    differences.push({ expected: 'no warnings', actual: shown });
  for (const text of warnings ?? []) {
    if (outcome.warnings.some((warning) => holds(text, warning))) continue;
    differences.push({ expected: `a warning ${describeText(text)}`, actual: shown });
  }
  for (const [key, text] of Object.entries(auditAnnotations)) {
    const value = outcome.auditAnnotations[key];
    if (value !== undefined && holds(text, value)) continue;
    const expected = `audit annotation ${key} ${describeText(text)}`;
    differences.push({ expected, actual: value === undefined ? 'none' : quoted(value) });
  }
  return differences;
}

function holds(expected: TextExpectation, text: string): boolean {
  if ('equals' in expected) return text === expected.equals;
  return 'contains' in expected ? text.includes(expected.contains) : expected.matches.test(text);
}

function describeText(expected: TextExpectation): string {
  if ('equals' in expected) return quoted(expected.equals);
  if ('contains' in expected) return `with ${quoted(expected.contains)}`;
  return `that matches /${expected.matches.source}/`;
}

/** Members that are expected; lists must be as long, `null` means that a member is not there. */
function members(expected: JsonValue, actual: JsonValue | undefined, path: string): Difference[] {
  if (expected === null && actual === undefined) return [];
  if (isJsonObject(expected) && isJsonObject(actual))
    return Object.entries(expected).flatMap(([key, value]) =>
      members(value ?? null, ownMember(actual, key), `${path}.${key}`),
    );
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length)
    return expected.flatMap((value, i) => members(value, actual[i], `${path}[${i}]`));
  if (actual !== undefined && jsonEqual(expected, actual)) return [];
  return [
    { expected: `${path}: ${JSON.stringify(expected)}`, actual: JSON.stringify(actual) ?? 'none' },
  ];
}

function ownMember(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
