// Every suite of the library holds, and every policy has what a policy here must have.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { countOf, formatTextReport } from '@keelson/advisor';
import { runLibrary } from './testing/library.ts';

const directory = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(directory, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'testing')
  .map((entry) => entry.name);

describe('the policy library', () => {
  it('does what its tests say', async () => {
    const run = await runLibrary();
    const { failed, problems } = countOf(run.suites);
    assert.deepEqual([failed, problems], [0, 0], formatTextReport(run));
    assert.ok(run.suites.length >= 40);
  });

  it('allows something and refuses something with every policy that validates', async () => {
    const { suites } = await runLibrary();
    for (const { suite, results } of suites) {
      const kinds = suite?.policies.map(({ object }) => object['kind']) ?? [];
      assert.equal(kinds.length, 2, `${suite?.name}: a policy and its binding`);
      const allowed = results.filter(({ outcome }) => outcome.allowed).length;
      assert.ok(allowed > 0, `${suite?.name} allows nothing`);
      if (kinds.includes('MutatingAdmissionPolicy')) continue;
      assert.ok(results.length - allowed >= 2, `${suite?.name} refuses too little`);
    }
  });

  it('lists every policy', () => {
    const readme = readFileSync(`${directory}/README.md`, 'utf8');
    const listed = [...readme.matchAll(/^\| \[([a-z-]+)\]\(\1\/policy\.yaml\) +\| .{20,} \|$/gm)];
    assert.deepEqual(listed.map(([, name]) => name).toSorted(), names.toSorted());
  });
});
