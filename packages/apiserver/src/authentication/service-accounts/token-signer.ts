// Who signs service account tokens: a key of this process, or somebody behind a socket
// (`external-signer/`).

import type { JsonObject } from '@keelson/apimachinery';
import { signToken } from './json-web-token.ts';
import type { SigningKey } from './signing-keys.ts';

export interface TokenSigner {
  /** The token in its compact form. Rejects when it cannot be signed now. */
  sign(payload: JsonObject): Promise<string>;
}

/** Signs with the key that is there when the token is asked for. */
export function createKeySigner(key: () => SigningKey): TokenSigner {
  return { sign: (payload) => signToken(payload, key()) };
}
