// Logs of containers: the options are checked, and the kubelet's answer is passed on as it comes.

import { fieldError, statusErrors, type FieldError, type StatusError } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../features/features.ts';
import { readStart } from '../../transport/answer-body.ts';
import { formatAddress, OutboundError, type OutboundAnswer } from '../../transport/outbound.ts';
import type { HandlerRequest } from '../handlers.ts';
import { plainError } from '../storage-errors.ts';
import { sendEmptyLog, sendLog } from './log-answer.ts';
import type { NodeConnections } from './node-connections.ts';
import { containerOf } from './pod-container.ts';
import { isGiven, queryTime } from './query-values.ts';

const streams = ['All', 'Stderr', 'Stdout'];

/** Throws the 400 or 422 that Kubernetes answers. */
export function checkLogOptions(query: URLSearchParams, name: string, features: Features): void {
  const errors: FieldError[] = [];
  const number = (field: string, min: number, text: string) => {
    const value = integer(query, field);
    if (value !== undefined && value < min) errors.push(fieldError.invalid(field, value, text));
  };
  const sinceSeconds = integer(query, 'sinceSeconds');
  const sinceTime = queryTime(query.get('sinceTime'));
  number('tailLines', 0, 'must be greater than or equal to 0');
  number('limitBytes', 1, 'must be greater than 0');
  if (sinceSeconds !== undefined && sinceTime !== undefined)
    errors.push(
      fieldError.forbidden('[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified'),
    );
  else number('sinceSeconds', 1, 'must be greater than 0');
  checkStream(query, features, errors);
  if (errors.length > 0)
    throw statusErrors.invalid({ group: '', kind: 'PodLogOptions' }, name, errors);
}

function checkStream(query: URLSearchParams, features: Features, errors: FieldError[]): void {
  const stream = query.get('stream');
  if (stream === null || stream === '') return;
  if (!features.enabled('PodLogsQuerySplitStreams')) {
    errors.push(fieldError.forbidden('stream', 'may not be specified'));
    return;
  }
  if (!streams.includes(stream)) errors.push(fieldError.notSupported('stream', stream, streams));
  if (stream !== 'All' && integer(query, 'tailLines') !== undefined)
    errors.push(
      fieldError.forbidden(
        '[]',
        '`tailLines` and specific `stream` are mutually exclusive for now',
      ),
    );
}

function integer(query: URLSearchParams, field: string): number | undefined {
  const value = query.get(field);
  if (value === null || value === '') return undefined;
  if (!/^[+-]?\d+$/.test(value))
    throw statusErrors.badRequest(
      `strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`,
    );
  const number = BigInt(value);
  if (number !== BigInt.asIntN(64, number))
    throw statusErrors.badRequest(
      `strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`,
    );
  return Number(number);
}

/** Options were checked. A pod without a node has no log yet, which is an empty answer. */
export async function answerLog(
  pod: Pod,
  request: HandlerRequest,
  nodes: NodeConnections,
): Promise<void> {
  const { context } = request;
  const container = containerOf(pod, context.info.query.get('container') ?? '');
  const nodeName = pod.spec?.nodeName ?? '';
  if (nodeName === '') return sendEmptyLog(context);
  const { client, address } = nodes.find(nodeName);
  const { namespace = '', name = '' } = pod.metadata;
  const path = `/containerLogs/${namespace}/${name}/${container}${logQuery(context.info.query)}`;
  const url = `https://${formatAddress(address)}${path}`;
  let answer: OutboundAnswer;
  try {
    answer = await client.call({
      protocol: 'https',
      address,
      method: 'GET',
      path,
      headers: { host: formatAddress(address) },
      signal: context.signal,
    });
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    throw plainError(`Get "${url}": ${error.message}`);
  }
  const { statusCode = 0, headers } = answer.message;
  if (statusCode >= 300 && statusCode <= 399 && headers.location !== undefined) {
    answer.message.destroy();
    throw plainError(`Get "${headers.location}": redirects forbidden`);
  }
  if (statusCode < 200 || statusCode > 206) throw await refusalOf(answer, name);
  await sendLog(context, answer.message as AsyncIterable<Uint8Array>);
}

function logQuery(query: URLSearchParams): string {
  const params = new URLSearchParams();
  for (const flag of ['follow', 'previous', 'timestamps'])
    if (isGiven(query, flag)) params.set(flag, 'true');
  for (const field of ['sinceSeconds', 'tailLines', 'limitBytes', 'stream']) {
    const value = query.get(field);
    if (value !== null && value !== '') params.set(field, value);
  }
  const sinceTime = queryTime(query.get('sinceTime'));
  if (sinceTime !== undefined) params.set('sinceTime', sinceTime);
  params.sort();
  return params.size === 0 ? '' : `?${params.toString()}`;
}

const refusalBytesMax = 50_000;

/** What the kubelet said, as kube-apiserver repeats it. */
async function refusalOf({ message }: OutboundAnswer, name: string): Promise<StatusError> {
  const text = await readStart(message, refusalBytesMax);
  const { statusCode = 500 } = message;
  if (statusCode === 500) return statusErrors.internalError(text);
  if (statusCode === 400) return statusErrors.badRequest(text);
  const details = {
    name,
    kind: 'pods/log',
    causes: [{ reason: 'UnexpectedServerResponse', message: text }],
  };
  if (statusCode === 404)
    return statusErrors.generic(
      404,
      'NotFound',
      `the server could not find the requested resource ( pods/log ${name})`,
      details,
    );
  return statusErrors.generic(
    statusCode,
    statusCode >= 500 ? 'InternalError' : '',
    `the server responded with the status code ${statusCode} but did not return more information ( pods/log ${name})`,
    details,
  );
}
