// The serving certificate of kube-apiserver: the files that flags name, else `apiserver.crt` and
// `apiserver.key` in the certificate directory; when those are not there they are made and left
// there, so that clients may trust them.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyPairPem } from '@keelson/apiserver';
import { FlagError } from '../go-flags.ts';
import { writePrivate } from '../../pki.ts';

export interface ServingFiles {
  readonly certDir: string;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** Throws FlagError when a file cannot be read or written. */
export function openServingCertificate(files: ServingFiles, issue: () => KeyPairPem): KeyPairPem {
  const certFile = files.certFile ?? join(files.certDir, 'apiserver.crt');
  const keyFile = files.keyFile ?? join(files.certDir, 'apiserver.key');
  try {
    if (files.certFile !== undefined || (existsSync(certFile) && existsSync(keyFile)))
      return {
        certificatePem: readFileSync(certFile, 'utf8'),
        privateKeyPem: readFileSync(keyFile, 'utf8'),
      };
    const pair = issue();
    mkdirSync(files.certDir, { recursive: true, mode: 0o755 });
    writePrivate(keyFile, pair.privateKeyPem);
    writePrivate(certFile, pair.certificatePem);
    return pair;
  } catch (cause) {
    throw new FlagError(cause instanceof Error ? cause.message : String(cause));
  }
}
