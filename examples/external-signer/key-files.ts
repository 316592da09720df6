// Keys in a directory of PEM files, read again when the directory has changed:
//
//   2026-01.pem           private keys; the last one by name signs, all verify
//   2025-12.excluded.pem  verifies old tokens, but is not shown in the key set

import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { PublishedKey, SigningKeys } from './signing-keys.ts';

interface FileKey extends PublishedKey {
  readonly algorithm: 'RS256' | 'ES256';
  readonly privateKey: KeyObject;
}

/** Throws when there is no key that can sign. */
export function openKeyFiles(directory: string): SigningKeys {
  let keys: readonly FileKey[] = [];
  let stamp = '';
  let changedAtMs = 0;
  const read = () => {
    const files = readdirSync(directory)
      .filter((name) => name.endsWith('.pem'))
      .toSorted();
    const times = files.map((name) => statSync(join(directory, name)).mtimeMs);
    const next = JSON.stringify([files, times]);
    if (next === stamp) return;
    keys = files.map((name) => readKey(join(directory, name)));
    stamp = next;
    changedAtMs = Math.max(...times);
  };
  const signing = (): FileKey => {
    read();
    const key = keys.findLast(({ isExcluded }) => !isExcluded);
    if (key === undefined) throw new Error(`${directory} has no key to sign with`);
    return key;
  };
  signing();
  return {
    signing,
    async sign(input) {
      return sign('sha256', input, { key: signing().privateKey, dsaEncoding: 'ieee-p1363' });
    },
    all() {
      read();
      return keys;
    },
    changedAtMs: () => changedAtMs,
  };
}

function readKey(file: string): FileKey {
  const privateKey = createPrivateKey(readFileSync(file));
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    id: createHash('sha256').update(publicKey).digest('base64url'),
    publicKey,
    privateKey,
    algorithm: privateKey.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256',
    isExcluded: file.endsWith('.excluded.pem'),
  };
}
