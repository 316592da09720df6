// The public keys of an external signer, kept here and asked for again when the signer said so. A
// token whose `kid` is unknown makes us ask at once, for it may be signed by a key of this moment;
// all who wait for that wait for one question. When the signer does not answer, the keys that are
// here stay good.
//
// SECURITY: anybody can send a token with an invented `kid`, so such questions are asked at most
// once in a second; an answer with one fault is refused whole.

import { sleep, type Clock } from '@keelson/apimachinery';
import { parsePublicKey, type VerificationKey } from '../signing-keys.ts';
import { selectKeys, type TokenKeys } from '../token-keys.ts';
import type { FetchedKeys, SignerClient } from './signer-client.ts';
import type { SignerMetrics } from './signer-metrics.ts';

export interface ExternalKeyCache extends TokenKeys {
  /** Asks for the keys. Rejects with the reason when there is no good answer. */
  refresh(timeoutMs: number): Promise<void>;
  /** Asks again as the signer wishes, until the signal is aborted. */
  keepFresh(signal: AbortSignal): Promise<void>;
}

export interface ExternalKeyCacheOptions {
  readonly client: Pick<SignerClient, 'fetchKeys'>;
  readonly clock: Clock;
  readonly metrics?: SignerMetrics;
  /** Told when a question failed; the keys are as they were. */
  readonly onError: (error: unknown) => void;
}

/** Of the questions after the first, which the start of the server waits for. */
const refreshTimeoutMs = 10_000;
const retryDelayMs = 10_000;
const unknownKeyIntervalMs = 1_000;
/** Bytes of an id, as the signer's interface bounds it. */
export const keyIdBytesMax = 1024;

export function createExternalKeyCache(options: ExternalKeyCacheOptions): ExternalKeyCache {
  const { client, clock, metrics, onError } = options;
  let keys: readonly VerificationKey[] = [];
  let dataTimestamp: number | undefined;
  let nextRefreshMs = clock.monotonic();
  let running: Promise<void> | undefined;
  let unknownAskedMs = Number.NEGATIVE_INFINITY;

  const ask = async (timeoutMs: number) => {
    const fetched = await client.fetchKeys(timeoutMs);
    const next = parseKeys(fetched);
    nextRefreshMs = clock.monotonic() + fetched.refreshHintSeconds * 1000;
    const data = fetched.dataTimestampSeconds ?? 0;
    // Those who publish the keys look whether the list is another one.
    if (dataTimestamp !== data || !isSame(keys, next)) keys = next;
    dataTimestamp = data;
    metrics?.fetched(Math.floor(clock.now() / 1000), data);
  };
  const refresh = (timeoutMs: number) => {
    running ??= ask(timeoutMs).finally(() => {
      running = undefined;
    });
    return running;
  };
  /** One question for all that come until it is answered. */
  let asking: Promise<void> | undefined;
  const askForUnknown = async () => {
    const waitMs = unknownAskedMs + unknownKeyIntervalMs - clock.monotonic();
    if (waitMs > 0) await sleep(clock, waitMs);
    unknownAskedMs = clock.monotonic();
    await refresh(refreshTimeoutMs).catch(onError);
  };

  return {
    async find(keyId) {
      const known = selectKeys(keys, keyId);
      if (known.length > 0 || Buffer.byteLength(keyId) > keyIdBytesMax) return known;
      asking ??= askForUnknown().finally(() => {
        asking = undefined;
      });
      await asking;
      return selectKeys(keys, keyId);
    },
    all: () => keys,
    maxAgeSeconds: () => Math.max(0, Math.floor((nextRefreshMs - clock.monotonic()) / 1000)),
    refresh,
    async keepFresh(signal) {
      let delayMs = nextRefreshMs - clock.monotonic();
      while (!signal.aborted) {
        await sleep(clock, Math.max(delayMs, 0), signal).catch(() => {});
        if (signal.aborted) return;
        try {
          // Somebody may have asked meanwhile.
          if (nextRefreshMs <= clock.monotonic()) await refresh(refreshTimeoutMs);
          delayMs = nextRefreshMs - clock.monotonic();
        } catch (error) {
          if (signal.aborted) return;
          onError(error);
          delayMs = retryDelayMs;
        }
      }
    },
  };
}

/** Throws with kube-apiserver's words for the first fault. */
function parseKeys(fetched: FetchedKeys): VerificationKey[] {
  const { keys, dataTimestampSeconds, refreshHintSeconds } = fetched;
  if (!(refreshHintSeconds > 0))
    throw new Error(`found invalid refresh hint (${refreshHintSeconds}s)`);
  if (keys.length === 0) throw new Error('found no keys');
  if (dataTimestampSeconds === undefined || !isTimestamp(dataTimestampSeconds))
    throw new Error('invalid data timestamp');
  return keys.map(({ id, key, excludeFromOidcDiscovery }) => {
    const idBytes = Buffer.byteLength(id);
    if (idBytes === 0 || idBytes > keyIdBytesMax)
      throw new Error(`found invalid public key id ${JSON.stringify(id.slice(0, keyIdBytesMax))}`);
    if (key.length === 0) throw new Error('found empty public key');
    try {
      return parsePublicKey(key, { id, isUnpublished: excludeFromOidcDiscovery });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`while parsing external public keys: ${why}`, { cause });
    }
  });
}

/** From the year 1 to the year 9999, as google.protobuf.Timestamp allows. */
function isTimestamp(seconds: number): boolean {
  return seconds >= -62_135_596_800 && seconds < 253_402_300_800;
}

function isSame(a: readonly VerificationKey[], b: readonly VerificationKey[]): boolean {
  return (
    a.length === b.length &&
    a.every((key, i) => {
      const other = b[i];
      return (
        key.id === other?.id &&
        key.fingerprint === other.fingerprint &&
        key.isUnpublished === other.isUnpublished
      );
    })
  );
}
