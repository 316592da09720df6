// One request to a server in this process, and everything that was decided about it: the answer,
// the warnings, the audit annotations, and the steps of the decision trace.

import { createDecisionTrace, encodeJson, parseJson, type JsonValue } from '@keelson/apimachinery';
import type { Decision, DecisionRequest } from '@keelson/advisor';
import { callInProcess, type ServeRequest } from '@keelson/apiserver';
import { toUser, type UserSpec } from './in-process-client.ts';

export async function decideInProcess(
  serve: ServeRequest,
  { method, path, user, body, contentType = 'application/json' }: DecisionRequest,
  administrator: UserSpec,
): Promise<Decision> {
  const trace = createDecisionTrace();
  const response = await callInProcess(serve, {
    method,
    url: path,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': contentType }),
    },
    ...(body === undefined ? {} : { body: encodeJson(body) }),
    user: toUser(user ?? administrator),
    trace,
  });
  const bytes = await response.bytes();
  const steps = trace.steps();
  return {
    status: response.status,
    body: isJson(response.headers.get('content-type'))
      ? (parseJson(bytes) as JsonValue)
      : undefined,
    warnings: warningsOf(response.headers.get('warning')),
    auditAnnotations: annotationsOf(steps),
    steps: steps.filter(({ stage }) => stage !== 'audit'),
  };
}

function isJson(contentType: string | readonly string[] | undefined): boolean {
  return typeof contentType === 'string' && contentType.startsWith('application/json');
}

/** `299 - "text"`, where quotes and backslashes of the text have a backslash. */
function warningsOf(header: string | readonly string[] | undefined): string[] {
  const lines = header === undefined ? [] : typeof header === 'string' ? [header] : header;
  return lines.map((line) =>
    line.replace(/^\d+ \S+ "(.*)"$/s, '$1').replaceAll(/\\(["\\])/g, '$1'),
  );
}

function annotationsOf(steps: Decision['steps']): Record<string, string> {
  return Object.fromEntries(
    steps
      .filter(({ stage }) => stage === 'audit')
      .map(({ detail }) => [String(detail?.['key']), String(detail?.['value'])]),
  );
}
