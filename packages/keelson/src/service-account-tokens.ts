// Who signs the service account tokens of one control plane and with which keys they are verified:
// the control plane's own key, key files, which are read again when they change, or an external
// signer behind a socket.

import {
  createKeySigner,
  createTokenKeys,
  openExternalSigner,
  type Features,
  type Logger,
  type Metrics,
  type SigningKey,
  type TokenKeys,
  type TokenSigner,
  type VerificationKey,
} from '@keelson/apiserver';
import { formatGoDuration, sleep, type Clock } from '@keelson/apimachinery';

import { createProcessHold } from './process-hold.ts';

/** The keys that flags name. */
export interface TokenKeyFiles {
  /** What is in the files now. Throws when one cannot be used. */
  read(): TokenKeySet;
}
export interface TokenKeySet {
  readonly signing: SigningKey;
  /** Besides the one that signs. */
  readonly verification: readonly VerificationKey[];
}

export interface ServiceAccountTokenOptions {
  /** In place of the control plane's own key. */
  readonly tokenKeyFiles?: TokenKeyFiles;
  /** `--service-account-signing-endpoint`, in place of any key. */
  readonly tokenSigningEndpoint?: string;
  /** `--service-account-max-token-expiration`; no limit unless said otherwise. */
  readonly tokenExpirationSecondsMax?: number;
  /** `--service-account-extend-token-expiration`; on unless said otherwise. */
  readonly extendTokenExpiration?: boolean;
}

export interface ServiceAccountTokens {
  readonly signer: TokenSigner;
  readonly keys: TokenKeys;
  readonly expirationSecondsMax: number | undefined;
  readonly extendExpiration: boolean;
  /** What an external signer allows, which bounds extended tokens too. */
  readonly signerExpirationSecondsMax: number | undefined;
  /** Signs what goes into Secrets; undefined when the keys are not ours. */
  readonly ownKey: (() => SigningKey) | undefined;
}

export interface ServiceAccountTokenParts {
  readonly ownKey: () => SigningKey;
  readonly features: Features;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** What the flags and an external signer say about lifetimes does not fit. */
export class TokenExpirationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TokenExpirationError';
  }
}

/** Rejects with ExternalSignerError and TokenExpirationError. */
export async function openServiceAccountTokens(
  options: ServiceAccountTokenOptions,
  parts: ServiceAccountTokenParts,
): Promise<ServiceAccountTokens> {
  const { tokenSigningEndpoint, tokenExpirationSecondsMax, extendTokenExpiration = true } = options;
  const choices = {
    extendExpiration: extendTokenExpiration,
    expirationSecondsMax: tokenExpirationSecondsMax,
    signerExpirationSecondsMax: undefined,
  };
  if (tokenSigningEndpoint !== undefined)
    return { ...choices, ...(await openExternal(tokenSigningEndpoint, options, parts)) };
  const { tokenKeyFiles } = options;
  if (tokenKeyFiles !== undefined) return { ...choices, ...followFiles(tokenKeyFiles, parts) };
  const { ownKey } = parts;
  const keys = createTokenKeys([ownKey()]);
  return { ...choices, signer: createKeySigner(ownKey), keys, ownKey };
}

async function openExternal(
  endpoint: string,
  { tokenExpirationSecondsMax: wanted }: ServiceAccountTokenOptions,
  { features, clock, metrics, logger, signal }: ServiceAccountTokenParts,
) {
  // Whoever waits for a signer has nothing else open yet that would keep the process alive.
  const hold = createProcessHold();
  hold.acquire();
  const { signer, keys, expirationSecondsMax } = await openExternalSigner({
    endpoint,
    // The interface became v1 with the release in which the gate became beta.
    version: features.emulated.minor < firstMinorOfV1 ? 'v1alpha1' : 'v1',
    clock,
    metrics,
    signal,
    onError: (error) => logger.warn('keys of the external signer not refreshed', fieldsOf(error)),
  }).finally(() => hold.close());
  if (wanted !== undefined && wanted > expirationSecondsMax)
    throw new TokenExpirationError(
      `service-account-max-token-expiration cannot be set longer than the token expiration supported by service-account-signing-endpoint: ${goSeconds(wanted)} > ${goSeconds(expirationSecondsMax)}`,
    );
  return {
    signer,
    keys,
    expirationSecondsMax: wanted ?? expirationSecondsMax,
    signerExpirationSecondsMax: expirationSecondsMax,
    ownKey: undefined,
  };
}

const firstMinorOfV1 = 34;

/** Upstream reads key files once; here keys are rotated without a restart. */
const fileIntervalMs = 60_000;

function followFiles(
  files: TokenKeyFiles,
  { clock, logger, signal }: ServiceAccountTokenParts,
): Pick<ServiceAccountTokens, 'signer' | 'keys' | 'ownKey'> {
  let current = files.read();
  const keys = createTokenKeys(allOf(current));
  const follow = async () => {
    while (!signal.aborted) {
      await sleep(clock, fileIntervalMs, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        const next = files.read();
        if (isSame(current, next)) continue;
        current = next;
        keys.replace(allOf(next));
        logger.info('keys of service account tokens have changed', { keys: keys.all().length });
      } catch (error) {
        // The last good ones stay.
        logger.warn('keys of service account tokens not read again', fieldsOf(error));
      }
    }
  };
  void follow();
  const ownKey = () => current.signing;
  return { signer: createKeySigner(ownKey), keys, ownKey };
}

function allOf({ signing, verification }: TokenKeySet): readonly VerificationKey[] {
  return [
    signing,
    ...verification.filter(({ fingerprint }) => fingerprint !== signing.fingerprint),
  ];
}

function isSame(a: TokenKeySet, b: TokenKeySet): boolean {
  const fingerprints = (set: TokenKeySet) => allOf(set).map(({ fingerprint }) => fingerprint);
  return fingerprints(a).join() === fingerprints(b).join();
}

const fieldsOf = (error: unknown) => ({
  error: error instanceof Error ? error.message : String(error),
});

const goSeconds = (seconds: number) => formatGoDuration(BigInt(seconds) * 1_000_000_000n);
