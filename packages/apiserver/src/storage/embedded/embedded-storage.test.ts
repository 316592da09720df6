import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { systemClock } from '@keelson/apimachinery';
import { describeStorage } from '../testing/storage-suite.ts';
import { openEmbeddedStorage } from './open.ts';

const root = mkdtempSync(join(tmpdir(), 'keelson-storage-'));
after(() => rmSync(root, { recursive: true, force: true }));
let stores = 0;

describeStorage(
  'embedded',
  (options) =>
    openEmbeddedStorage({
      dir: join(root, String(stores++)),
      clock: systemClock,
      freeze: true,
      ...options,
    }),
  20,
);
