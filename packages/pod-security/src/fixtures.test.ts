import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { checksWithFixtures, fixturesOf, passingPod } from '../testing/fixtures.ts';
import { goldenFileName, renderGolden, testdataFolder } from '../testing/golden.ts';
import { checks, evaluatePod, newestRelease, type Check, type CheckResult } from './index.ts';

const howToUpdate = 'run `npm run golden:update -w @keelson/pod-security` and review the diff';
const minors = Array.from({ length: newestRelease + 1 }, (_, minor) => minor);

describe('recorded outcomes', () => {
  for (const { id } of checks) {
    it(`of ${id} are those of today`, () => {
      const file = new URL(goldenFileName(id), testdataFolder);
      assert.ok(existsSync(file), `${goldenFileName(id)} is missing: ${howToUpdate}`);
      assert.equal(readFileSync(file, 'utf8'), renderGolden(id), howToUpdate);
    });
  }

  it('exist for no other checks', () => {
    assert.deepEqual(
      readdirSync(testdataFolder).sort(),
      checks.map(({ id }) => goldenFileName(id)).sort(),
      howToUpdate,
    );
    assert.deepEqual([...checksWithFixtures()].sort(), checks.map(({ id }) => id).sort());
  });
});

describe('fixtures', () => {
  it('vary a pod that passes restricted in every version', () => {
    const { metadata, spec } = passingPod();
    for (const minor of minors) {
      const results = evaluatePod({ level: 'restricted', version: `v1.${minor}` }, metadata, spec);
      assert.deepEqual(failedChecks(results), []);
    }
  });

  for (const check of checks) {
    it(`of ${check.id} pass and fail in each of its versions, by no other check`, () => {
      const first = check.versions[0]?.minimumVersion ?? 0;
      for (const minor of minors.filter((candidate) => candidate >= first)) {
        const outcomes = fixturesOf(check.id).map(({ pod }) => outcomeAt(check, pod, minor));
        const failed = outcomes.filter((failures) => failures.length > 0);
        assert.ok(failed.length > 0, `no fixture fails at v1.${minor}`);
        assert.ok(failed.length < outcomes.length, `no fixture passes at v1.${minor}`);
        for (const failures of failed) assert.deepEqual(failures, [check.id]);
      }
    });
  }
});

type Pod = ReturnType<typeof passingPod>;

function outcomeAt(check: Check, pod: Pod, minor: number): string[] {
  const policy = { level: check.level, version: `v1.${minor}` as const };
  return failedChecks(evaluatePod(policy, pod.metadata, pod.spec));
}

function failedChecks(results: readonly CheckResult[]): string[] {
  return results.filter((result) => !result.allowed).map((result) => result.checkId);
}
