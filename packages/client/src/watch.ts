// One watch: an HTTP answer cut into events, and the loop that connects again when it ends.

import {
  asKubeObject,
  isJsonObject,
  sleep,
  StatusError,
  type Clock,
  type KubeObject,
  type Random,
} from '@keelson/apimachinery';
import { createBackoff } from './backoff.ts';
import { decodeJsonBody, isStatus } from './json-body.ts';
import type { ClientLimits } from './limits.ts';
import type { ApiCall, Requester } from './requester.ts';
import { defined, selectionQuery, type Query, type WatchOptions } from './resource-options.ts';
import { TransportError } from './transport.ts';

export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Only `metadata.resourceVersion` and its annotations mean something. */
  | { readonly type: 'BOOKMARK'; readonly object: KubeObject };

export interface WatchDependencies {
  readonly requester: Requester;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: ClientLimits;
}

const initialEventsEnd = 'k8s.io/initial-events-end';

/** The bookmark that follows the objects which were there when the watch began. */
export function endsInitialEvents(event: WatchEvent): boolean {
  return (
    event.type === 'BOOKMARK' && event.object.metadata.annotations?.[initialEventsEnd] === 'true'
  );
}

/**
 * Events until the signal is aborted (then it throws the signal's reason), the server refuses
 * (StatusError) or, when there is nothing to resume from, the connection ends.
 */
export async function* watchResource<T extends KubeObject>(
  dependencies: WatchDependencies,
  call: Pick<ApiCall, 'path' | 'headers'>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { clock, random } = dependencies;
  const backoff = createBackoff({ random, initialMs: 200, maxMs: 30_000 });
  const given = options.resourceVersion ?? '';
  let revision = given === '0' || options.sendInitialEvents === true ? '' : given;
  let query = firstQuery(options);
  for (;;) {
    let progress = false;
    try {
      for await (const event of watchOnce<T>(dependencies, call, query, options.signal)) {
        progress = true;
        const seen = event.object.metadata.resourceVersion ?? '';
        if (revision !== '' || event.type === 'BOOKMARK') revision = seen;
        yield event;
      }
    } catch (error) {
      if (!isInterruption(error) || revision === '' || options.resume === false) throw error;
    }
    if (revision === '' || options.resume === false) return;
    query = resumeQuery(options, revision);
    if (progress) backoff.reset();
    await sleep(clock, backoff.nextMs(), options.signal);
  }
}

/** What another connection may cure. */
function isInterruption(error: unknown): boolean {
  if (!(error instanceof TransportError)) return false;
  return error.code !== 'closed' && error.code !== 'too-large';
}

function firstQuery(options: WatchOptions): Query {
  const { resourceVersion, sendInitialEvents } = options;
  return [
    ...resumeQuery(options, resourceVersion),
    ...(sendInitialEvents === undefined
      ? []
      : defined([
          ['sendInitialEvents', sendInitialEvents],
          ['resourceVersionMatch', 'NotOlderThan'],
        ])),
  ];
}

function resumeQuery(options: WatchOptions, resourceVersion: string | undefined): Query {
  return [
    ...selectionQuery(options),
    ...defined([
      ['watch', 'true'],
      ['allowWatchBookmarks', 'true'],
      ['resourceVersion', resourceVersion],
      ['timeoutSeconds', options.timeoutSeconds],
    ]),
  ];
}

async function* watchOnce<T extends KubeObject>(
  { requester, limits }: WatchDependencies,
  call: Pick<ApiCall, 'path' | 'headers'>,
  query: Query,
  signal: AbortSignal | undefined,
): AsyncGenerator<WatchEvent<T>> {
  const response = await requester.open({
    ...call,
    method: 'GET',
    query,
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const line of linesOf(response.chunks(), limits.watchEventBytesMax))
    yield decodeEvent<T>(line);
}

/** Throws the StatusError that an ERROR event carries. */
function decodeEvent<T extends KubeObject>(line: Uint8Array): WatchEvent<T> {
  const event = decodeJsonBody(line);
  if (!isJsonObject(event) || !isJsonObject(event['object']))
    throw new TransportError('broken', 'the server sent an event that is none');
  const { type, object } = event;
  if (isStatus(object) && type === 'ERROR') throw new StatusError(object);
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED' && type !== 'BOOKMARK')
    throw new TransportError('broken', `the server sent an event of type ${JSON.stringify(type)}`);
  return { type, object: asKubeObject(object) as T };
}

const lineFeed = 0x0a;

/** Splits at line feeds; what remains at the end without one was cut off and is dropped. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(lineFeed, start);
      const part = chunk.subarray(start, end < 0 ? chunk.length : end);
      size += part.length;
      if (size > lineBytesMax)
        throw new TransportError('too-large', `an event is larger than ${lineBytesMax} bytes`);
      if (end < 0) {
        if (part.length > 0) parts.push(part);
        break;
      }
      const line = parts.length === 0 ? part : Buffer.concat([...parts, part]);
      parts = [];
      size = 0;
      start = end + 1;
      if (line.length > 0) yield line;
    }
  }
}
