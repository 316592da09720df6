// What holds at every moment, not only at rest: after each single write of a controller, whatever
// pods do and users ask for meanwhile, and wherever the controllers were stopped.
//
// KEELSON_PROPERTY_RUNS makes it longer, KEELSON_TEST_SEED tries other lives.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSeededRandom, isStatusError } from '@keelson/apimachinery';
import fc from 'fast-check';
import { startLife, type Life } from './life.ts';
import { budgets } from './moments/budgets.ts';
import { followHistory, type History } from './moments/history.ts';
import { jobs } from './moments/jobs.ts';
import { replicas } from './moments/replicas.ts';
import { pick, type Play, type Scenario } from './moments/scenario.ts';
import { statefulSets } from './moments/stateful-sets.ts';

const numRuns = Number(process.env['KEELSON_PROPERTY_RUNS'] ?? 1);
const restartChance = 0.04;
const pauseChance = 0.25;
/** Fewer would prove nothing. */
const writesMin = 5;
const pausesMs = [1, 1_000, 15_000, 70_000];

describe('at every moment', { timeout: 1_000_000 }, () => {
  for (const scenario of [...replicas, ...statefulSets, ...jobs, ...budgets])
    it(scenario.name, () =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.nat(1_000_000), { minLength: 60, maxLength: 120 }), (seeds) =>
          live(scenario, seeds),
        ),
        { numRuns, endOnFailure: true },
      ),
    );
});

async function live(scenario: Scenario, seeds: readonly number[]): Promise<void> {
  await using life = await startLife();
  const namespaces = life.client.resource({ group: '', version: 'v1', resource: 'namespaces' });
  const { metadata } = await namespaces.create({ metadata: { name: 'one' } });
  await life.pass(1_000);
  const history = followHistory(life, scenario.kinds, metadata.resourceVersion ?? '');
  const play = scenario.start(createSeededRandom(seeds[0] ?? 0));
  const byHand = new Set<string>();
  let writes = 0;
  history.open();
  try {
    await play.begin(life.client);
    for (const seed of seeds) {
      await life.pass(0);
      history.tell((moment, scene) => {
        writes++;
        const wrong = play.wrong(moment, scene, byHand);
        assert.equal(wrong, undefined, wrong);
      });
      await step({ life, play, history, byHand, seed });
    }
    assert.ok(writes > writesMin, `${writes} writes only`);
  } finally {
    history.close();
  }
}

interface Step {
  readonly life: Life;
  readonly play: Play;
  readonly history: History;
  readonly byHand: Set<string>;
  readonly seed: number;
}

async function step({ life, play, history, byHand, seed }: Step): Promise<void> {
  const random = createSeededRandom(seed);
  const chance = random.float();
  if (chance < restartChance) {
    history.close();
    await life.restart();
    return history.open();
  }
  if (chance < pauseChance) return life.pass(pick(pausesMs, random));
  try {
    await pick(play.moves, random)({ client: life.client, random, byHand });
  } catch (error) {
    // What the API refuses is not done.
    if (!isStatusError(error) || (error.status.code ?? 500) >= 500) throw error;
  }
}
