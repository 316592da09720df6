// Reads one document of an extension server as the aggregator itself: bounded in time and size.

import type { Clock } from '@keelson/apimachinery';
import type { Features } from '../features/features.ts';
import { readWhole } from '../transport/answer-body.ts';
import { formatAddress } from '../transport/outbound.ts';
import type { Backend } from './backends.ts';
import { aggregatorUser, frontProxyHeaders } from './front-proxy-headers.ts';

export interface FetchedDocument {
  readonly status: number;
  readonly contentType: string;
  readonly etag: string;
  readonly bytes: Uint8Array;
}
export interface DocumentRequest {
  readonly path: string;
  readonly accept: string;
  /** Entity tag of the document that is known; the answer is 304 then. */
  readonly known?: string;
}

const timeoutMs = 5_000;
/** The largest documents are those of OpenAPI; Kubernetes' own has 4 MiB. */
const bytesMax = 32 * 1024 * 1024;

/** Rejects when there is no complete answer in time. */
export async function fetchDocument(
  { client, address }: Backend,
  request: DocumentRequest,
  { features, clock }: { readonly features: Features; readonly clock: Clock },
): Promise<FetchedDocument> {
  const timeout = new AbortController();
  const cancel = clock.after(timeoutMs, () => timeout.abort());
  try {
    const { message } = await client.call({
      protocol: 'https',
      address,
      method: 'GET',
      path: request.path,
      headers: {
        host: formatAddress(address),
        accept: request.accept,
        ...(request.known === undefined ? {} : { 'if-none-match': request.known }),
        ...frontProxyHeaders(aggregatorUser, features),
      },
      signal: timeout.signal,
    });
    return {
      status: message.statusCode ?? 0,
      contentType: message.headers['content-type'] ?? '',
      etag: message.headers.etag ?? '',
      bytes: await readWhole(message, bytesMax, request.path),
    };
  } finally {
    cancel();
  }
}
