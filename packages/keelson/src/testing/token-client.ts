// What tests do with tokens: ask for one, and call a listening cluster with it as anybody would,
// over TLS and with nothing but the token.

import { request as httpsRequest } from 'node:https';
import { isJsonObject, type JsonObject, type KubeObject } from '@keelson/apimachinery';
import type { Client } from '@keelson/client';
import type { ClusterAddress } from '../create-cluster.ts';
import { core } from './simulated-cluster.ts';

/** The answer to a TokenRequest. Rejects with StatusError. */
export async function requestToken(
  client: Client,
  account: string,
  spec: object = {},
  metadata: object = {},
): Promise<KubeObject & { readonly status: IssuedStatus }> {
  const [namespace = 'default', name = ''] = account.split('/');
  const answer = await client
    .resource(core('serviceaccounts'))
    .namespace(namespace)
    .create(
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata,
        spec,
      } as KubeObject,
      { name, subresource: 'token' },
    );
  return answer as KubeObject & { readonly status: IssuedStatus };
}

export interface IssuedStatus {
  readonly token: string;
  readonly expirationTimestamp: string;
}

/** A part of a token, unverified. */
export function readPart(token: string, index: 0 | 1): JsonObject {
  const part = token.split('.')[index] ?? '';
  const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
  if (!isJsonObject(value)) throw new Error('the token is none');
  return value;
}

/** `status` of a TokenReview. */
export async function reviewToken(
  client: Client,
  token: string,
  audiences: readonly string[] = [],
): Promise<JsonObject> {
  const review = await client
    .resource({ group: 'authentication.k8s.io', version: 'v1', resource: 'tokenreviews' })
    .create({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token, audiences: [...audiences] },
    });
  const status = review['status'];
  return isJsonObject(status) ? status : {};
}

export interface TokenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** GET with a bearer token; without one, anonymously. */
export function getWithToken(
  { url, kubeconfig }: ClusterAddress,
  path: string,
  token?: string,
): Promise<TokenAnswer> {
  const [, authority = ''] =
    /certificate-authority-data: ['"]?(?:>-\s*)?([\w+/=\s]+)/.exec(kubeconfig) ?? [];
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(
      new URL(path, url),
      { ca: Buffer.from(authority, 'base64'), headers, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}
