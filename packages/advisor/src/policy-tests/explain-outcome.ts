// Why a cluster decided as it did, in lines for people: each policy that matters, its binding, the
// object, the expression that decided, and the values that made it so.

import type { DecidedPart, Outcome, OutcomeExpression, PolicyOutcome } from './outcome.ts';
import type { CaseResult } from './run-suite.ts';

/** Indented by two spaces for each level. */
export function explainOutcome({ testCase, outcome, subject }: CaseResult): string[] {
  const { policies, notAsked, found } = testCase.expect;
  const named = new Set([...policies, ...notAsked, ...found]);
  const about = outcome.policies.filter(
    ({ policy, result, findings }) =>
      named.has(policy) || result === 'refused' || findings.length > 0,
  );
  // Where nothing stands out, what was asked does.
  const shown = about.length > 0 ? about : outcome.policies;
  return [
    ...[...named]
      .filter((policy) => outcome.policies.every((one) => one.policy !== policy))
      .map(
        (policy) => `policy ${policy} was not asked: it has no binding that is about this request`,
      ),
    ...shown.flatMap((one) => explainPolicy(one, subject)),
    ...(shown.length === 0 ? explainOthers(outcome) : []),
  ];
}

function explainOthers({ refusedBy, message }: Outcome): string[] {
  return refusedBy.length === 0 ? ['no policy was asked'] : [`${refusedBy.join(', ')}: ${message}`];
}

function explainPolicy(one: PolicyOutcome, subject: string): string[] {
  const deciding = decidingExpressions(one);
  return [
    `policy ${one.policy}, binding ${one.binding}${one.params && `, params ${one.params}`}: ${one.result}`,
    `  object ${subject}`,
    ...one.findings.map((finding) => `  message ${finding}`),
    ...deciding.flatMap(explainExpression),
  ];
}

/** Of a policy that found something its false rules; of one that did not, all of them. */
function decidingExpressions({
  expressions,
  findings,
  result,
}: PolicyOutcome): OutcomeExpression[] {
  const failing = (one: OutcomeExpression) =>
    one.value === 'false' || one.value.startsWith('error');
  if (findings.length === 0 && result === 'allowed') return [...expressions];
  // Variables follow the expression that used them.
  let isShown = false;
  return expressions.filter((one) => {
    if (one.value !== '') isShown = failing(one);
    return isShown;
  });
}

function explainExpression({ field, expression, value, decided }: OutcomeExpression): string[] {
  const result = value === '' ? '' : ` = ${value}`;
  return [
    `  expression ${field}: ${oneLine(expression)}${result}`,
    ...decided.map((part) => `    ${showPart(part)}`),
  ];
}

function showPart({ text, value, line, column }: DecidedPart): string {
  return `${text} = ${value}  (${line}:${column + 1})`;
}

function oneLine(expression: string): string {
  return expression.trim().replaceAll(/\s+/g, ' ');
}
