// The keys that may have signed a token. A token's `kid` selects among them; a token without one
// may be signed by any. The set may change while the server runs: key files are read again, and an
// external signer rotates its keys.

import type { VerificationKey } from './signing-keys.ts';

export interface TokenKeys {
  /** Those with this id, all for the empty id. Whoever keeps keys elsewhere may look there first. */
  find(keyId: string): readonly VerificationKey[] | Promise<readonly VerificationKey[]>;
  /** All that are known now. Another list when anything has changed. */
  all(): readonly VerificationKey[];
  /** How long others may keep a copy of the published keys, in whole seconds. */
  maxAgeSeconds(): number;
}

export interface ReplaceableTokenKeys extends TokenKeys {
  replace(keys: readonly VerificationKey[]): void;
}

/** Keys change only when somebody changes files: an hour is soon enough for others. */
const maxAgeSeconds = 3600;

/** Keys of this process. */
export function createTokenKeys(initial: readonly VerificationKey[]): ReplaceableTokenKeys {
  let keys = initial;
  return {
    find: (keyId) => selectKeys(keys, keyId),
    all: () => keys,
    maxAgeSeconds: () => maxAgeSeconds,
    replace(next) {
      keys = next;
    },
  };
}

export function selectKeys(
  keys: readonly VerificationKey[],
  keyId: string,
): readonly VerificationKey[] {
  return keyId === '' ? keys : keys.filter((key) => key.id === keyId);
}
