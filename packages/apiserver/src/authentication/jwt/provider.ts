// Discovery (OpenID Connect Discovery 1.0): the document of an issuer says where its keys are. It
// must name the very issuer that was asked for, or any host could speak for it.
//
// SECURITY: keys are fetched by https only, whatever the document says.

import { getOwn, parseJsonObject, quoteGo } from '@keelson/apimachinery';
import type { DocumentClient } from './document-client.ts';

export interface Provider {
  readonly keysUrl: string;
}

export interface ProviderAddress {
  readonly issuer: string;
  /** Where the document is; empty: below the issuer. */
  readonly discoveryUrl: string;
}

/** Rejects with the reason when the provider cannot be used. */
export async function discoverProvider(
  client: DocumentClient,
  { issuer, discoveryUrl }: ProviderAddress,
  signal: AbortSignal,
): Promise<Provider> {
  const wellKnown = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const url = discoveryUrl === '' ? wellKnown : discoveryUrl;
  const { status, body } = await client.get({ url, signal });
  if (status !== 200) throw new Error(`discovery of ${quoteGo(issuer)} failed: status ${status}`);
  const document = readDocument(body);
  const named = getOwn(document, 'issuer');
  if (named !== issuer) {
    const shown = quoteGo(typeof named === 'string' ? named : '');
    throw new Error(
      `oidc: issuer did not match the issuer returned by provider, expected ${quoteGo(issuer)} got ${shown}`,
    );
  }
  const keysUrl = getOwn(document, 'jwks_uri');
  if (typeof keysUrl !== 'string' || keysUrl === '')
    throw new Error('provider did not return JWKS URL');
  if (!URL.canParse(keysUrl) || new URL(keysUrl).protocol !== 'https:')
    throw new Error(`the JWKS URL ${quoteGo(keysUrl)} is not one of https`);
  return { keysUrl };
}

function readDocument(body: Uint8Array) {
  try {
    return parseJsonObject(body).value;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`oidc: failed to decode provider discovery object: ${why}`, { cause });
  }
}
