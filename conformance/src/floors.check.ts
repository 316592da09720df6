// Replays the recordings and holds every area to its floor (conformance/floors.json). `.ci/run`
// runs this file with node's test runner; `npm test` does not, for it needs the recordings.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findReference, readFloors, replay } from './reference.ts';

const reference = findReference();
/** Situations of webhooks are played by webhooks/recordings.check.ts. */
const { webhooks: _elsewhere, ...floors } = readFloors();

describe(
  'reference replay',
  { skip: reference === undefined ? 'no recordings found (set KEELSON_REFERENCE)' : false },
  async () => {
    if (reference === undefined) return;
    const result = await replay(reference, Object.keys(floors));
    for (const [area, floor] of Object.entries(floors)) {
      const { cases, exact } = result.areas[area] ?? { cases: 0, exact: 0 };
      const percent = cases === 0 ? 0 : (100 * exact) / cases;
      it(`${area}: ${exact} of ${cases} exact (${percent.toFixed(1)} %, floor ${floor} %)`, () => {
        assert.ok(percent >= floor, `${area} is below its floor`);
      });
    }
  },
);
