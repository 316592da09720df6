// Rewrites `testdata/` from the fixtures and removes files that belong to no check:
// `npm run golden:update -w @keelson/pod-security`. Review the diff; it is the change of behaviour.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { checks } from '../src/index.ts';
import { goldenFileName, renderGolden, testdataFolder } from './golden.ts';

mkdirSync(testdataFolder, { recursive: true });
const written = new Set<string>();
for (const { id } of checks) {
  const name = goldenFileName(id);
  writeFileSync(new URL(name, testdataFolder), renderGolden(id));
  written.add(name);
}
for (const name of readdirSync(testdataFolder)) {
  if (!written.has(name)) rmSync(new URL(name, testdataFolder));
}
