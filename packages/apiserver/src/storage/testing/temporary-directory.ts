// Directories for tests, removed when the test file is done.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** Returns a function that names a new directory, not made yet, under one temporary directory. */
export function temporaryDirectories(): () => string {
  const root = mkdtempSync(join(tmpdir(), 'keelson-storage-'));
  after(() => rmSync(root, { recursive: true, force: true }));
  let count = 0;
  return () => join(root, String(count++));
}
