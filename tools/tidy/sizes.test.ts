import assert from 'node:assert/strict';
import { it } from 'node:test';
import { allowed } from './allowed.ts';
import { bigFiles, measureExcess } from './sizes.ts';

it('nothing is bigger than its limit or, where it already was, than it was', (t) => {
  const excess = measureExcess();
  const over = Object.entries(excess)
    .filter(([what, size]) => size > (allowed[what] ?? 0))
    .map(([what, size]) => `${what}: ${size}, at most ${allowed[what] ?? 'the limit'}`);
  // A comment that is a word too long is worth a line in the output, not a failed build.
  const grown = over.filter((line) => !line.startsWith('columns '));
  for (const line of over) if (!grown.includes(line)) t.diagnostic(line);
  assert.deepEqual(grown, [], `${grown.join('\n')}\nSplit it, or pass an options object.`);
  for (const file of bigFiles()) t.diagnostic(`${file}; think about where it divides`);
  const shrunk = Object.keys(allowed).filter((what) => (excess[what] ?? 0) < (allowed[what] ?? 0));
  if (shrunk.length > 0)
    t.diagnostic(`${shrunk.length} numbers in allowed.ts may fall: node tools/tidy/update.ts`);
});
