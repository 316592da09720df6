// Is an answer one that a Kubernetes API server may give? 2xx, a well-formed `Status` whose code is
// that of the answer, or one of the few plain texts; a 500 only where Kubernetes has the same.

import { decodeProtobuf, isJsonObject, parseYaml, type JsonObject } from '@keelson/apimachinery';
import type { Answer } from './connection.ts';
import type { FuzzRequest } from './requests.ts';

/** COMPAT: what kube-apiserver answers with 500 although the client is at fault. */
const knownInternalErrors = [
  // The name of a component status.
  /^Component not found: /,
  // ServerSideApply: the object of the patch, or the live one, does not fit the schema.
  /^failed to create typed (patch|live|new) object[ :]/,
  /^failed to convert new object to proper version: /,
  /^resourceVersion: Invalid value: /,
  // The node proxy of a node without addresses.
  /^no preferred addresses found; known addresses: /,
  // ValidatePodBinding's errors are not made a Status.
  /^\[?target\./,
  /^resourceVersion should not be set on objects to be created$/,
  // The resourceVersion of an object to be updated.
  /^strconv\.ParseUint: parsing /,
  /failed to allocate requested HealthCheck NodePort /,
  // Strategic merge patches whose fields or directives do not fit.
  /^unable to find api field in struct /,
  /^map: map\[.*\] does not contain declared merge key: /,
  /^unknown patch type: |^invalid patch format of /,
];

/** What is wrong with the answer; undefined when nothing is. */
export function problemOf(request: FuzzRequest, answer: Answer | undefined): string | undefined {
  if (answer === undefined)
    return request.malformedHttp ? undefined : 'the connection was closed without an answer';
  const { status } = answer;
  if (Number.isNaN(status)) return 'the status line is malformed';
  if (status >= 200 && status < 400) return successProblem(answer);
  if (request.method === 'HEAD') return status >= 500 ? `HEAD answered ${status}` : undefined;
  if (isPlainText(request, answer)) return undefined;
  const body = statusOf(answer);
  if (typeof body === 'string') return `${status}: ${body}`;
  return statusProblem(answer, body);
}

function successProblem(answer: Answer): string | undefined {
  if (
    answer.headers.get('content-type') !== 'application/json' ||
    answer.cut ||
    answer.body.length === 0
  )
    return undefined;
  try {
    JSON.parse(answer.body.toString('utf8'));
    return undefined;
  } catch (error) {
    // Watches are documents in a row.
    if (answer.headers.get('transfer-encoding') === 'chunked') return undefined;
    return `the JSON of a ${answer.status} does not parse: ${String(error)}`;
  }
}

/** Answers of the transport's parser, and the health and not-found texts. */
function isPlainText(request: FuzzRequest, answer: Answer): boolean {
  const { status } = answer;
  const type = answer.headers.get('content-type') ?? '';
  if (
    type === '' &&
    answer.body.length === 0 &&
    answer.closed &&
    [400, 408, 413, 417, 431, 501, 505].includes(status)
  )
    return true;
  // kube-openapi answers an unknown group version without a body.
  if (status === 404 && type === '' && request.target.startsWith('/openapi/v3/')) return true;
  if (status === 417 && request.malformedHttp) return true;
  if (!type.startsWith('text/plain')) return false;
  // Flow control refuses before there is anything that could negotiate a form.
  if (status === 429) return answer.headers.has('retry-after');
  if (/^\/+(livez|readyz|healthz)/.test(request.target))
    return status === 404 || status === 405 || status === 500;
  return status === 404 || status === 405 || status === 400;
}

function statusOf(answer: Answer): JsonObject | string {
  const type = answer.headers.get('content-type') ?? '';
  try {
    if (type === 'application/json') {
      const value: unknown = JSON.parse(answer.body.toString('utf8'));
      return isJsonObject(value) ? value : 'the body is no object';
    }
    if (type === 'application/yaml') {
      const { value } = parseYaml(answer.body);
      return isJsonObject(value) ? value : 'the body is no object';
    }
    if (type === 'application/vnd.kubernetes.protobuf')
      return decodeProtobuf(answer.body).object as unknown as JsonObject;
    return `an error of content type ${JSON.stringify(type)}: ${answer.body.toString('utf8').slice(0, 200)}`;
  } catch (error) {
    return `the body does not parse: ${String(error)}: ${answer.body.toString('utf8').slice(0, 200)}`;
  }
}

function statusProblem(answer: Answer, body: JsonObject): string | undefined {
  const shown = () => `${String(body['message'])} — ${JSON.stringify(body).slice(0, 300)}`;
  if (body['kind'] !== 'Status' || body['apiVersion'] !== 'v1')
    return `${answer.status} without a Status: ${shown()}`;
  if (body['code'] !== answer.status)
    return `the Status says ${String(body['code'])}, the answer ${answer.status}: ${shown()}`;
  if (body['status'] !== 'Failure')
    return `${answer.status} with the status ${String(body['status'])}: ${shown()}`;
  const message = typeof body['message'] === 'string' ? body['message'] : '';
  if (message.includes('unexpected failure')) return `a bug: ${shown()}`;
  if (answer.status === 504 && /^Timeout: |allotted timeout/.test(message)) return undefined;
  if (answer.status === 503 && message !== '') return undefined;
  if (answer.status >= 500 && !knownInternalErrors.some((known) => known.test(message)))
    return `an unknown internal error: ${shown()}`;
  return undefined;
}
