// The door to the embedded backend. It loads the backend only when one is opened, so that a process
// with a memory store never loads worker threads or SQLite.

import type { Storage } from '../storage.ts';
import type { EmbeddedStorageOptions } from './embedded-storage.ts';

/** See `embedded-storage.ts`. */
export async function openEmbeddedStorage(options: EmbeddedStorageOptions): Promise<Storage> {
  const backend = await import('./embedded-storage.ts');
  return backend.openEmbeddedStorage(options);
}
