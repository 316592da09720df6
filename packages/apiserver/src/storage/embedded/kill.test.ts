// The long run is `node packages/apiserver/src/storage/testing/kill-loop.ts --kills 200`; KILLS
// sets the length of this one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runKillLoop } from '../testing/kill-loop.ts';
import { temporaryDirectories } from '../testing/temporary-directory.ts';

const newDirectory = temporaryDirectories();
const kills = Number(process.env['KILLS'] ?? 20);

describe('embedded storage under kill -9', () => {
  it(`loses no acknowledged write and leaves nothing half written (${kills} kills)`, async () => {
    const result = await runKillLoop({ kills, seed: 1, dir: newDirectory() });
    assert.ok(result.acknowledged > kills, 'the writers wrote');
  });
});
