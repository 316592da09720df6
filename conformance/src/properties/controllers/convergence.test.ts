// Whatever users do, in whatever order: no controller falls over an object that the API has taken,
// none misses a change, all come to rest, and what they leave is as their rules say. Controllers
// that start anew where others have come to rest find nothing to do: nothing was lost.
//
// KEELSON_PROPERTY_RUNS makes it longer, KEELSON_TEST_SEED tries other lives.

import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { clusterControllers } from '@keelson/keelson';
import fc from 'fast-check';
import { controllerCases } from './cases.ts';
import type { ControllerCase } from './controller-case.ts';
import { quietMs, startLife } from './life.ts';
import { changesBetween, look, type Look } from './look.ts';
import { move, prepare } from './moves.ts';

const numRuns = Number(process.env['KEELSON_PROPERTY_RUNS'] ?? 1);
/** What all controllers together may ask for while nothing changes: they renew what they watch. */
const requestsPerQuietMinute = 60;

/** What a controller may complain about: that the API refuses what an object asks for. */
const expected = [
  / is forbidden: /,
  / is invalid: /,
  / not found"/,
  /already exists/,
  // Somebody changed the template of a ReplicaSet: the next one gets another name.
  / is there already and has another template"/,
  /being terminated/,
  /the object has been modified/,
];

test('every controller has its case', () =>
  assert.deepEqual(Object.keys(controllerCases).toSorted(), clusterControllers.toSorted()));

describe('controllers come to rest, and nothing is lost', { timeout: 1_000_000 }, () => {
  for (const [name, one] of Object.entries(controllerCases))
    it(name, () =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.nat(1_000_000), { minLength: 10, maxLength: 40 }), (seeds) =>
          live(one, seeds),
        ),
        {
          numRuns,
          examples: (one.lives ?? []).map((seeds) => [[...seeds]]),
          endOnFailure: true,
        },
      ),
    );
});

async function live(
  { kinds, prepare: prepareCase }: ControllerCase,
  seeds: readonly number[],
): Promise<void> {
  await using life = await startLife();
  await prepare(life);
  await prepareCase?.(life.client);
  for (const seed of seeds) await move(life, kinds, seed);
  const rested = await life.settle();
  const before = await life.requests();
  await life.pass(quietMs);
  const asked = (await life.requests()) - before;
  assert.deepEqual(changesBetween(rested, await look(life.client)), [], 'at rest');
  assert.ok(asked < (requestsPerQuietMinute * quietMs) / 60_000, `${asked} requests at rest`);
  assert.deepEqual(wrongsOf(rested), []);
  await life.restart();
  await life.pass(quietMs);
  assert.deepEqual(changesBetween(rested, await look(life.client)), [], 'after a restart');
  const unexpected = life.complaints.filter((text) => !expected.some((known) => known.test(text)));
  assert.deepEqual(unexpected, []);
}

function wrongsOf(rested: Look): string[] {
  return Object.values(controllerCases).flatMap(({ wrong }) => [...(wrong?.(rested) ?? [])]);
}
