// The recorded outcomes of all fixtures: `testdata/<check>.jsonl`, one fixture per line, with what
// each level says in each range of versions. A change of behaviour shows as a diff of these files.

import { aggregate, evaluatePod, newestRelease, type CheckId } from '../src/index.ts';
import { fixturesOf, type Fixture } from './fixtures.ts';

export const testdataFolder = new URL('../testdata/', import.meta.url);

/** `capabilities_baseline` is recorded in `capabilities-baseline.jsonl`. */
export function goldenFileName(check: CheckId): string {
  const kebab = check
    .replaceAll('_', '-')
    .replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `${kebab}.jsonl`;
}

/** The text that the file of this check must have. */
export function renderGolden(check: CheckId): string {
  return fixturesOf(check)
    .map((fixture) => `${JSON.stringify(describeFixture(fixture))}\n`)
    .join('');
}

function describeFixture(fixture: Fixture) {
  return {
    name: fixture.name,
    baseline: outcomesByVersion(fixture, 'baseline'),
    restricted: outcomesByVersion(fixture, 'restricted'),
    pod: fixture.pod,
  };
}

/** `{"v1.0-v1.33": "allowed", "v1.34+": "hostPort (…)"}`. */
function outcomesByVersion({ pod }: Fixture, level: 'baseline' | 'restricted') {
  const outcomes: Record<string, string> = {};
  let first = 0;
  let current = outcomeAt(0);
  for (let minor = 1; minor <= newestRelease; minor++) {
    const next = outcomeAt(minor);
    if (next === current) continue;
    outcomes[`v1.${first}-v1.${minor - 1}`] = current;
    first = minor;
    current = next;
  }
  outcomes[`v1.${first}+`] = current;
  return outcomes;

  function outcomeAt(minor: number): string {
    const result = aggregate(
      evaluatePod({ level, version: `v1.${minor}` }, pod.metadata, pod.spec),
    );
    return result.allowed ? 'allowed' : result.forbiddenDetail();
  }
}
