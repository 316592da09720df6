// A key that never leaves its PKCS #11 token (a hardware module, or SoftHSM for trying). The token
// is reached through `pkcs11-tool` of OpenSC, which loads the module and asks it to sign; the PIN is
// in the environment as PKCS11_PIN, so that it stands in no list of processes.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SigningKeys } from './signing-keys.ts';

export interface Pkcs11Options {
  /** Path of the module, as /usr/lib/softhsm/libsofthsm2.so. */
  readonly module: string;
  readonly tokenLabel: string;
  /** Of a key on P-256. */
  readonly keyLabel: string;
}

const run = promisify(execFile);

/** Rejects when the token has no such key. */
export async function openPkcs11Token(options: Pkcs11Options): Promise<SigningKeys> {
  const { module, tokenLabel, keyLabel } = options;
  const pkcs11 = async (input: Buffer | undefined, ...args: readonly string[]): Promise<Buffer> => {
    const folder = mkdtempSync(join(tmpdir(), 'signer-'));
    const [from, to] = [join(folder, 'in'), join(folder, 'out')];
    try {
      if (input !== undefined) writeFileSync(from, input, { mode: 0o600 });
      const token = ['--module', module, '--token-label', tokenLabel, '--label', keyLabel];
      const files = [...(input === undefined ? [] : ['--input-file', from]), '--output-file', to];
      await run('pkcs11-tool', [...token, '--login', '--pin', 'env:PKCS11_PIN', ...args, ...files]);
      return readFileSync(to);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const publicKey = await pkcs11(undefined, '--read-object', '--type', 'pubkey');
  const id = createHash('sha256').update(publicKey).digest('base64url');
  const openedAtMs = Date.now();
  return {
    signing: () => ({ id, algorithm: 'ES256' }),
    sign: (input) => {
      // The token signs the digest; it answers r and s as tokens have them.
      const digest = createHash('sha256').update(input).digest();
      return pkcs11(digest, '--sign', '--mechanism', 'ECDSA');
    },
    all: () => [{ id, publicKey, isExcluded: false }],
    changedAtMs: () => openedAtMs,
  };
}
