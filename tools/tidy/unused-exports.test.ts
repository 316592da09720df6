import assert from 'node:assert/strict';
import { it } from 'node:test';
import { unusedExports } from './unused-exports.ts';

it('functions, constants and classes are exported for somebody', () => {
  const found = unusedExports();
  assert.deepEqual(found, [], `${found.join('\n')}\nNobody imports these; they can be private.`);
});
