// Fetches small documents by https: what an identity provider publishes. As every connection to
// others: certificates are verified, no redirect is followed, forbidden addresses are not connected
// to, and an answer has bounds in size and time.

import type { Clock } from '@keelson/apimachinery';
import type { DocumentClient, OpenDocumentClient } from '../authentication/jwt/document-client.ts';
import { readWhole } from './answer-body.ts';
import { addressOfUrl, createOutboundClient, OutboundError } from './outbound.ts';

// COMPAT: kube-apiserver gives a provider as long.
const timeoutMs = 30_000;
// Discovery documents and key sets have some kilobytes, a token of claims some dozens.
const documentBytesMax = 1024 * 1024;

export function documentClients(clock: Clock): OpenDocumentClient {
  return (authoritiesPem) => createDocumentClient(clock, authoritiesPem);
}

function createDocumentClient(clock: Clock, authoritiesPem: string | undefined): DocumentClient {
  const tls = authoritiesPem === undefined ? {} : { ca: authoritiesPem };
  const outbound = createOutboundClient({ clock, tls });
  return {
    async get({ url, bearerToken, signal }) {
      const parsed = new URL(url);
      const { protocol, host, pathname, search, username } = parsed;
      if (protocol !== 'https:') throw new OutboundError(`${url} is not a URL of https`, undefined);
      if (username !== '') throw new OutboundError('a URL with a user name is refused', undefined);
      const deadline = new AbortController();
      const cancel = clock.after(timeoutMs, () => deadline.abort());
      try {
        const { message } = await outbound.call({
          protocol: 'https',
          address: addressOfUrl(parsed),
          method: 'GET',
          path: `${pathname}${search}`,
          headers: {
            host,
            accept: 'application/json, */*',
            ...(bearerToken === undefined ? {} : { authorization: `Bearer ${bearerToken}` }),
          },
          signal: AbortSignal.any([deadline.signal, signal]),
        });
        return {
          status: message.statusCode ?? 0,
          body: await readWhole(message, documentBytesMax, 'the document'),
        };
      } catch (cause) {
        const why = deadline.signal.aborted ? 'context deadline exceeded' : messageOf(cause);
        throw new OutboundError(`Get ${JSON.stringify(url)}: ${why}`, cause);
      } finally {
        cancel();
      }
    },
    close: () => outbound.close(),
  };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
