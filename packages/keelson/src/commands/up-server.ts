// What `keelson up` opens on the machine: the storage, the keys and certificates, and the port.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import {
  createMemoryStorage,
  isStorageError,
  openEmbeddedStorage,
  openListener,
  type Listener,
  type ServerLimits,
  type ServiceRanges,
  type Storage,
} from '@keelson/apiserver';
import type { ControlPlane } from '../control-plane.ts';
import { createPki, openPki, type Pki } from '../pki.ts';
import { servingNamesOf } from '../serving-names.ts';
import { isFileError } from './file-error.ts';
import { exitCodes, StartError } from './start-error.ts';
import type { UpFlags } from './up-flags.ts';

/** Throws StartError. */
export async function openStorage(flags: UpFlags, dataDir: string): Promise<Storage> {
  if (flags.storage === 'memory') return createMemoryStorage({ clock: systemClock });
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return await openEmbeddedStorage({ dir: join(dataDir, 'db'), clock: systemClock });
  } catch (cause) {
    if (isStorageError(cause) || isFileError(cause))
      throw new StartError(cause.message, exitCodes.unavailable, cause);
    throw cause;
  }
}

/** Throws StartError. */
export function preparePki(flags: UpFlags, dataDir: string, ranges: ServiceRanges): Pki {
  const { bindAddress } = flags;
  const names = servingNamesOf(ranges, isWildcard(bindAddress) ? [] : [bindAddress]);
  const dependencies = { clock: systemClock, random: systemRandom };
  // Without files a new identity each time would lock out the kubeconfig of the last run; keep it
  // when there is a directory.
  if (flags.storage === 'memory' && !existsSync(join(dataDir, 'pki')))
    return createPki(dependencies, names);
  try {
    return openPki(join(dataDir, 'pki'), dependencies, names);
  } catch (cause) {
    throw new StartError((cause as Error).message, exitCodes.unavailable, cause);
  }
}

export interface Served {
  readonly pki: Pki;
  readonly plane: ControlPlane;
  readonly limits: ServerLimits;
}

/** Throws StartError for what is the user's to mend. */
export async function listen(flags: UpFlags, { pki, plane, limits }: Served): Promise<Listener> {
  try {
    return await openListener(plane.server.serve, {
      address: flags.bindAddress,
      port: flags.securePort,
      certificate: pki.serving.certificatePem,
      key: pki.serving.privateKeyPem,
      http2: flags.http2,
      limits,
    });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const where = `${flags.bindAddress}:${flags.securePort}`;
    if (code === 'EADDRINUSE')
      throw new StartError(
        `${where} is in use; choose another port with --secure-port`,
        exitCodes.unavailable,
        cause,
      );
    if (code === 'EACCES')
      throw new StartError(`not allowed to listen on ${where}`, exitCodes.unavailable, cause);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new StartError(
        `${flags.bindAddress} is not an address of this machine`,
        exitCodes.usage,
        cause,
      );
    throw cause;
  }
}

const isWildcard = (address: string) => address === '0.0.0.0' || address === '::';
/** As it stands in a URL that this machine can reach. */
export const shownHost = (address: string) =>
  isWildcard(address) ? '127.0.0.1' : address.includes(':') ? `[${address}]` : address;
