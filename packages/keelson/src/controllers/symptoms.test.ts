// Spec §27: take any one controller away, and somebody notices. It guards against controllers that
// nobody needs, and against tests that pass without them.

import assert from 'node:assert/strict';
import { describe, it, test, type TestContext } from 'node:test';
import { controllerNames, type ControllerName } from '../controller-list.ts';
import { simulateCluster } from '../testing/simulated-cluster.ts';
import { symptoms } from '../testing/symptoms/all.ts';
import { createScene } from '../testing/symptoms/symptom.ts';

test('every controller is missed by somebody', () => {
  assert.deepEqual(Object.keys(symptoms).toSorted(), [...controllerNames].toSorted());
  for (const name of controllerNames) assert.notEqual(symptoms[name].with, symptoms[name].without);
});

/** What is seen when a minute has passed. Some of what happens takes other threads, and longer. */
async function look(
  t: TestContext,
  name: ControllerName,
  { runs, until }: { readonly runs: boolean; readonly until: string },
): Promise<string> {
  const { act, see, options = {} } = symptoms[name];
  const controllers = ['*', runs ? name : `-${name}`];
  const scene = createScene(await simulateCluster(t, { ...options, controllers }));
  await act(scene);
  await scene.pass(60_000);
  let seen = await see(scene);
  for (let more = 0; more < 20 && seen !== until; more++) {
    await scene.pass(10_000);
    seen = await see(scene);
  }
  return seen;
}

for (const name of controllerNames)
  describe(name, () => {
    const symptom = symptoms[name];
    it(`runs: ${symptom.with}`, async (t) =>
      assert.equal(await look(t, name, { runs: true, until: symptom.with }), symptom.with));
    it(`does not run: ${symptom.without}`, async (t) =>
      assert.equal(await look(t, name, { runs: false, until: symptom.without }), symptom.without));
  });
