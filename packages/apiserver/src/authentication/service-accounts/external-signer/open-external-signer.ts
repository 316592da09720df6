// Opens an external signer when the server starts: waits for its socket and its first keys, asks
// how long tokens may live, and keeps the keys fresh from then on. What fails here ends the start.

import type { Clock } from '@keelson/apimachinery';
import type { Metrics } from '../../../metrics.ts';
import { createSignatureVerifier } from '../json-web-token.ts';
import type { TokenKeys } from '../token-keys.ts';
import type { TokenSigner } from '../token-signer.ts';
import { createExternalTokenSigner } from './external-token-signer.ts';
import { createExternalKeyCache } from './key-cache.ts';
import { createSignerClient, type SignerClient } from './signer-client.ts';
import { createSignerMetrics } from './signer-metrics.ts';
import type { SignerVersion } from './signer-service.ts';

export interface ExternalSigner {
  readonly signer: TokenSigner;
  readonly keys: TokenKeys;
  /** How long its tokens may live. */
  readonly expirationSecondsMax: number;
}

export interface ExternalSignerOptions {
  /** `--service-account-signing-endpoint` */
  readonly endpoint: string;
  readonly version: SignerVersion;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Told when keys could not be refreshed. */
  readonly onError: (error: unknown) => void;
  /** Ends the refreshing and the connection. */
  readonly signal: AbortSignal;
  /** How long the start waits for the first keys; a minute unless said otherwise. */
  readonly firstKeysTimeoutMs?: number;
}

/** Why the server cannot start with this signer. */
export class ExternalSignerError extends Error {
  constructor(message: string, cause?: unknown) {
    super(`while setting up external-jwt-signer: ${message}`, { cause });
    this.name = 'ExternalSignerError';
  }
}

const firstKeysMs = 60_000;
const metadataTimeoutMs = 10_000;
const expirationSecondsMin = 600;

/** Rejects with ExternalSignerError. */
export async function openExternalSigner(options: ExternalSignerOptions): Promise<ExternalSigner> {
  const { endpoint, version, clock, onError, signal } = options;
  const metrics = createSignerMetrics(options.metrics);
  const client = await createSignerClient({ endpoint, version, clock, metrics });
  signal.addEventListener('abort', () => client.close(), { once: true });
  try {
    const keys = createExternalKeyCache({ client, clock, metrics, onError });
    await keys.refresh(options.firstKeysTimeoutMs ?? firstKeysMs).catch((cause: unknown) => {
      throw new ExternalSignerError(`${firstFill}: ${textOf(cause)}`, cause);
    });
    const expirationSecondsMax = await maxExpiration(client);
    void keys.keepFresh(signal);
    const verifier = createSignatureVerifier();
    const signer = createExternalTokenSigner({ client, keys, verifier });
    return { signer, keys, expirationSecondsMax };
  } catch (error) {
    client.close();
    throw error;
  }
}

// COMPAT: kube-apiserver's layers each add their part.
const firstFill =
  'while initially filling key cache: while performing initial cache fill: while fetching token verification keys';

async function maxExpiration(client: SignerClient): Promise<number> {
  let seconds: number;
  try {
    seconds = await client.maxTokenExpirationSeconds(metadataTimeoutMs);
  } catch (cause) {
    throw new ExternalSignerError(`while fetching metadata: ${textOf(cause)}`, cause);
  }
  if (seconds < expirationSecondsMin)
    throw new ExternalSignerError(
      `max token life supported by external-jwt-signer (${seconds}s) is less than acceptable (min ${expirationSecondsMin}s)`,
    );
  return seconds;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
