// A verifier that is ready as soon as its issuer has been found. Until then discovery is tried
// every few seconds, so that the provider may start after the server, or run in the cluster
// itself.

import type { Clock } from '@keelson/apimachinery';
import type { Logger } from '../../logger.ts';
import type { DocumentClient } from './document-client.ts';
import { createKeySet } from './key-set.ts';
import { discoverProvider, type ProviderAddress } from './provider.ts';
import { createTokenVerifier, type TokenVerifier } from './verify-token.ts';

export interface DiscoveredVerifier {
  /** Undefined until the issuer has been found. */
  readonly verifier: TokenVerifier | undefined;
  /** Why there is no verifier yet; undefined when there is one. */
  readonly problem: string | undefined;
}

export interface DiscoveryOptions {
  readonly address: ProviderAddress;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly client: DocumentClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends discovery, and every fetch of keys. */
  readonly signal: AbortSignal;
  readonly onKeysFetched?: (keySetHash: string | undefined) => void;
}

const retryIntervalMs = 10_000;

/** Begins to look for the issuer at once. */
export function startDiscovery(options: DiscoveryOptions): DiscoveredVerifier {
  const { address, client, clock, logger, signal } = options;
  const { issuer } = address;
  let verifier: TokenVerifier | undefined;
  let problem: string | undefined =
    `oidc: authenticator for issuer ${JSON.stringify(issuer)} is not initialized`;

  const attempt = async (): Promise<void> => {
    try {
      const { keysUrl } = await discoverProvider(client, address, signal);
      const { onKeysFetched } = options;
      const keySet = createKeySet({
        client,
        url: keysUrl,
        clock,
        signal,
        ...(onKeysFetched === undefined ? {} : { onFetch: onKeysFetched }),
      });
      verifier = createTokenVerifier({ ...options, issuer, keySet });
      problem = undefined;
    } catch (error) {
      if (signal.aborted) return;
      problem = error instanceof Error ? error.message : String(error);
      logger.error('oidc authenticator: discovery failed', { issuer, error: problem });
      const cancel = clock.after(retryIntervalMs, () => {
        signal.removeEventListener('abort', cancel);
        void attempt();
      });
      signal.addEventListener('abort', cancel, { once: true });
    }
  };
  void attempt();
  return {
    get verifier() {
      return verifier;
    },
    get problem() {
      return problem;
    },
  };
}
