// Every suite of the library holds, and every policy has what a policy here must have.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sleep, systemClock } from '@keelson/apimachinery';
import { countOf, formatTextReport } from '@keelson/advisor';
import { createCluster, type Cluster } from '@keelson/keelson';
import { readLibrary, runLibrary } from './testing/library.ts';

const directory = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(directory, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'testing')
  .map((entry) => entry.name);

const policiesPath = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
const pathsByKind: Readonly<Record<string, string>> = {
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ValidatingAdmissionPolicy: policiesPath,
};

interface CheckedPolicy {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly typeChecking?: { readonly expressionWarnings?: readonly object[] };
  };
}

/** Asks until the controller has looked at every policy. */
async function allChecked(cluster: Cluster): Promise<readonly CheckedPolicy[]> {
  for (;;) {
    const { body } = await cluster.decide({ method: 'GET', path: policiesPath });
    const { items } = body as unknown as { readonly items: readonly CheckedPolicy[] };
    if (items.every(({ status }) => status?.observedGeneration !== undefined)) return items;
    await sleep(systemClock, 50);
  }
}

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

  it('has no warnings of the type checker', async () => {
    const cluster = await createCluster({
      controllers: ['validatingadmissionpolicy-status-controller'],
    });
    try {
      const { suites } = await readLibrary();
      const objects = suites.flatMap(({ suite }) => [
        ...(suite?.objects ?? []),
        ...(suite?.policies ?? []),
      ]);
      for (const { object } of objects) {
        const path = pathsByKind[String(object['kind'])];
        if (path !== undefined) await cluster.decide({ method: 'POST', path, body: object });
      }
      const checked = await allChecked(cluster);
      assert.ok(checked.length >= 40);
      for (const { metadata, status } of checked)
        assert.deepEqual(status?.typeChecking?.expressionWarnings ?? [], [], metadata.name);
    } finally {
      await cluster.close();
    }
  });

  it('lists every policy', () => {
    const readme = readFileSync(`${directory}/README.md`, 'utf8');
    const listed = [...readme.matchAll(/^\| \[([a-z-]+)\]\(\1\/policy\.yaml\) +\| .{20,} \|$/gm)];
    assert.deepEqual(listed.map(([, name]) => name).toSorted(), names.toSorted());
  });
});
