// Replays the recordings and fails when an area is below its floor (conformance/floors.json). What
// `.ci/run` calls.

import { findReference, readFloors, replay } from './reference.ts';

const reference = findReference();
if (reference === undefined) {
  console.log('reference replay: skipped, no recordings found (set KEELSON_REFERENCE)');
} else {
  const floors = readFloors();
  const result = await replay(reference, Object.keys(floors));
  let below = 0;
  console.log(`${'area'.padEnd(16)} exact   of      %  floor`);
  for (const [area, floor] of Object.entries(floors)) {
    const r = result.areas[area] ?? { cases: 0, exact: 0, status: 0, mismatch: 0 };
    const percent = r.cases === 0 ? 0 : (100 * r.exact) / r.cases;
    const failed = percent < floor;
    if (failed) below++;
    console.log(
      `${area.padEnd(16)} ${String(r.exact).padStart(5)} ${String(r.cases).padStart(4)} ${percent.toFixed(1).padStart(6)} ${String(floor).padStart(6)}${failed ? '  BELOW THE FLOOR' : ''}`,
    );
  }
  console.log(
    `reference replay: ${Object.keys(floors).length - below} areas at or above their floor, ${below} below, ${result.seconds} s`,
  );
  if (below > 0) process.exitCode = 1;
}
