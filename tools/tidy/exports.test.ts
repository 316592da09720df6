import assert from 'node:assert/strict';
import { it } from 'node:test';
import { exportedNames } from './exports.ts';
import { readText } from './source-files.ts';

it('front doors export the names that are on record', () => {
  const golden: unknown = JSON.parse(readText('tools/tidy/exports.golden.json'));
  assert.deepEqual(
    exportedNames(),
    golden,
    'the public names have changed; if that is meant: node tools/tidy/update.ts, and a line in CHANGELOG.md',
  );
});
